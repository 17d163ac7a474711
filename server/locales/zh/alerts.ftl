### 发给客户经理的告警：时限将到、已超时、或事后更正。变量说明见英文文件。

## 抢通：业务恢复。

restoration-warning =
    .what = { $late ->
        [yes] 迟到信息：抢通时限曾用去 { $percent }%，{ $balance }
       *[no] 须于 { $due_short } 前抢通，{ $balance }（已用 { $percent }%）
    }
    .lead = { $late ->
        [yes] 此情况得知较晚：抢通时限在 { $at } 已用去 { $percent }%。须于 { $due } 前抢通，{ $balance }。
       *[no] 抢通时限已用去 { $percent }%，须于 { $due } 前抢通，{ $balance }。
    }
restoration-missed =
    .what = { $late ->
        [yes] 迟到信息：抢通曾超时，应于 { $due_short } 完成
       *[no] 抢通已超时，应于 { $due_short } 完成
    }
    .lead = { $late ->
        [yes] 此情况得知较晚：业务应于 { $due } 前抢通，当时未抢通。
       *[no] 业务应于 { $due } 前抢通，至今未抢通，{ $balance }。
    }
restoration-met_late =
    .what = { $late ->
        [yes] 迟到信息：超时 { $after } 后抢通
       *[no] 已抢通，超时 { $after }
    }
    .lead = { $late ->
        [yes] 此情况得知较晚：业务于 { $at } 抢通，比承诺时间（{ $due }）晚 { $after }。
       *[no] 业务于 { $at } 抢通，比承诺时间（{ $due }）晚 { $after }。
    }
restoration-corrected =
    .what = 更正：抢通未超时
    .lead = 此前曾告知：应于 { $due } 完成的抢通已超时。后到的记录表明并未超时，原告警作废。

## 主动反馈：向客户通报故障进展。

feedback-warning =
    .what = { $late ->
        [yes] 迟到信息：反馈时限曾用去 { $percent }%，{ $balance }
       *[no] 须于 { $due_short } 前反馈，{ $balance }（已用 { $percent }%）
    }
    .lead = { $late ->
        [yes] 此情况得知较晚：主动反馈时限在 { $at } 已用去 { $percent }%。须于 { $due } 前反馈，{ $balance }。
       *[no] 须向客户通报故障进展：反馈时限已用去 { $percent }%，须于 { $due } 前反馈，{ $balance }。
    }
feedback-missed =
    .what = { $late ->
        [yes] 迟到信息：反馈曾超时，应于 { $due_short } 完成
       *[no] 反馈已超时，应于 { $due_short } 完成
    }
    .lead = { $late ->
        [yes] 此情况得知较晚：应于 { $due } 前向客户通报故障进展，当时未通报。
       *[no] 应于 { $due } 前向客户通报故障进展，至今未通报，{ $balance }。
    }
feedback-met_late =
    .what = { $late ->
        [yes] 迟到信息：超时 { $after } 后反馈
       *[no] 已反馈，超时 { $after }
    }
    .lead = { $late ->
        [yes] 此情况得知较晚：已于 { $at } 向客户反馈，比承诺时间（{ $due }）晚 { $after }。
       *[no] 已于 { $at } 向客户反馈，比承诺时间（{ $due }）晚 { $after }。
    }
feedback-corrected =
    .what = 更正：反馈未超时
    .lead = 此前曾告知：应于 { $due } 完成的反馈已超时。后到的记录表明并未超时，原告警作废。

## 修复：故障原因彻底排除。

repair-warning =
    .what = { $late ->
        [yes] 迟到信息：修复时限曾用去 { $percent }%，{ $balance }
       *[no] 须于 { $due_short } 前修复，{ $balance }（已用 { $percent }%）
    }
    .lead = { $late ->
        [yes] 此情况得知较晚：修复时限在 { $at } 已用去 { $percent }%。须于 { $due } 前修复，{ $balance }。
       *[no] 业务已抢通，故障原因尚待排除：修复时限已用去 { $percent }%，须于 { $due } 前修复，{ $balance }。
    }
repair-missed =
    .what = { $late ->
        [yes] 迟到信息：修复曾超时，应于 { $due_short } 完成
       *[no] 修复已超时，应于 { $due_short } 完成
    }
    .lead = { $late ->
        [yes] 此情况得知较晚：故障原因应于 { $due } 前排除，当时未排除。
       *[no] 故障原因应于 { $due } 前排除，至今未排除，{ $balance }。
    }
repair-met_late =
    .what = { $late ->
        [yes] 迟到信息：超时 { $after } 后修复
       *[no] 已修复，超时 { $after }
    }
    .lead = { $late ->
        [yes] 此情况得知较晚：故障原因于 { $at } 排除，比承诺时间（{ $due }）晚 { $after }。
       *[no] 故障原因于 { $at } 排除，比承诺时间（{ $due }）晚 { $after }。
    }
repair-corrected =
    .what = 更正：修复未超时
    .lead = 此前曾告知：应于 { $due } 完成的修复已超时。后到的记录表明并未超时，原告警作废。

## 回访：询问客户业务是否确已正常。

callback-warning =
    .what = { $late ->
        [yes] 迟到信息：回访时限曾用去 { $percent }%，{ $balance }
       *[no] 须于 { $due_short } 前回访，{ $balance }（已用 { $percent }%）
    }
    .lead = { $late ->
        [yes] 此情况得知较晚：回访时限在 { $at } 已用去 { $percent }%。须于 { $due } 前回访，{ $balance }。
       *[no] 尚待回访客户：回访时限已用去 { $percent }%，须于 { $due } 前回访，{ $balance }。
    }
callback-missed =
    .what = { $late ->
        [yes] 迟到信息：回访曾超时，应于 { $due_short } 完成
       *[no] 回访已超时，应于 { $due_short } 完成
    }
    .lead = { $late ->
        [yes] 此情况得知较晚：应于 { $due } 前回访客户，当时未回访。
       *[no] 应于 { $due } 前回访客户，至今未回访，{ $balance }。
    }
callback-met_late =
    .what = { $late ->
        [yes] 迟到信息：超时 { $after } 后回访
       *[no] 已回访，超时 { $after }
    }
    .lead = { $late ->
        [yes] 此情况得知较晚：已于 { $at } 回访客户，比承诺时间（{ $due }）晚 { $after }。
       *[no] 已于 { $at } 回访客户，比承诺时间（{ $due }）晚 { $after }。
    }
callback-corrected =
    .what = 更正：回访未超时
    .lead = 此前曾告知：应于 { $due } 完成的回访已超时。后到的记录表明并未超时，原告警作废。

## 主管：回访联系不到客户，须由主管决定。

supervisor-warning =
    .what = { $late ->
        [yes] 迟到信息：主管决定时限已用 { $percent }%，{ $balance }
       *[no] 主管应于 { $due_short } 前决定，{ $balance }（已用 { $percent }%）
    }
    .lead = { $late ->
        [yes] 迟到信息：{ $at } 时主管决定的时限已用 { $percent }%，应于 { $due } 前决定，{ $balance }。
       *[no] 多次回访未联系到客户，须由主管决定：时限已用 { $percent }%，应于 { $due } 前决定，{ $balance }。
    }
supervisor-missed =
    .what = { $late ->
        [yes] 迟到信息：主管决定曾超时，应于 { $due_short } 前决定
       *[no] 主管决定已超时，应于 { $due_short } 前决定
    }
    .lead = { $late ->
        [yes] 迟到信息：主管应于 { $due } 前决定，当时未决定。
       *[no] 多次回访未联系到客户，主管应于 { $due } 前决定，至今未决定，{ $balance }。
    }
supervisor-met_late =
    .what = { $late ->
        [yes] 迟到信息：主管超时 { $after } 后决定
       *[no] 主管已决定，超时 { $after }
    }
    .lead = { $late ->
        [yes] 迟到信息：主管于 { $at } 决定，比时限（{ $due }）晚 { $after }。
       *[no] 主管于 { $at } 决定，比时限（{ $due }）晚 { $after }。
    }
supervisor-corrected =
    .what = 更正：主管决定未超时
    .lead = 此前通知主管决定（应于 { $due } 前）已超时。后到的信息表明并未超时，此前的告警不再成立。

## 年中断时长与承诺可用率。$due：若中断持续，限额用完的时刻；否则为周期结束。

interruption-warning =
    .what = { $late ->
        [yes] 迟到信息：年中断时长曾已用 { $percent }%
       *[no] 年中断时长已用 { $percent }%
    }
    .lead = { $late ->
        [yes] 事后得知：至 { $at }，该线路本年度允许的中断时长已用 { $percent }%。
       *[no] 该线路本年度允许的中断时长已用 { $percent }%，最早于 { $due } 用完。
    }
interruption-missed =
    .what = { $late ->
        [yes] 迟到信息：年中断时长自 { $due_short } 起超限
       *[no] 年中断时长已于 { $due_short } 用完
    }
    .lead = { $late ->
        [yes] 事后得知：自 { $due } 起，该线路本年度的中断时长已超过限额。
       *[no] 自 { $due } 起，该线路本年度的中断时长已超过限额。
    }
interruption-corrected =
    .what = 更正：年中断时长并未超限
    .lead = 此前通知您该线路本年度中断时长超限。后到的记录表明并未超限，原告警作废。

availability-warning =
    .what = { $late ->
        [yes] 迟到信息：可用率允许的中断曾已用 { $percent }%
       *[no] 可用率允许的中断已用 { $percent }%
    }
    .lead = { $late ->
        [yes] 事后得知：至 { $at }，承诺可用率允许的中断时长已用 { $percent }%。
       *[no] 承诺可用率允许的中断时长已用 { $percent }%，最早于 { $due } 用完。
    }
availability-missed =
    .what = { $late ->
        [yes] 迟到信息：可用率自 { $due_short } 起未达承诺
       *[no] 可用率未达承诺（{ $due_short }）
    }
    .lead = { $late ->
        [yes] 事后得知：自 { $due } 起，该线路的中断时长已超过承诺可用率所允许的时长。
       *[no] 自 { $due } 起，该线路的中断时长已超过承诺可用率所允许的时长。
    }
availability-corrected =
    .what = 更正：可用率并未低于承诺
    .lead = 此前通知您可用率未达承诺。后到的记录表明并未低于承诺，原告警作废。

## 投诉、诉求、缺陷、承诺、走访、巡检。$promise：所欠的事项。

matter-warning =
    .what = { $late ->
        [yes] 迟到信息：{ $promise }时限曾用去 { $percent }%，{ $balance }
       *[no] 须于 { $due_short } 前完成{ $promise }，{ $balance }（已用 { $percent }%）
    }
    .lead = { $late ->
        [yes] 此情况得知较晚：{ $promise }时限在 { $at } 已用去 { $percent }%。须于 { $due } 前完成，{ $balance }。
       *[no] { $promise }时限已用去 { $percent }%，须于 { $due } 前完成，{ $balance }。
    }
matter-missed =
    .what = { $late ->
        [yes] 迟到信息：{ $promise }曾超时，应于 { $due_short } 完成
       *[no] { $promise }已超时，应于 { $due_short } 完成
    }
    .lead = { $late ->
        [yes] 此情况得知较晚：{ $promise }应于 { $due } 前完成，当时未完成。
       *[no] { $promise }应于 { $due } 前完成，至今未完成，{ $balance }。
    }
matter-met_late =
    .what = { $promise }已完成，超时 { $after }
    .lead = { $promise }于 { $at } 完成，比承诺时间（{ $due }）晚 { $after }。
matter-corrected =
    .what = 更正：{ $promise }未超时
    .lead = 此前曾告知：应于 { $due } 完成的{ $promise }已超时。后到的记录表明并未超时，原告警作废。

# $promise 为所做之事，$state 为事项状态。
matter-changed =
    .what = { $late ->
        [yes] 迟到信息：{ $promise }
       *[no] { $promise }
    }
    .lead = { $late ->
        [yes] 以下情况事后才得知，发生于 { $at }：{ $promise }。事项状态：{ $state }。重大事项在关闭前每有变化均向您报告。
       *[no] { $at }：{ $promise }。事项状态：{ $state }。重大事项在关闭前每有变化均向您报告。
    }
matter-outcome =
    .what = 处理结果：{ $state }
    .lead = 您首问受理的事项自 { $at } 起{ $state }。

promise-answer = 响应
promise-routing = 转派
promise-resolution = 解决
promise-progress = 进展告知
promise-callback = 回访
promise-visit = 走访
promise-patrol = 巡检
promise-review = 报告审核
promise-permit = 作业许可收回
promise-supervisor = 主管决定

matter-complaint = 投诉
matter-request = 诉求
matter-defect = 缺陷
matter-promise = 承诺
matter-visit = 走访
matter-patrol = 巡检

matter-state-open = 待受理
matter-state-answered = 处理中
matter-state-resolved = 已解决
matter-state-closed = 已关闭
matter-state-closed_unconfirmed = 未经客户确认关闭
matter-state-cancelled = 已取消

label-matter = 事项
label-class = 类别
label-opened = 提出时间
label-number = 编号

## 本文件尚不认识的类别或节点。

other-notice =
    .what = { $kind } { $mark }，时限 { $due_short }
    .lead = { $kind } { $mark }：时限 { $due }，{ $balance }。

## 升级：告警无人接手。

again =
    .what = 无人接手：{ $what }
    .lead = 告警发出 { $span } 仍无人接手。{ $lead }

## 自定义文字未区分是否迟到时，迟到的信息这样开头。

learnt-late =
    .what = 迟到信息：{ $text }
    .lead = 此情况得知较晚。{ $text }

## 免打扰时段结束后合并告知。

night =
    .what = 夜间情况，{ $promise }：{ $marks }
    .lead = 此消息在免打扰时段结束后发送。{ $promise }：{ $marks }。
night-warning = { $at } 已用 { $percent }%
night-missed = { $at } 超时
night-met_late = { $at } 超时完成
night-corrected = { $at } 更正
night-met = { $at } 完成
night-cancelled = 不再需要

owed-restoration = 抢通
owed-feedback = 反馈
owed-repair = 修复
owed-callback = 回访
owed-supervisor = 主管决定
owed-answer = 响应

for-duty = 您收到此消息，因为您当班。
for-owner = 您收到此消息，因为您是该事项的责任人。
for-supervisor = 您作为主管收到此消息。
for-desk = 本消息发给监控中心。
label-take = 由我处理

## 框架。

subject = 【{ $tier }】{ $customer } { $line }：{ $what }
balance = { $over ->
    [yes] 已超时 { $span }
   *[no] 剩余 { $span }
}
digest-subject = { $count } 条告警，涉及 { $faults } 个故障
digest-lead = 一分钟内发往本地址的消息超过 { $limit } 条，以下 { $count } 条告警合并发送。
storm-subject = { $cause }：{ $count } 条告警，涉及 { $faults } 个故障
storm-lead = { $cause }：以下 { $count } 条告警原因相同、同时发生，合并发送。
for-manager = 您作为客户经理（{ $name }）收到此消息。
# $name
for-first-receiver = 您收到本邮件，因为您是首问责任人（{ $name }）。
for-superior = 您收到本邮件，因为该等级事项须逐级上报。
for-nobody = 您作为客户经理收到此消息。

label-customer = 集团客户
label-line = 专线
label-site = 客户现场
label-upstream = 上联节点
# $node $lines
upstream-lines = { $node }，{ $lines } 条线路同时中断
label-tier = 服务等级
label-state = 状态
label-started = 故障开始
label-due = 时限
label-reported = 客户是否报障
label-fault = 故障编号
label-done = 处理经过
label-link = 查看故障
nothing-done = 尚无处理记录。
reported-yes = 已报障
reported-no = 未报障，由监控发现

## 时长。

span-days = { $d } 天 { $h } 小时
span-days-only = { $d } 天
span-hours = { $h } 小时 { $m } 分钟
span-hours-only = { $h } 小时
span-minutes = { $m } 分钟
span-seconds = { $s } 秒

## 故障状态。

state-suspected = 疑似
state-open = 待受理
state-acknowledged = 已受理
state-dispatched = 已派单
state-restored = 已抢通
state-repaired = 已修复
state-confirmed = 客户已确认
state-reopened = 已重开
state-closed = 已关闭
state-closed_unconfirmed = 未经客户确认关闭
state-withdrawn = 已撤销

## 处理经过。

done-down = 专线中断
done-up = 专线恢复应答
done-unknown = 专线状态未知
done-reported = 报障
done-suspected = 探针失联
done-cleared = 疑似解除
done-acknowledged = 受理
done-dispatched = 派单
done-arrived = 到达现场
done-restored = 抢通
done-repaired = 修复
done-feedback = 已向客户反馈
done-feedback_not_reached = 反馈未联系到客户
done-callback = 回访
done-callback_not_reached = 回访未联系到客户
done-callback_satisfied = 回访：客户满意
done-callback_unsatisfied = 回访：客户不满意
done-reopened = 重开
done-paused = 挂起
done-resumed = 恢复计时
done-exempted = 免责
done-degraded = 线路劣化
done-closed_unconfirmed = 主管关闭（客户未确认）
done-merged = 与另一故障合并
done-split = 拆出申告
done-opened = 受理登记
done-answered = 已受理
done-agreed = 客户同意等待
done-routed = 已转责任单位
done-told = 告知客户进展
done-postponed = 时限延期
done-reclassed = 调整等级
done-raised = 升级处理
done-assigned = 变更责任人
done-repeated = 客户重复投诉
done-noticed = 下达整改通知
done-resolved = 已解决
done-inspected = 复检
done-signed = 客户签字
done-planned = 已安排
done-made = 已完成
done-reviewed = 报告已审核
done-cancelled = 已取消
done-note = 备注

## 每日清单。$counts：各类件数。

# $day $counts
day-subject = 每日清单 { $day }：{ $counts }
# $as_of
day-lead = 截至 { $as_of }，由您负责且尚未办结的事项如下，请日清日审。
day-lead-whole = 截至 { $as_of }，全部未办结事项（按责任人）如下。
# $open $overdue $untouched $word_owed
day-counts = 未结 { $open } 件，超时 { $overdue } 件，一日未处理 { $untouched } 件，今日待告知客户 { $word_owed } 件
# $name $counts
day-owner = { $name }：{ $counts }
day-nobody = 无责任人
# $name
day-not-mailed = { $name }（未登记邮箱）
# $name $until
day-stand-in = { $name }（{ $until } 前不在岗，由您代理）
day-away = { $name }（{ $until } 前不在岗）
day-fault = 故障
# $kind $about $state $since
day-item = { $kind } { $about }，{ $state }，起于 { $since }
# $count
day-overdue = { $count } 项时限已超
# $due
day-due = 下一时限 { $due }
day-untouched = 一日未处理
day-word-owed = 今日须告知客户进展
day-between = ；
# $month $due
notice-plans_missing = 有重点客户尚无已批准的 { $month } 年度一户一策方案，应于 { $due } 前完成（见 GET /api/v1/customers/without-plan）。
notice-rota_missing = { $month } 的值班表尚未批准，应于 { $due } 前完成。
notice-summary_due = { $month } 的月度小结（质量分析会材料）尚未批准，应于 { $due } 前完成。
notice-agent_silent = 探针 { $month } 自 { $due } 起失联，其所属专线无人监测。
# $month $due：探针名称，恢复时间
notice-agent_back = 探针 { $month } 已于 { $due } 恢复联系，其所属专线恢复监测。
# $count
day-left-out = 另有 { $count } 件见清单。
day-link = 打开看板：
