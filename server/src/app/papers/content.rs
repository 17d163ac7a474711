//! What the meeting's papers say. Kept copies are this as JSON, with every field that people wrote left empty: it is read
//! where it stands when a copy is read, so that an erasure reaches it.

use linewatch_shared::rules::Label;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The first of a list, and how many more there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Listed<T> {
    /// The first ones.
    pub items: Vec<T>,
    /// How many more there are.
    pub more: usize,
}

impl<T> Listed<T> {
    /// The first of a list.
    #[must_use]
    pub fn first(mut items: Vec<T>, max: usize) -> Self {
        let more = items.len().saturating_sub(max);
        items.truncate(max);
        Self { items, more }
    }

    /// How many there are in all.
    #[must_use]
    pub fn count(&self) -> usize {
        self.items.len() + self.more
    }
}

/// A figure, a share or a mean of the report, against earlier months.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PaperFigure {
    /// Its name in reports; values are as there.
    pub name: String,
    /// The month's; null where it is not known.
    pub value: Option<i64>,
    /// That of the month before; null where it is not known, or the desk had not begun.
    pub month_before: Option<i64>,
    /// That of the same month of the year before.
    pub year_before: Option<i64>,
}

/// A customer or a line among the worst.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Worst {
    /// The customer's or the line's code.
    pub code: String,
    /// Of a line: its customer's code.
    pub customer: String,
    /// The customer's name.
    pub name: String,
    /// Faults.
    pub faults: i64,
    /// Missed promises of every kind.
    pub missed: i64,
    /// Time without service (ms).
    pub interruption_ms: i64,
}

/// A line near, at or over a limit of its year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WatchedLine {
    /// The line's code.
    pub line: String,
    /// The customer's code.
    pub customer: String,
    /// `pack/tier`.
    pub tier: String,
    /// Faults of the year.
    pub faults: u32,
    /// They stay below.
    pub faults_limit: Option<u32>,
    /// Time without service in the year (ms).
    pub interruption_ms: i64,
    /// At most (ms).
    pub interruption_limit_ms: Option<i64>,
}

/// A promise that was missed; of feedback and words on a matter, all of one fault or matter together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MissedPromise {
    /// `restoration`, `feedback`, …
    pub kind: String,
    /// The fault's or the matter's id.
    pub subject: Uuid,
    /// `fault`, `complaint`, `visit`, …
    pub of: String,
    /// The customer's code.
    pub customer: String,
    /// The line's code; may be empty.
    pub line: String,
    /// By when, RFC 3339; the first of several.
    pub due_at: Option<String>,
    /// When it was kept after all.
    pub met_at: Option<String>,
    /// How many were missed.
    pub count: i64,
    /// Causes of pauses, in the pack's words.
    #[schema(value_type = Vec<Object>)]
    pub causes: Vec<Label>,
    /// What was done, in the words of who did it; empty where nobody said.
    #[serde(default)]
    pub done: String,
}

/// An exemption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Granted {
    /// The fault's or the matter's id.
    pub subject: Uuid,
    /// `fault`, `complaint`, …
    pub of: String,
    /// The customer's code.
    pub customer: String,
    /// The line's code; may be empty.
    pub line: String,
    /// Since when it is known, RFC 3339.
    pub started_at: String,
    /// The cause.
    #[schema(value_type = Object)]
    pub cause: Label,
    /// Who granted it.
    pub grantor: String,
    /// Of when it is, RFC 3339.
    pub at: String,
}

/// The complaints of a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ComplaintClass {
    /// `pack/class`.
    pub class: String,
    /// Its name.
    #[schema(value_type = Object)]
    pub label: Label,
    /// Opened in the month.
    pub opened: i64,
    /// Opened in the month before.
    pub month_before: Option<i64>,
    /// Answers that were missed.
    pub answers_missed: i64,
    /// Resolved in time.
    pub resolved: i64,
    /// Not resolved in time.
    pub resolutions_missed: i64,
}

/// Complaints by class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Complaints {
    /// By class.
    pub classes: Vec<ComplaintClass>,
    /// Customers that the desk has.
    pub customers: i64,
    /// Complaints for each hundred customers, in hundredths; null without customers.
    pub per_100_customers_centi: Option<i64>,
}

/// A grave matter that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OpenMatter {
    /// Its id.
    pub matter: Uuid,
    /// `pack/class`.
    pub class: String,
    /// The class' name.
    #[schema(value_type = Object)]
    pub label: Label,
    /// The customer's code.
    pub customer: String,
    /// What it is about.
    #[serde(default)]
    pub title: String,
    /// Who answers for it.
    pub owner: String,
    /// Since when, RFC 3339.
    pub opened_at: String,
    /// What is due next, RFC 3339.
    pub due_at: Option<String>,
    /// Promises that were missed.
    pub missed: i64,
}

/// Something drawn for checking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Checked {
    /// The fault's or the matter's id.
    pub subject: Uuid,
    /// `fault`, `complaint`, …
    pub of: String,
    /// The customer's code.
    pub customer: String,
    /// Who answers for it.
    pub owner: String,
    /// 0 to 100; null while it was not checked.
    pub points: Option<i64>,
    /// Whether they are enough.
    pub good: Option<bool>,
    /// Who checked.
    pub checked_by: Option<String>,
    /// What the checker remarks.
    #[serde(default)]
    pub remarks: String,
}

/// How a contractor's work of the month stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ContractorStanding {
    /// The contractor's code.
    pub contractor: String,
    /// Its name.
    pub name: String,
    /// Faults of lines that it maintained.
    pub faults: i64,
    /// Promises on them that were missed.
    pub missed: i64,
    /// The part of all points of its assessment that the month reaches, in millionths; null where nothing was owed, or its
    /// pack has none.
    pub reached_ppm: Option<u32>,
    /// Figures of the assessment that lost points, in the pack's words.
    #[schema(value_type = Vec<Object>)]
    pub lost: Vec<Label>,
}

/// A customer at risk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RiskyCustomer {
    /// The customer's code.
    pub customer: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its account manager.
    pub manager: String,
    /// Why: kinds of reasons, with how many.
    pub reasons: Vec<(String, i64)>,
    /// By when the visit that is owed is proposed, RFC 3339.
    pub visit_proposed_by: Option<String>,
}

/// A figure of an earlier month that facts learnt since the month began have changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LateChange {
    /// The month whose figure it is.
    pub month: String,
    /// The figure.
    pub figure: String,
    /// As it was made before.
    pub before: i64,
    /// As it was made then.
    pub after: i64,
    /// When the last of the facts was learnt, RFC 3339.
    pub learnt_at: Option<String>,
}

/// A decision that somebody owes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OwedDecision {
    /// `supervisor`, `review`, `rota_missing`, `samples_unchecked`.
    pub kind: String,
    /// The fault's or the matter's id.
    pub subject: Option<Uuid>,
    /// `fault`, `complaint`, …; else the month.
    pub of: String,
    /// The customer's code.
    pub customer: String,
    /// By when, RFC 3339.
    pub due_at: Option<String>,
    /// How many.
    pub count: usize,
}

/// The papers of a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Papers {
    /// The month, such as `2026-10`.
    pub month: String,
    /// The desk's time zone.
    pub time_zone: String,
    /// Whether the month is over.
    pub complete: bool,
    /// The fingerprint of the month's report.
    pub report_sha256: String,
    /// The month's figures.
    pub figures: Vec<PaperFigure>,
    /// Customers with the most missed promises.
    pub customers_by_missed: Listed<Worst>,
    /// Customers with the longest interruption.
    pub customers_by_interruption: Listed<Worst>,
    /// Lines with the most missed promises.
    pub lines_by_missed: Listed<Worst>,
    /// Lines with the longest interruption.
    pub lines_by_interruption: Listed<Worst>,
    /// Lines near, at or over a limit of the year.
    pub lines_to_watch: Listed<WatchedLine>,
    /// Every missed promise.
    pub missed: Listed<MissedPromise>,
    /// How many promises those are.
    pub missed_count: i64,
    /// Exemptions of what began in the month.
    pub exemptions: Listed<Granted>,
    /// Complaints by class.
    pub complaints: Complaints,
    /// Grave matters that are open.
    pub grave: Listed<OpenMatter>,
    /// The quality sample.
    pub samples: Listed<Checked>,
    /// Contractors.
    pub contractors: Listed<ContractorStanding>,
    /// Customers at risk.
    pub risks: Listed<RiskyCustomer>,
    /// What late facts changed of earlier months.
    pub late: Listed<LateChange>,
    /// Decisions that are owed.
    pub decisions: Listed<OwedDecision>,
}

/// A copy of the papers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CopyView {
    /// Its number in the month.
    pub number: i64,
    /// When it was made, RFC 3339.
    pub made_at: String,
    /// By whom.
    pub made_by: String,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// When.
    pub approved_at: Option<String>,
}

/// A figure that is another one than in the copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ChangedFigure {
    /// Its name.
    pub name: String,
    /// As the copy has it.
    pub then: Option<i64>,
    /// As it is now.
    pub now: Option<i64>,
}

/// The papers, and which copy they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PapersView {
    /// What they say.
    #[serde(flatten)]
    pub papers: Papers,
    /// As of when they were made, RFC 3339.
    pub as_of: String,
    /// The kept copy that this is; null while the month runs.
    pub copy: Option<CopyView>,
    /// The kept copies of the month, the newest first.
    pub copies: Vec<CopyView>,
    /// What of the month's figures has changed since this copy was made.
    pub changed_since: Vec<ChangedFigure>,
}
