//! What a visit report says, as it is shown.

use linewatch_shared::facts::Visit;
use linewatch_shared::matter::Point;
use linewatch_shared::rules::AnswerValue;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{FormOrName, ReportForm};

/// An answer to a field of the form.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct AnswerView {
    /// The field's name.
    pub field: String,
    /// A text, a number, or yes and no as true and false.
    #[schema(value_type = Object)]
    pub value: Value,
    /// Whether it deserves a look: a number out of its range, or a no.
    pub amiss: bool,
}

/// Something that was promised for a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PromisedView {
    /// What.
    pub title: String,
    /// By when, RFC 3339.
    pub until: String,
}

/// What a report says.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct VisitSaid {
    /// The customer's code.
    pub customer: String,
    /// The site's name; empty for none.
    pub site: String,
    /// The line that it was about.
    pub line: Option<String>,
    /// The fault that it was made for.
    pub fault: Option<Uuid>,
    /// The round that it says it fulfils.
    pub round: Option<Uuid>,
    /// `a`, `b` or `c`.
    pub class: Option<String>,
    /// How; face to face where it is absent.
    pub mode: Option<String>,
    /// Who was met.
    pub met: String,
    /// What for.
    pub purpose: String,
    /// What was found.
    pub findings: String,
    /// What the customer asked for.
    pub needs: String,
    /// What was promised, in words.
    pub promises: String,
    /// What was promised for a day.
    pub promised: Vec<PromisedView>,
    /// The checklist's points as found.
    #[schema(value_type = Vec<Object>)]
    pub points: Vec<Point>,
    /// What was answered to the form's fields.
    pub answers: Vec<AnswerView>,
    /// Whether the customer said that it is well.
    pub satisfied: Option<bool>,
    /// Whether the site was left clean.
    pub left_clean: Option<bool>,
    /// Who of the customer's signed.
    pub signed_by: Option<String>,
    /// The reference under which it is filed.
    pub report: Option<String>,
}

pub(super) fn said(visit: Visit, form: Option<&ReportForm>) -> VisitSaid {
    let field = |name: &str| match form.map(|form| &form.form) {
        Some(FormOrName::Form(form)) => form.field(name),
        _ => None,
    };
    let answers = visit.answers.iter().map(|answer| AnswerView {
        amiss: field(&answer.field).is_some_and(|field| field.is_amiss(&answer.value)),
        field: answer.field.clone(),
        value: match &answer.value {
            AnswerValue::Text(text) => json!(text),
            AnswerValue::Number(reading) => json!(reading.number()),
            AnswerValue::Flag(flag) => json!(flag),
        },
    });
    let answers = answers.collect();
    let promised = visit.promised.into_iter();
    VisitSaid {
        customer: visit.customer,
        site: visit.site,
        line: visit.line,
        fault: visit.fault,
        round: visit.round,
        class: visit.class,
        mode: visit.mode,
        met: visit.met,
        purpose: visit.purpose,
        findings: visit.findings,
        needs: visit.needs,
        promises: visit.promises,
        promised: promised
            .map(|promised| PromisedView { title: promised.title, until: promised.until.to_rfc3339() })
            .collect(),
        points: visit.points,
        answers,
        satisfied: visit.satisfied,
        left_clean: visit.left_clean,
        signed_by: visit.signed_by,
        report: visit.report,
    }
}
