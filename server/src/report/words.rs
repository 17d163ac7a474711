//! What reports call things, in both languages.

use linewatch_shared::rules::Label;

use crate::app::report::figure::{Figure, Section};
use crate::app::report::group::Group;
use crate::app::report::period::PeriodKind;
use crate::app::report::ratio::Ratio;

/// The language of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// Reads `zh` or `en`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "zh" => Some(Self::Zh),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// `zh` or `en`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// The one of a pair that is in this language.
    #[must_use]
    pub const fn pick(self, words: Words) -> &'static str {
        match self {
            Self::Zh => words.0,
            Self::En => words.1,
        }
    }

    /// The same for a label of a pack.
    #[must_use]
    pub fn label(self, label: &Label) -> &str {
        match self {
            Self::Zh => &label.zh,
            Self::En => &label.en,
        }
    }
}

/// A text in Chinese and in English.
pub type Words = (&'static str, &'static str);

/// The report's title, before the period.
#[must_use]
pub const fn title(kind: PeriodKind) -> Words {
    match kind {
        PeriodKind::Month => ("专线服务质量月报", "Monthly service quality report"),
        PeriodKind::Quarter => ("专线服务质量季报", "Quarterly service quality report"),
        PeriodKind::Year => ("专线服务质量年报", "Yearly service quality report"),
    }
}

/// A figure's name.
#[must_use]
pub const fn figure(figure: Figure) -> Words {
    match figure {
        Figure::Faults => ("故障数", "Faults"),
        Figure::Open => ("期末未恢复", "Not restored at the end"),
        Figure::Restored => ("恢复故障数", "Faults restored"),
        Figure::RestorationKept => ("及时恢复（净时长）", "Restored in time (net)"),
        Figure::RestorationKeptGross => ("及时恢复（毛时长）", "Restored in time (gross)"),
        Figure::RestorationMissed => ("恢复超时", "Restorations missed"),
        Figure::RestorationNetMs => ("恢复净时长", "Time to restore, net"),
        Figure::RestorationGrossMs => ("恢复毛时长", "Time to restore, gross"),
        Figure::Answered => ("已首次响应", "Taken up"),
        Figure::AnswerMs => ("首次响应时长", "Time to first answer"),
        Figure::AnswerKept => ("首次响应及时", "First answers in time"),
        Figure::AnswerMissed => ("首次响应超时", "First answers missed"),
        Figure::FeedbackKept => ("反馈及时", "Feedback kept"),
        Figure::FeedbackMissed => ("反馈超时", "Feedback missed"),
        Figure::RepairKept => ("修复及时", "Repairs in time"),
        Figure::RepairMissed => ("修复超时", "Repairs missed"),
        Figure::CallbackDone => ("回访完成", "Callbacks done"),
        Figure::CallbackSatisfied => ("回访满意", "Callbacks satisfied"),
        Figure::CallbackUnsatisfied => ("回访不满意", "Callbacks not satisfied"),
        Figure::CallbackKept => ("回访及时", "Callbacks in time"),
        Figure::CallbackMissed => ("回访超时", "Callbacks missed"),
        Figure::Missed => ("超时合计", "Promises missed"),
        Figure::Exempted => ("豁免故障", "Exempt faults"),
        Figure::ExemptedMissed => ("豁免的超时", "Exempt misses"),
        Figure::InterruptionMs => ("中断时长", "Interruption"),
        Figure::ExemptMs => ("豁免的中断时长", "Exempt interruption"),
        Figure::Lines => ("涉及专线", "Lines concerned"),
        Figure::RepeatNear => ("重复故障临限专线", "Lines one fault short of the limit"),
        Figure::RepeatReached => ("重复故障达限专线", "Lines at or over the fault limit"),
        Figure::InterruptionOver => ("中断超限专线", "Lines over the interruption limit"),
        Figure::ServiceMs => ("在服务时长", "Time in service"),
        Figure::AvailableMs => ("可用时长", "Time available"),
        Figure::AvailabilityKept => ("可用率达标", "Availability kept"),
        Figure::AvailabilityMissed => ("可用率未达标", "Availability missed"),
        Figure::Matters => ("受理事项", "Matters opened"),
        Figure::Complaints => ("投诉", "Complaints"),
        Figure::Requests => ("诉求", "Requests"),
        Figure::Defects => ("缺陷", "Defects"),
        Figure::MatterAnswerKept => ("答复及时", "Answered in time"),
        Figure::MatterAnswerMissed => ("答复超时", "Answers missed"),
        Figure::ResolutionKept => ("办结及时", "Resolved in time"),
        Figure::ResolutionMissed => ("办结超时", "Resolutions missed"),
        Figure::RequestKept => ("投诉诉求办结及时", "Complaints and requests resolved in time"),
        Figure::RequestMissed => ("投诉诉求办结超时", "Complaints and requests not resolved in time"),
        Figure::DefectKept => ("缺陷消除及时", "Defects mended in time"),
        Figure::DefectMissed => ("缺陷消除超时", "Defects not mended in time"),
        Figure::ProgressKept => ("进展告知及时", "Progress told"),
        Figure::ProgressMissed => ("进展告知超时", "Progress not told"),
        Figure::MatterCallbackKept => ("事项回访及时", "Matters called back in time"),
        Figure::MatterCallbackMissed => ("事项回访超时", "Matters' callbacks missed"),
        Figure::VisitsDone => ("走访完成", "Visits made"),
        Figure::VisitKept => ("走访及时", "Visits in time"),
        Figure::VisitMissed => ("走访超时", "Visits missed"),
        Figure::PatrolsDone => ("巡检完成", "Patrols made"),
        Figure::PatrolKept => ("巡检及时", "Patrols in time"),
        Figure::PatrolMissed => ("巡检超时", "Patrols missed"),
        Figure::MattersMissed => ("事项超时合计", "Promises on matters missed"),
        Figure::MattersExempted => ("豁免事项", "Exempt matters"),
        Figure::SamplesDrawn => ("抽检数", "Samples drawn"),
        Figure::SamplesChecked => ("已检查", "Samples checked"),
        Figure::SamplesGood => ("检查合格", "Samples found good"),
        Figure::SamplePoints => ("检查得分合计", "Points of the checks"),
        Figure::CallDays => ("话务导入天数", "Days imported"),
        Figure::CallDaysWanting => ("话务缺失天数", "Days not imported"),
        Figure::CallsOffered => ("热线呼入", "Calls that came in"),
        Figure::CallsAnswered => ("热线接通", "Calls answered"),
        Figure::CallsWithin20s => ("20 秒内接通", "Answered within 20 s"),
    }
}

/// A ratio's name.
#[must_use]
pub fn ratio(ratio: &Ratio) -> Words {
    match ratio.name {
        "restoration_rate" => ("恢复及时率", "Restored in time, share"),
        "feedback_rate" => ("反馈及时率", "Feedback kept, share"),
        "repair_rate" => ("修复及时率", "Repairs in time, share"),
        "satisfied_rate" => ("回访满意率", "Callbacks satisfied, share"),
        "answer_mean_ms" => ("平均首次响应时长", "Time to first answer, mean"),
        "restoration_mean_ms" => ("平均恢复净时长", "Time to restore (net), mean"),
        "matter_answer_rate" => ("答复及时率", "Answered in time, share"),
        "resolution_rate" => ("办结及时率", "Resolved in time, share"),
        "visit_rate" => ("走访及时率", "Visits in time, share"),
        "patrol_rate" => ("巡检及时率", "Patrols in time, share"),
        "availability_ppm" => ("可用率", "Availability"),
        "samples_good_rate" => ("检查合格率", "Samples found good, share"),
        "sample_points_mean" => ("检查平均得分", "Points of a check, mean"),
        "calls_answered_rate" => ("热线接通率", "Calls answered, share"),
        "calls_within_20s_rate" => ("20 秒内接通率", "Answered within 20 s, share"),
        other => (other, other),
    }
}

/// A section's heading.
#[must_use]
pub const fn section(section: Section) -> Words {
    match section {
        Section::Faults => ("故障与时限", "Faults and deadlines"),
        Section::Lines => ("专线年度指标", "Lines against the year's limits"),
        Section::Matters => ("投诉诉求、走访与巡检", "Complaints, visits and patrols"),
        Section::Quality => ("质量抽检", "Quality samples"),
        Section::Calls => ("服务热线", "The hotline"),
    }
}

/// A grouping's heading.
#[must_use]
pub const fn group(group: Group) -> Words {
    match group {
        Group::Tier => ("按服务等级", "By tier"),
        Group::Customer => ("按集团客户", "By customer"),
        Group::Manager => ("按客户经理", "By account manager"),
        Group::Technician => ("按维护员", "By technician"),
        Group::Contractor => ("按代维单位", "By contractor"),
        Group::Region => ("按区域", "By region"),
        Group::Cause => ("按原因", "By cause"),
        Group::Class => ("按事项类别", "By class"),
        Group::Line => ("按专线", "By line"),
    }
}

/// What one group of a grouping is.
#[must_use]
pub const fn one(group: Group) -> Words {
    match group {
        Group::Tier => ("服务等级", "Tier"),
        Group::Customer => ("客户", "Customer"),
        Group::Manager => ("客户经理", "Account manager"),
        Group::Technician => ("维护员", "Technician"),
        Group::Contractor => ("代维单位", "Contractor"),
        Group::Region => ("区域", "Region"),
        Group::Cause => ("原因", "Cause"),
        Group::Class => ("类别", "Class"),
        Group::Line => ("专线", "Line"),
    }
}

/// The heading of everything.
pub const SUMMARY: Words = ("总览", "Summary");
/// The row of everything.
pub const TOTAL: Words = ("合计", "Total");
/// A group without a name.
pub const NONE: Words = ("（无）", "(none)");
/// A key for programs.
pub const KEY: Words = ("编码", "Code");
/// A name for people.
pub const NAME: Words = ("名称", "Name");
/// A figure.
pub const FIGURE: Words = ("指标", "Figure");
/// Its value.
pub const VALUE: Words = ("数值", "Value");
/// A line's faults of the year.
pub const YEAR_FAULTS: Words = ("本年故障数", "Faults this year");
/// Their limit.
pub const YEAR_FAULTS_LIMIT: Words = ("故障数须少于", "Faults stay below");
/// A line's interruption of the year.
pub const YEAR_INTERRUPTION: Words = ("本年中断时长", "Interruption this year");
/// Its limit.
pub const YEAR_INTERRUPTION_LIMIT: Words = ("年中断上限", "Interruption at most");
/// A line's availability over the span that is promised.
pub const AVAILABILITY: Words = ("可用率", "Availability");
/// What is promised.
pub const AVAILABILITY_PROMISED: Words = ("承诺可用率", "Availability promised");
/// What interruption the span may still hold.
pub const INTERRUPTION_LEFT: Words = ("剩余可中断时长", "Interruption left");
/// What later facts changed.
pub const CHANGES: Words = ("数据变更", "What later facts changed");
/// Nothing did.
pub const NO_CHANGES: Words =
    ("首次生成后没有变更。", "Nothing has changed since the figures were first made.");
/// The value before.
pub const BEFORE: Words = ("原值", "Before");
/// The value after.
pub const AFTER: Words = ("现值", "After");
/// When the fact was learnt.
pub const LEARNT_AT: Words = ("获知时间", "Learnt at");
/// When the version was made.
pub const MADE_AT: Words = ("统计时间", "Counted at");
/// What changed.
pub const WHERE: Words = ("范围", "Where");
/// The period.
pub const PERIOD: Words = ("统计周期", "Period");
/// Still running.
pub const RUNNING: Words = ("周期尚未结束，数据截至", "The period is not over; as of");
/// The fingerprint of the figures.
pub const FINGERPRINT: Words = ("数据指纹", "Fingerprint of the figures");
/// No day of the hotline was imported.
pub const CALLS_NOT_IMPORTED: Words =
    ("本期未导入话务数据。", "No export of the telephone system was imported for this period.");
/// A figure of the hotline that is not known.
pub const NOT_IMPORTED: Words = ("未导入", "not imported");
/// No sample was drawn.
pub const NO_SAMPLES: Words = (
    "本期尚无抽检（月份结束后抽取）。",
    "No sample was drawn: nothing was closed, or the month is not over.",
);
/// A figure of samples that is not known.
pub const NOT_DRAWN: Words = ("未抽检", "not drawn");
/// What was drawn was not checked yet.
pub const UNCHECKED: Words = ("未检查", "not checked yet");
/// Lines that need attention.
pub const LINES_TO_WATCH: Words = ("需关注专线", "Lines to watch");
/// None of them.
pub const NO_LINES_TO_WATCH: Words = ("没有临限、达限或超限的专线。", "No line is near, at or over a limit.");
/// What does not fit is elsewhere.
pub const MORE: Words = ("行未列出，见 XLSX 或 CSV", "more rows: see the XLSX or CSV file");
