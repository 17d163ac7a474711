//! Alerts as people read them: who was told when, who is told next, and who has taken it.

use linewatch_shared::rules::Receiver;
use linewatch_shared::time::UnixMs;
use serde::Serialize;
use uuid::Uuid;

use super::climb::settled;
use super::standing::Subject;
use crate::db::{DbError, Tx};
use crate::notify::EMAIL;
pub use crate::store::alerts::Place;
use crate::store::alerts::{self, Held, Sent, StoredAlert, place};
use crate::store::scope::Scope;

/// An alert of a fault or matter.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AlertView {
    /// Its key, as in `X-Linewatch-Key`.
    pub key: String,
    /// What is owed.
    pub kind: String,
    /// `warn_80`, `missed`, …
    pub mark: String,
    /// When it was told.
    pub at: String,
    /// When what is owed is, or was, due.
    pub due_at: String,
    /// How many steps of its ladder were climbed.
    pub rung: usize,
    /// How many the ladder has; none: nobody is asked to take it.
    pub steps: usize,
    /// When the next ones are told, while nobody has taken it.
    pub next_at: Option<String>,
    /// Who is told then: `manager`, `owner`, `duty`, `supervisor`, `noc`.
    #[schema(value_type = Vec<String>)]
    pub next_to: Vec<Receiver>,
    /// Why nobody has to take it any more: `settled` (nothing is owed), `overtaken` (the miss was told after it),
    /// `corrected` (it is not missed after all) or `gone`.
    pub ended: Option<String>,
    /// Who has taken it; none while nobody has.
    pub acknowledged: Option<AcknowledgedView>,
    /// Who was told.
    pub told: Vec<ToldView>,
}

/// Who has taken an alert.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AcknowledgedView {
    /// Who; left out for a technician.
    pub by: Option<String>,
    /// When.
    pub at: String,
    /// `link`: by the link in a message; `desk`: signed in, or by a step.
    pub how: String,
}

/// A message.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ToldView {
    /// When it was put into the outbox.
    pub at: String,
    /// For whom, or over which channel; left out for a technician.
    pub to: Option<String>,
    /// `email`, `webhook`, `wecom_robot`, …
    pub by: String,
    /// At which step of the ladder; 0 for the alert itself.
    pub rung: i64,
    /// `pending`, `done`, `dead`, or `held` by quiet hours.
    pub state: String,
    /// Until when it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

impl AlertView {
    fn of(alert: &StoredAlert, stands: &Stands, told: &Messages) -> Self {
        let open = stands.taken.is_none() && stands.ended.is_none();
        let next = alert.ladder.get(alert.rung).filter(|_| open && alert.next_at.is_some());
        Self {
            key: alert.key.clone(),
            kind: alert.kind.clone(),
            mark: alert.mark.clone(),
            at: alert.began_at.to_rfc3339(),
            due_at: alert.due_at.to_rfc3339(),
            rung: alert.rung,
            steps: alert.ladder.len(),
            next_at: alert.next_at.filter(|_| open).map(UnixMs::to_rfc3339),
            next_to: next.map(|rung| rung.to.clone()).unwrap_or_default(),
            ended: stands.ended.clone(),
            acknowledged: stands.taken.clone().map(|(by, at, how)| AcknowledgedView {
                by: Some(by),
                at: at.to_rfc3339(),
                how,
            }),
            told: told.of(alert),
        }
    }

    /// Whether somebody still has to take it.
    fn is_open(&self) -> bool {
        self.acknowledged.is_none() && self.ended.is_none() && self.steps > 0
    }

    /// Without names: who is told and who takes an alert is the desk's own.
    pub fn without_names(&mut self) {
        self.acknowledged.iter_mut().for_each(|taken| taken.by = None);
        self.told.iter_mut().for_each(|told| told.to = None);
    }
}

/// The messages of a fault's or matter's alerts: sent, and kept back by quiet hours.
struct Messages {
    sent: Vec<Sent>,
    held: Vec<Held>,
}

impl Messages {
    fn read(tx: &mut Tx<'_>, subject: Uuid, of_matter: bool) -> Result<Self, DbError> {
        let sent = alerts::sent_of_subject(tx, subject, of_matter)?;
        Ok(Self { sent, held: alerts::held_of_subject(tx, subject, of_matter)? })
    }

    fn of(&self, alert: &StoredAlert) -> Vec<ToldView> {
        let to = |person: &String, destination: &String| {
            Some(if person.is_empty() { destination } else { person }.clone())
        };
        let sent = self.sent.iter().filter(|sent| sent.alert == alert.key).map(|sent| ToldView {
            at: sent.at.to_rfc3339(),
            to: to(&sent.person, &sent.destination),
            by: sent.channel.clone(),
            rung: sent.rung,
            state: sent.state.clone(),
            until: None,
        });
        let held = self.held.iter().filter(|held| held.alert == alert.key).map(|held| ToldView {
            at: alert.began_at.to_rfc3339(),
            to: to(&held.person, &held.destination),
            by: EMAIL.to_owned(),
            rung: 0,
            state: "held".to_owned(),
            until: Some(held.until.to_rfc3339()),
        });
        sent.chain(held).collect()
    }
}

/// Who has taken an alert, or why nobody has to.
#[derive(Default)]
struct Stands {
    taken: Option<(String, UnixMs, String)>,
    ended: Option<String>,
}

impl Stands {
    /// What happened since counts at once, though no round has seen it.
    fn of(
        tx: &mut Tx<'_>,
        alert: &StoredAlert,
        subject: Option<&Subject>,
        now: UnixMs,
    ) -> Result<Self, DbError> {
        let (taken, ended) = (alert.taken.clone(), alert.ended.clone());
        if taken.is_some() || ended.is_some() || alert.ladder.is_empty() {
            return Ok(Self { taken, ended });
        }
        let over = |why: &str| Self { taken: None, ended: Some(why.to_owned()) };
        let Some(subject) = subject else { return Ok(over("gone")) };
        if let Some(why) = settled(alert, subject.status(tx, alert, now)?) {
            return Ok(over(why));
        }
        let handled = subject.handled(tx, alert.began_at)?;
        Ok(Self { taken: handled.map(|(by, at)| (by, at, "desk".to_owned())), ended: None })
    }
}

/// The alerts of a fault or matter, oldest first.
///
/// # Errors
/// The database's.
pub fn of_subject(
    tx: &mut Tx<'_>,
    subject: Uuid,
    of_matter: bool,
    now: UnixMs,
) -> Result<Vec<AlertView>, DbError> {
    let found = alerts::of_subject(tx, subject, of_matter)?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let told = Messages::read(tx, subject, of_matter)?;
    let current = Subject::read(tx, subject, of_matter)?;
    let mut views = Vec::with_capacity(found.len());
    for alert in &found {
        let stands = Stands::of(tx, alert, current.as_ref(), now)?;
        views.push(AlertView::of(alert, &stands, &told));
    }
    Ok(views)
}

/// An alert that nobody has taken.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct OpenAlertView {
    /// The fault, where it is of one.
    pub fault: Option<Uuid>,
    /// The matter, where it is of one.
    pub matter: Option<Uuid>,
    /// The customer's code.
    pub customer: String,
    /// The line's code, where it is about one.
    pub line: Option<String>,
    /// A matter's title.
    pub title: Option<String>,
    /// The alert.
    #[serde(flatten)]
    pub alert: AlertView,
}

/// Alerts that nobody has taken: those first of which everybody was told, then by who is told next. Beside each place stands
/// what is there, or nothing where somebody has done something since.
///
/// # Errors
/// The database's.
pub fn untaken(
    tx: &mut Tx<'_>,
    scope: &Scope,
    about: Option<(Uuid, bool)>,
    after: Option<Place>,
    limit: i64,
    now: UnixMs,
) -> Result<Vec<(Place, Option<OpenAlertView>)>, DbError> {
    let found = alerts::untaken(tx, scope, about, after, limit)?;
    let mut views = Vec::with_capacity(found.len());
    for stored in found {
        let current = Subject::read(tx, stored.subject, stored.of_matter)?;
        let stands = Stands::of(tx, &stored, current.as_ref(), now)?;
        let view = match &current {
            Some(subject) if stands.taken.is_none() && stands.ended.is_none() => {
                let told = Messages::read(tx, stored.subject, stored.of_matter)?;
                Some(open_view(subject, AlertView::of(&stored, &stands, &told)))
            }
            _ => None,
        };
        views.push((place(&stored), view.filter(|view| view.alert.is_open())));
    }
    Ok(views)
}

fn open_view(subject: &Subject, alert: AlertView) -> OpenAlertView {
    match subject {
        Subject::Fault(state) => OpenAlertView {
            fault: Some(state.fault.id),
            matter: None,
            customer: state.fault.terms.customer.clone(),
            line: Some(state.fault.line.clone()),
            title: None,
            alert,
        },
        Subject::Matter(standing) => OpenAlertView {
            fault: None,
            matter: Some(standing.matter.id),
            customer: standing.matter.customer.clone(),
            line: standing.matter.line.clone(),
            title: Some(standing.matter.title.clone()),
            alert,
        },
    }
}
