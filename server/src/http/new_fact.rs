//! The body of a step: which fields each kind takes, and what they may be.

use linewatch_shared::facts::{Callback, Reopening, StepKind};
use linewatch_shared::time::UnixMs;
use serde::Deserialize;
use uuid::Uuid;

use super::error::ApiError;
use super::faults::{short, time};

/// The most facts that one split names.
const REPORTS_MAX: usize = 100;

/// A step of a fault. Each kind takes its own fields, and no others.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFact {
    /// `acknowledged`, `dispatched`, `arrived`, `restored`, `repaired`, `feedback`, `callback`, `reopened`, `paused`,
    /// `resumed`, `exempted`, `closed_unconfirmed`, `merged`, `split` or `note`.
    kind: String,
    /// When it was done, RFC 3339; now where it is left out.
    occurred_at: Option<String>,
    /// A word beside it.
    note: Option<String>,
    /// `feedback`, `callback`: whether the customer was reached.
    reached: Option<bool>,
    /// `callback`: `satisfied` or `unsatisfied`.
    result: Option<String>,
    /// `callback`, unsatisfied: `up` or `down`, where the customer said so.
    service: Option<String>,
    /// `reopened`, `paused`, `closed_unconfirmed`: in words.
    reason: Option<String>,
    /// `reopened`: `never_came_back` or `failed_again` (the default).
    case: Option<String>,
    /// `paused`, `exempted`: a cause that the pack lists.
    cause: Option<String>,
    /// `paused`: when it ends by itself, RFC 3339.
    until: Option<String>,
    /// `paused`: what shows it.
    evidence: Option<String>,
    /// `paused`, `exempted`: who granted it; the caller where it is left out.
    grantor: Option<String>,
    /// `merged`: the other fault's id, or an alias of it.
    into: Option<String>,
    /// `split`: the ids of the reports, or of the evidence, that are taken out.
    reports: Option<Vec<String>>,
    /// `note`: the word.
    text: Option<String>,
}

/// A step that was read.
#[derive(Clone, Debug)]
pub struct ReadFact {
    /// What was done.
    pub kind: StepKind,
    /// When, where it was said.
    pub occurred_at: Option<UnixMs>,
    /// A word beside it.
    pub note: Option<String>,
}

impl NewFact {
    /// Reads the step, strictly.
    ///
    /// # Errors
    /// 422, naming the field.
    pub fn read(mut self, caller: &str) -> Result<ReadFact, ApiError> {
        let occurred_at = time("occurred_at", self.occurred_at.take().as_deref())?;
        let note =
            self.note.take().map(|note| short("note", note)).transpose()?.filter(|note| !note.is_empty());
        let kind = self.kind(caller)?;
        self.nothing_left()?;
        Ok(ReadFact { kind, occurred_at, note })
    }

    fn kind(&mut self, caller: &str) -> Result<StepKind, ApiError> {
        Ok(match self.kind.as_str() {
            "acknowledged" => StepKind::Acknowledged,
            "dispatched" => StepKind::Dispatched,
            "arrived" => StepKind::Arrived,
            "restored" => StepKind::Restored,
            "repaired" => StepKind::Repaired,
            "feedback" => StepKind::Feedback { reached: self.reached()? },
            "callback" => StepKind::Callback(self.callback()?),
            "reopened" => self.reopened()?,
            "paused" => StepKind::Paused {
                cause: required("cause", self.cause.take())?,
                reason: required("reason", self.reason.take())?,
                until: time("until", Some(&required("until", self.until.take())?))?.unwrap_or_default(),
                evidence: required("evidence", self.evidence.take())?,
                grantor: self.grantor(caller)?,
            },
            "resumed" => StepKind::Resumed,
            "exempted" => StepKind::Exempted {
                cause: required("cause", self.cause.take())?,
                grantor: self.grantor(caller)?,
            },
            "closed_unconfirmed" => StepKind::ClosedUnconfirmed {
                reason: required("reason", self.reason.take())?,
                by: caller.to_owned(),
            },
            "merged" => StepKind::Merged { into: id("into", &required("into", self.into.take())?)? },
            "split" => StepKind::Split { reports: self.reports()? },
            "note" => StepKind::Note { text: required("text", self.text.take())? },
            other => {
                let kinds = "acknowledged, dispatched, arrived, restored, repaired, feedback, callback, reopened, paused, resumed, exempted, closed_unconfirmed, merged, split, note";
                return Err(ApiError::field("kind", format!("\"{other}\" is not one of: {kinds}")));
            }
        })
    }

    fn reached(&mut self) -> Result<bool, ApiError> {
        self.reached.take().ok_or_else(|| ApiError::field("reached", "is missing: true or false"))
    }

    fn callback(&mut self) -> Result<Callback, ApiError> {
        if !self.reached()? {
            return Ok(Callback::NotReached);
        }
        let service = self.service.take();
        match (required("result", self.result.take())?.as_str(), service.as_deref()) {
            ("satisfied", None | Some("up")) => Ok(Callback::Satisfied),
            ("satisfied", Some("down")) => {
                Err(ApiError::field("service", "nobody is satisfied with a service that is down"))
            }
            ("unsatisfied", None | Some("up")) => Ok(Callback::Unsatisfied),
            ("unsatisfied", Some("down")) => Ok(Callback::StillDown),
            (_, Some(other)) if other != "up" && other != "down" => {
                Err(ApiError::field("service", format!("\"{other}\" is not one of: up, down")))
            }
            (other, _) => {
                Err(ApiError::field("result", format!("\"{other}\" is not one of: satisfied, unsatisfied")))
            }
        }
    }

    fn reopened(&mut self) -> Result<StepKind, ApiError> {
        let reason = required("reason", self.reason.take())?;
        // The case may also stand in the reason's place, as the rulebook words it.
        let case = match self.case.take().as_deref().unwrap_or(&reason) {
            "never_came_back" | "it never came back" => Reopening::NeverCameBack,
            "failed_again" | "it failed again" => Reopening::FailedAgain,
            other if other == reason => Reopening::FailedAgain,
            other => {
                return Err(ApiError::field(
                    "case",
                    format!("\"{other}\" is not one of: never_came_back, failed_again"),
                ));
            }
        };
        Ok(StepKind::Reopened { reason, case })
    }

    fn reports(&mut self) -> Result<Vec<Uuid>, ApiError> {
        let named = self.reports.take().unwrap_or_default();
        if named.is_empty() || named.len() > REPORTS_MAX {
            return Err(ApiError::field("reports", format!("names 1 to {REPORTS_MAX} facts of the fault")));
        }
        named.iter().map(|text| id("reports", text)).collect()
    }

    fn grantor(&mut self, caller: &str) -> Result<String, ApiError> {
        let named = self.grantor.take().map(|name| short("grantor", name)).transpose()?;
        Ok(named.filter(|name| !name.is_empty()).unwrap_or_else(|| caller.to_owned()))
    }

    /// What was not taken does not belong to the kind.
    fn nothing_left(&self) -> Result<(), ApiError> {
        let left = [
            ("reached", self.reached.is_some()),
            ("result", self.result.is_some()),
            ("service", self.service.is_some()),
            ("reason", self.reason.is_some()),
            ("case", self.case.is_some()),
            ("cause", self.cause.is_some()),
            ("until", self.until.is_some()),
            ("evidence", self.evidence.is_some()),
            ("grantor", self.grantor.is_some()),
            ("into", self.into.is_some()),
            ("reports", self.reports.is_some()),
            ("text", self.text.is_some()),
        ];
        match left.iter().find(|(_, is_left)| *is_left) {
            Some((field, _)) => Err(ApiError::field(field, format!("does not belong to \"{}\"", self.kind))),
            None => Ok(()),
        }
    }
}

fn id(field: &'static str, text: &str) -> Result<Uuid, ApiError> {
    text.parse().map_err(|_| ApiError::field(field, format!("\"{text}\" is not an id")))
}

/// A text that has to be there.
fn required(field: &'static str, text: Option<String>) -> Result<String, ApiError> {
    match text.map(|text| short(field, text)).transpose()? {
        Some(text) if !text.trim().is_empty() => Ok(text),
        _ => Err(ApiError::field(field, "is missing or empty")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<ReadFact, ApiError> {
        serde_json::from_str::<NewFact>(json).unwrap().read("caller")
    }

    #[test]
    fn each_kind_takes_its_own_fields() {
        assert_eq!(read(r#"{"kind":"restored"}"#).unwrap().kind, StepKind::Restored);
        assert_eq!(
            read(r#"{"kind":"feedback","reached":true}"#).unwrap().kind,
            StepKind::Feedback { reached: true }
        );
        let still_down = r#"{"kind":"callback","reached":true,"result":"unsatisfied","service":"down"}"#;
        assert_eq!(read(still_down).unwrap().kind, StepKind::Callback(Callback::StillDown));
        let exempted = read(r#"{"kind":"exempted","cause":"customer_power"}"#).unwrap().kind;
        assert_eq!(
            exempted,
            StepKind::Exempted { cause: "customer_power".to_owned(), grantor: "caller".to_owned() }
        );
        let reopened = |json: &str| match read(json).unwrap().kind {
            StepKind::Reopened { case, .. } => case,
            other => panic!("{other:?}"),
        };
        assert_eq!(reopened(r#"{"kind":"reopened","reason":"never_came_back"}"#), Reopening::NeverCameBack);
        assert_eq!(reopened(r#"{"kind":"reopened","reason":"down again"}"#), Reopening::FailedAgain);
        let named = r#"{"kind":"reopened","reason":"was not back","case":"never_came_back"}"#;
        assert_eq!(reopened(named), Reopening::NeverCameBack);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (json, field) in [
            (r#"{"kind":"mended"}"#, "kind"),
            (r#"{"kind":"feedback"}"#, "reached"),
            (r#"{"kind":"restored","reached":true}"#, "reached"),
            (r#"{"kind":"callback","reached":false,"result":"satisfied"}"#, "result"),
            (r#"{"kind":"callback","reached":true,"result":"happy"}"#, "result"),
            (r#"{"kind":"callback","reached":true,"result":"unsatisfied","service":"gone"}"#, "service"),
            (r#"{"kind":"paused","cause":"x","reason":"y","evidence":"z"}"#, "until"),
            (r#"{"kind":"paused","cause":"x","reason":"y","evidence":"z","until":"tomorrow"}"#, "until"),
            (r#"{"kind":"reopened","reason":"x","case":"maybe"}"#, "case"),
            (r#"{"kind":"closed_unconfirmed"}"#, "reason"),
            (r#"{"kind":"merged","into":"x"}"#, "into"),
            (r#"{"kind":"split","reports":[]}"#, "reports"),
            (r#"{"kind":"split","reports":["x"]}"#, "reports"),
            (r#"{"kind":"restored","into":"x"}"#, "into"),
            (r#"{"kind":"note","text":" "}"#, "text"),
            (r#"{"kind":"note","text":"x","occurred_at":"noon"}"#, "occurred_at"),
        ] {
            let error = read(json).unwrap_err();
            assert_eq!(error.code(), "invalid_field", "{json}");
            assert!(format!("{error:?}").contains(&format!("\"{field}\"")), "{json}: {error:?}");
        }
    }
}
