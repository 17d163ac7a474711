//! What the papers call things, in both languages.

use crate::report::words::Words;

/// The title, before the month.
pub(super) const TITLE: Words = ("服务质量分析会材料", "Papers for the service-quality meeting");
/// The list of what is in it.
pub(super) const AGENDA: Words = ("议程", "Agenda");
/// As of when.
pub(super) const AS_OF: Words = ("数据截至", "As of");
/// A month that runs.
pub(super) const RUNNING: Words = ("本月尚未结束", "the month is not over");
/// Which copy.
pub(super) const COPY: Words = ("存档第", "Kept copy");
/// Who made it.
pub(super) const MADE_BY: Words = ("生成人", "made by");
/// Who approved it.
pub(super) const APPROVED_BY: Words = ("批准人", "approved by");
/// Nobody has.
pub(super) const UNAPPROVED: Words = ("未批准", "not approved");
/// What does not fit.
pub(super) const AND_MORE: Words = ("条未列出", "more");
/// An empty list.
pub(super) const NOTHING: Words = ("无。", "None.");

pub(super) const SINCE: Words = ("存档后的变更", "Changed since this copy");
pub(super) const FIGURES: Words = ("本月指标", "The month's figures");
pub(super) const CUSTOMERS_MISSED: Words = ("超时最多的客户", "Customers: most missed");
pub(super) const CUSTOMERS_TIME: Words = ("中断最长的客户", "Customers: most interruption");
pub(super) const LINES_MISSED: Words = ("超时最多的专线", "Lines: most missed");
pub(super) const LINES_TIME: Words = ("中断最长的专线", "Lines: most interruption");
pub(super) const WATCHED: Words = ("临限、达限或超限的专线", "Lines near or over a limit");
pub(super) const MISSED: Words = ("超时明细与原因", "Missed promises");
pub(super) const EXEMPTIONS: Words = ("豁免", "Exemptions");
pub(super) const COMPLAINTS: Words = ("投诉", "Complaints");
pub(super) const GRAVE: Words = ("未结重大事项", "Grave matters still open");
pub(super) const SAMPLES: Words = ("质量抽检", "Quality samples");
pub(super) const CONTRACTORS: Words = ("代维单位", "Contractors");
pub(super) const RISKS: Words = ("风险客户", "Customers at risk");
pub(super) const LATE: Words = ("前期数据变更", "Earlier months changed");
pub(super) const DECISIONS: Words = ("待决事项", "Decisions owed");

pub(super) const THIS_MONTH: Words = ("本月", "This month");
pub(super) const MONTH_BEFORE: Words = ("上月", "Month before");
pub(super) const YEAR_BEFORE: Words = ("去年同月", "Same month last year");
pub(super) const CHANGE: Words = ("环比", "Change");
pub(super) const YEAR_CHANGE: Words = ("同比", "Change on the year");
pub(super) const THEN: Words = ("存档值", "In this copy");
pub(super) const NOW: Words = ("现值", "Now");
pub(super) const FAULTS: Words = ("故障数", "Faults");
pub(super) const MISSED_COUNT: Words = ("超时", "Missed");
pub(super) const INTERRUPTION: Words = ("中断时长", "Interruption");
pub(super) const LIMIT: Words = ("须少于", "Stay below");
pub(super) const AT_MOST: Words = ("上限", "At most");
pub(super) const PROMISE: Words = ("时限", "Promise");
pub(super) const ABOUT: Words = ("事项", "About");
pub(super) const DUE: Words = ("应于", "Due");
pub(super) const KEPT_AT: Words = ("实际完成", "Kept at last");
pub(super) const TIMES: Words = ("次数", "Times");
pub(super) const CAUSE: Words = ("原因", "Cause");
pub(super) const DONE: Words = ("处理情况", "What was done");
pub(super) const SINCE_WHEN: Words = ("起于", "Since");
pub(super) const GRANTOR: Words = ("批准人", "Granted by");
pub(super) const OF_WHEN: Words = ("豁免时间", "Of");
pub(super) const CLASS: Words = ("类别", "Class");
pub(super) const OPENED: Words = ("受理", "Opened");
pub(super) const ANSWERS_MISSED: Words = ("答复超时", "Answers missed");
pub(super) const RESOLVED: Words = ("及时办结", "Resolved in time");
pub(super) const RESOLVE_MISSED: Words = ("办结超时", "Not in time");
pub(super) const RATE: Words = ("每百家客户投诉数", "For each 100 customers");
pub(super) const TITLE_OF: Words = ("标题", "What about");
pub(super) const OWNER: Words = ("责任人", "Owner");
pub(super) const NEXT_DUE: Words = ("下一时限", "Next due");
pub(super) const POINTS: Words = ("得分", "Points");
pub(super) const FOUND: Words = ("结论", "Found");
pub(super) const GOOD: Words = ("合格", "good");
pub(super) const WANTING: Words = ("不合格", "wanting");
pub(super) const UNCHECKED: Words = ("未检查", "not checked");
pub(super) const CHECKER: Words = ("检查人", "Checked by");
pub(super) const REMARKS: Words = ("检查意见", "Remarks");
pub(super) const REACHED: Words = ("本月考核得分率", "Assessment reached");
pub(super) const LOST: Words = ("失分项", "Points lost for");
pub(super) const REASONS: Words = ("原因", "Reasons");
pub(super) const VISIT_BY: Words = ("建议走访不晚于", "Visit proposed by");
pub(super) const MONTH: Words = ("月份", "Month");
pub(super) const DECISION: Words = ("决定", "Decision");
pub(super) const COUNT: Words = ("数量", "How many");

/// A promise's kind.
pub(super) fn promise(kind: &str) -> Words {
    match kind {
        "restoration" => ("恢复", "Restoration"),
        "feedback" => ("反馈", "Feedback"),
        "repair" => ("修复", "Repair"),
        "callback" => ("回访", "Callback"),
        "answer" => ("响应", "Answer"),
        "routing" => ("转派", "Routing"),
        "resolution" => ("办结", "Resolution"),
        "progress" => ("进展告知", "Word to the customer"),
        "visit" => ("走访", "Visit"),
        "patrol" => ("巡检", "Patrol"),
        "review" => ("报告审阅", "Review"),
        "supervisor" => ("主管决定", "Supervisor's decision"),
        "permit" => ("工作票归还", "Permit returned"),
        _ => ("其他", "Other"),
    }
}

/// What something is.
pub(super) fn of(kind: &str) -> Words {
    match kind {
        "fault" => ("故障", "Fault"),
        "complaint" => ("投诉", "Complaint"),
        "request" => ("诉求", "Request"),
        "defect" => ("缺陷", "Defect"),
        "promise" => ("承诺", "Promise"),
        "visit" => ("走访", "Visit"),
        "patrol" => ("巡检", "Patrol"),
        _ => ("", ""),
    }
}

/// A reason why a customer is at risk.
pub(super) fn reason(kind: &str) -> Words {
    match kind {
        "missed_promises" => ("超时", "missed promises"),
        "interrupted_lines" => ("中断超限的专线", "lines over their interruption"),
        "repeat_faults" => ("重复故障", "repeat faults"),
        "unsatisfied_callbacks" => ("回访不满意", "unsatisfied callbacks"),
        "complaints" => ("投诉", "complaints"),
        "survey_unanswered" => ("满意度调查未答复", "survey unanswered"),
        "entered" => ("人工登记", "entered by hand"),
        _ => ("其他", "other"),
    }
}

/// A decision that is owed.
pub(super) fn decision(kind: &str) -> Words {
    match kind {
        "supervisor" => ("主管决定（客户无法联系）", "Supervisor's decision: the customer cannot be reached"),
        "review" => ("审阅走访或巡检报告", "Review of a report"),
        "rota_missing" => ("批准值班表", "Approval of the duty rota"),
        "samples_unchecked" => ("完成质量抽检", "Samples to be checked"),
        _ => ("其他", "Other"),
    }
}
