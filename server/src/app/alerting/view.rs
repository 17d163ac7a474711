//! Alerts as people read them: who was told when, who is told next, and who has taken it.

use linewatch_shared::time::UnixMs;
use serde::Serialize;
use uuid::Uuid;

use super::standing::Subject;
use crate::db::{DbError, Tx};
use crate::store::alerts::{self, Sent, StoredAlert};

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
    /// How many steps of its ladder were climbed.
    pub rung: usize,
    /// When the next ones are told, while nobody has taken it.
    pub next_at: Option<String>,
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
    /// `pending`, `done` or `dead`.
    pub state: String,
}

impl AlertView {
    fn of(alert: &StoredAlert, taken: Option<(String, UnixMs, String)>, sent: &[Sent]) -> Self {
        let told = sent.iter().filter(|sent| sent.alert == alert.key).map(|sent| ToldView {
            at: sent.at.to_rfc3339(),
            to: Some(if sent.person.is_empty() { &sent.destination } else { &sent.person }.clone()),
            by: sent.channel.clone(),
            rung: sent.rung,
            state: sent.state.clone(),
        });
        let next_at = alert.next_at.filter(|_| taken.is_none());
        Self {
            key: alert.key.clone(),
            kind: alert.kind.clone(),
            mark: alert.mark.clone(),
            at: alert.began_at.to_rfc3339(),
            rung: alert.rung,
            next_at: next_at.map(UnixMs::to_rfc3339),
            acknowledged: taken.map(|(by, at, how)| AcknowledgedView {
                by: Some(by),
                at: at.to_rfc3339(),
                how,
            }),
            told: told.collect(),
        }
    }

    /// Without names: who is told and who takes an alert is the desk's own.
    pub fn without_names(&mut self) {
        self.acknowledged.iter_mut().for_each(|taken| taken.by = None);
        self.told.iter_mut().for_each(|told| told.to = None);
    }
}

/// The alerts of a fault or matter, oldest first. What somebody did since counts at once, though no round has seen it.
///
/// # Errors
/// The database's.
pub fn of_subject(tx: &mut Tx<'_>, subject: Uuid, of_matter: bool) -> Result<Vec<AlertView>, DbError> {
    let found = alerts::of_subject(tx, subject)?;
    let Some(first) = found.first() else { return Ok(Vec::new()) };
    let sent = alerts::sent_of_subject(tx, subject)?;
    let goes_on = found.iter().any(|alert| alert.next_at.is_some());
    let stands = if goes_on { Subject::read(tx, first.subject, of_matter)? } else { None };
    let mut views = Vec::with_capacity(found.len());
    for alert in &found {
        let handled = match &stands {
            Some(subject) if alert.next_at.is_some() => subject.handled(tx, alert.began_at)?,
            _ => None,
        };
        let taken = alert.taken.clone().or_else(|| handled.map(|(by, at)| (by, at, "desk".to_owned())));
        views.push(AlertView::of(alert, taken, &sent));
    }
    Ok(views)
}

/// An alert that nobody has taken and whose ladder goes on.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct OpenAlertView {
    /// The fault, where it is of one.
    pub fault: Option<Uuid>,
    /// The matter, where it is of one.
    pub matter: Option<Uuid>,
    /// The alert.
    #[serde(flatten)]
    pub alert: AlertView,
}

/// A place in the list of open alerts.
pub type Place = (UnixMs, String);

/// Alerts whose ladder goes on, the one that is climbed next at the front.
///
/// # Errors
/// The database's.
pub fn climbing(
    tx: &mut Tx<'_>,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<(Place, OpenAlertView)>, DbError> {
    let found = alerts::climbing(tx, after, limit)?;
    let mut views = Vec::with_capacity(found.len());
    for alert in found {
        let place = (alert.next_at.unwrap_or_default(), alert.key.clone());
        let sent = alerts::sent_of_subject(tx, alert.subject)?;
        let stands = Subject::read(tx, alert.subject, alert.of_matter)?;
        let handled = match &stands {
            Some(subject) => subject.handled(tx, alert.began_at)?,
            None => None,
        };
        let taken = handled.map(|(by, at)| (by, at, "desk".to_owned()));
        let (fault, matter) =
            if alert.of_matter { (None, Some(alert.subject)) } else { (Some(alert.subject), None) };
        views.push((place, OpenAlertView { fault, matter, alert: AlertView::of(&alert, taken, &sent) }));
    }
    Ok(views)
}
