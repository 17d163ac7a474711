//! The body of a matter's step: which fields each kind takes, and what they may be.

use linewatch_shared::facts::Callback;
use linewatch_shared::matter::{MatterStep, Papers, Point, Side};
use linewatch_shared::rules::{READING_MAX, Reading};
use linewatch_shared::time::UnixMs;
use serde::Deserialize;
use uuid::Uuid;

use super::error::ApiError;
use super::faults::{short, time};
use super::permit_body::PermitBody;
use crate::auth::{Caller, Role};

/// The most points, or promises, of one round.
const ITEMS_MAX: usize = 200;

/// A step of a matter. Each kind takes its own fields, and no others.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMatterFact {
    /// `answered`, `agreed`, `routed`, `told`, `postponed`, `reclassed`, `raised`, `assigned`, `noticed`, `permit_granted`, `begun`, `permit_returned`, `resolved`,
    /// `inspected`, `callback`, `signed`, `refused`, `planned`, `made`, `reviewed`, `paused`, `resumed`, `exempted`,
    /// `closed_unconfirmed`, `cancelled` or `note`.
    kind: String,
    /// When it was done, RFC 3339; now where it is left out.
    occurred_at: Option<String>,
    /// `agreed`, `postponed`, `paused`; `reclassed`, where the customer was told a date; `planned`: for when.
    until: Option<String>,
    /// `planned`: who of the customer's agreed to a time at which the site is closed to us.
    agreed_by: Option<String>,
    /// `postponed`, `reclassed`, `raised`, `refused`, `paused`, `cancelled`, `closed_unconfirmed`: why.
    reason: Option<String>,
    /// `postponed`, `reclassed`: recorded as a special case, or judged, by a supervisor: only who is one may say so.
    special: Option<bool>,
    /// `routed`: the unit.
    unit: Option<String>,
    /// `told`, `callback`: whether the customer was reached.
    reached: Option<bool>,
    /// `callback`: `satisfied` or `unsatisfied`.
    result: Option<String>,
    /// `reclassed`: the class.
    class: Option<String>,
    /// `raised`: to this level.
    level: Option<u32>,
    /// `assigned`: who answers for it.
    owner: Option<String>,
    /// `noticed`, `signed`, `made`: to whom, who, who was met.
    name: Option<String>,
    /// `signed`, of an acceptance: `ours` or `customer`; the customer where it is left out.
    side: Option<String>,
    /// `resolved`: how; `note`: the word.
    text: Option<String>,
    /// `inspected`, `reviewed`: whether it is well.
    ok: Option<bool>,
    /// `made`: how, such as `face_to_face`, `call`, `message`, `online` or `on_site`.
    mode: Option<String>,
    /// `made`: the checklist's points as found.
    points: Option<Vec<PointBody>>,
    /// `permit_granted`: the permit to work.
    permit: Option<PermitBody>,
    /// `made`: the reference under which the report is filed, such as that of a preventive test.
    report: Option<String>,
    /// `made`: what was promised to the customer, each a deadline from now on.
    promises: Option<Vec<PromiseBody>>,
    /// `paused`, `exempted`: a cause that the pack lists.
    cause: Option<String>,
}

/// A point of a checklist as it was found.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PointBody {
    /// The point's name in the checklist.
    name: String,
    /// Whether it is well.
    ok: bool,
    /// What was measured, in the unit of the checklist; wanted where the checklist names one.
    reading: Option<f64>,
    /// A word beside it.
    #[serde(default)]
    note: String,
    /// The class of the defect that it becomes, where it is not well; the mildest where it is left out.
    class: Option<String>,
    /// The piece of equipment that it was found on, on a round of more than one.
    equipment: Option<Uuid>,
}

/// Something promised.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromiseBody {
    /// What.
    title: String,
    /// By when, RFC 3339.
    until: String,
}

/// A step that was read.
#[derive(Clone, Debug)]
pub struct ReadMatterFact {
    /// What was done.
    pub step: MatterStep,
    /// What was promised, and by when.
    pub promises: Vec<(String, UnixMs)>,
    /// When, where it was said.
    pub occurred_at: Option<UnixMs>,
}

impl NewMatterFact {
    /// Reads the step, strictly.
    ///
    /// # Errors
    /// 422, naming the field; 403 where only a supervisor may.
    pub fn read(mut self, caller: &Caller) -> Result<ReadMatterFact, ApiError> {
        let occurred_at = time("occurred_at", self.occurred_at.take().as_deref())?;
        let promises = self.promises()?;
        let step = self.step(caller)?;
        self.nothing_left()?;
        if !promises.is_empty() && !matches!(step, MatterStep::Made { .. }) {
            return Err(ApiError::field("promises", "is not a field of this kind"));
        }
        Ok(ReadMatterFact { step, promises, occurred_at })
    }

    fn step(&mut self, caller: &Caller) -> Result<MatterStep, ApiError> {
        Ok(match std::mem::take(&mut self.kind).as_str() {
            "answered" => MatterStep::Answered,
            "agreed" => MatterStep::Agreed { until: self.until()? },
            "routed" => MatterStep::Routed { unit: text("unit", self.unit.take())? },
            "told" => MatterStep::Told { reached: given("reached", self.reached.take())? },
            "postponed" => MatterStep::Postponed {
                until: self.until()?,
                reason: text("reason", self.reason.take())?,
                supervisor: self.supervisor(caller)?,
            },
            "reclassed" => MatterStep::Reclassed {
                class: text("class", self.class.take())?,
                reason: text("reason", self.reason.take())?,
                supervisor: self.supervisor(caller)?,
                until: time("until", self.until.take().as_deref())?,
            },
            "raised" => MatterStep::Raised {
                level: given("level", self.level.take())?,
                reason: text("reason", self.reason.take())?,
            },
            "assigned" => MatterStep::Assigned { owner: text("owner", self.owner.take())? },
            "noticed" => MatterStep::Noticed { to: text("name", self.name.take())? },
            "resolved" => MatterStep::Resolved { how: text("text", self.text.take())? },
            "inspected" => MatterStep::Inspected { ok: given("ok", self.ok.take())? },
            "callback" => MatterStep::Callback(self.callback()?),
            "signed" => MatterStep::Signed { name: text("name", self.name.take())?, side: self.side()? },
            "refused" => MatterStep::Refused { reason: text("reason", self.reason.take())? },
            "planned" => MatterStep::Planned {
                at: self.until()?,
                agreed_by: self.agreed_by.take().map(|name| text("agreed_by", Some(name))).transpose()?,
            },
            "permit_granted" => {
                MatterStep::PermitGranted(Box::new(given("permit", self.permit.take())?.read(caller)?))
            }
            "begun" => MatterStep::Begun,
            "permit_returned" => MatterStep::PermitReturned,
            "made" => MatterStep::Made {
                mode: text("mode", self.mode.take())?,
                met: short("name", self.name.take().unwrap_or_default())?,
                points: self.points()?,
                papers: Papers {
                    report: self.report.take().map(|report| text("report", Some(report))).transpose()?,
                },
            },
            "reviewed" => MatterStep::Reviewed { ok: given("ok", self.ok.take())? },
            "paused" => MatterStep::Paused {
                cause: text("cause", self.cause.take())?,
                reason: text("reason", self.reason.take())?,
                until: self.until()?,
                grantor: caller.user.clone(),
            },
            "resumed" => MatterStep::Resumed,
            "exempted" => MatterStep::Exempted {
                cause: text("cause", self.cause.take())?,
                grantor: caller.user.clone(),
            },
            "closed_unconfirmed" => {
                must_supervise(caller)?;
                MatterStep::ClosedUnconfirmed {
                    reason: text("reason", self.reason.take())?,
                    supervisor: caller.user.clone(),
                }
            }
            "cancelled" => MatterStep::Cancelled { reason: text("reason", self.reason.take())? },
            "note" => MatterStep::Note { text: text("text", self.text.take())? },
            other => return Err(ApiError::field("kind", format!("\"{other}\" is no step of a matter"))),
        })
    }

    fn until(&mut self) -> Result<UnixMs, ApiError> {
        let until = text("until", self.until.take())?;
        Ok(time("until", Some(&until))?.unwrap_or_default())
    }

    fn side(&mut self) -> Result<Option<Side>, ApiError> {
        match self.side.take().as_deref() {
            None => Ok(None),
            Some("ours") => Ok(Some(Side::Ours)),
            Some("customer") => Ok(Some(Side::Customer)),
            Some(other) => Err(ApiError::field("side", format!("\"{other}\" is not one of: ours, customer"))),
        }
    }

    fn supervisor(&mut self, caller: &Caller) -> Result<Option<String>, ApiError> {
        if !self.special.take().unwrap_or_default() {
            return Ok(None);
        }
        must_supervise(caller)?;
        Ok(Some(caller.user.clone()))
    }

    fn callback(&mut self) -> Result<Callback, ApiError> {
        if !given("reached", self.reached.take())? {
            return Ok(Callback::NotReached);
        }
        match text("result", self.result.take())?.as_str() {
            "satisfied" => Ok(Callback::Satisfied),
            "unsatisfied" => Ok(Callback::Unsatisfied),
            other => {
                Err(ApiError::field("result", format!("\"{other}\" is not one of: satisfied, unsatisfied")))
            }
        }
    }

    fn points(&mut self) -> Result<Vec<Point>, ApiError> {
        let points = self.points.take().unwrap_or_default();
        if points.len() > ITEMS_MAX {
            return Err(ApiError::field("points", format!("has more than {ITEMS_MAX} items")));
        }
        let point = |body: PointBody| {
            if body.ok && body.class.is_some() {
                let reason = format!("\"{}\" is well: it is of no class of defects", body.name);
                return Err(ApiError::field("points", reason));
            }
            let class = body.class.map(|class| text("points", Some(class))).transpose()?;
            let (name, note) = (text("points", Some(body.name))?, short("points", body.note)?);
            let reading = body.reading.map(reading).transpose()?;
            Ok(Point { name, ok: body.ok, reading, note, class, equipment: body.equipment })
        };
        points.into_iter().map(point).collect()
    }

    fn promises(&mut self) -> Result<Vec<(String, UnixMs)>, ApiError> {
        let promises = self.promises.take().unwrap_or_default();
        if promises.len() > ITEMS_MAX {
            return Err(ApiError::field("promises", format!("has more than {ITEMS_MAX} items")));
        }
        let promise = |body: PromiseBody| {
            let until = time("promises", Some(&body.until))?.unwrap_or_default();
            Ok((text("promises", Some(body.title))?, until))
        };
        promises.into_iter().map(promise).collect()
    }

    /// What was not taken does not belong to the kind.
    fn nothing_left(&self) -> Result<(), ApiError> {
        let left = [
            ("until", self.until.is_some()),
            ("agreed_by", self.agreed_by.is_some()),
            ("reason", self.reason.is_some()),
            ("special", self.special.is_some()),
            ("unit", self.unit.is_some()),
            ("reached", self.reached.is_some()),
            ("result", self.result.is_some()),
            ("class", self.class.is_some()),
            ("level", self.level.is_some()),
            ("owner", self.owner.is_some()),
            ("name", self.name.is_some()),
            ("side", self.side.is_some()),
            ("text", self.text.is_some()),
            ("ok", self.ok.is_some()),
            ("mode", self.mode.is_some()),
            ("points", self.points.is_some()),
            ("permit", self.permit.is_some()),
            ("report", self.report.is_some()),
            ("cause", self.cause.is_some()),
        ];
        match left.iter().find(|(_, is_left)| *is_left) {
            Some((field, _)) => Err(ApiError::field(field, "is not a field of this kind")),
            None => Ok(()),
        }
    }
}

fn reading(number: f64) -> Result<Reading, ApiError> {
    let limit =
        || ApiError::field("points", format!("a reading lies between -{READING_MAX} and {READING_MAX}"));
    Reading::new(number).ok_or_else(limit)
}

/// A required text.
pub(super) fn text(field: &'static str, value: Option<String>) -> Result<String, ApiError> {
    let value = short(field, given(field, value)?)?;
    if value.trim().is_empty() { Err(ApiError::field(field, "must not be empty")) } else { Ok(value) }
}

pub(super) fn given<T>(field: &'static str, value: Option<T>) -> Result<T, ApiError> {
    value.ok_or_else(|| ApiError::field(field, "is missing"))
}

/// What the rules reserve to a superior.
fn must_supervise(caller: &Caller) -> Result<(), ApiError> {
    if caller.role == Role::Admin {
        return Ok(());
    }
    Err(ApiError::new(
        axum::http::StatusCode::FORBIDDEN,
        "supervisor_only",
        "only a supervisor (role admin) may do this".to_owned(),
    ))
}
