//! Somebody takes an alert: its ladder is climbed no further, nor any other of the same fault or matter.

use linewatch_shared::time::{HOUR_MS, UnixMs};
use serde_json::json;

use crate::app::desk::DeskError;
use crate::app::scopes::{sees_fault, sees_matter};
use crate::app::{Action, audit};
use crate::db::{DbError, Tx};
use crate::notify::take_link::TakeKey;
use crate::store::alerts::{self, Linked, StoredAlert};
use crate::store::outgoing::{EventKind, NewEvent, append_events};
use crate::store::scope::Scope;

/// How long the link in a message is good for (ms).
pub const LINK_GOOD_MS: i64 = 72 * HOUR_MS;

/// An alert that is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The alert's key.
    pub key: String,
    /// Who took it.
    pub by: String,
    /// When.
    pub at: UnixMs,
    /// Whether that was now; else somebody had taken it before.
    pub fresh: bool,
}

/// Somebody who is signed in takes an alert.
///
/// # Errors
/// When there is no such alert, or the user does not see what it is about.
pub fn by_user(
    tx: &mut Tx<'_>,
    key: &str,
    (by, scope): (&str, &Scope),
    now: UnixMs,
) -> Result<Taken, DeskError> {
    let missing = || DeskError::NoAlert(key.to_owned());
    let alert = alerts::one(tx, key)?.ok_or_else(missing)?;
    let seen = if alert.of_matter {
        sees_matter(tx, scope, alert.subject)
    } else {
        sees_fault(tx, scope, alert.subject)
    };
    seen.map_err(|_| missing())?;
    Ok(take(tx, &alert, (by, "desk"), now)?)
}

fn take(
    tx: &mut Tx<'_>,
    alert: &StoredAlert,
    (by, how): (&str, &str),
    now: UnixMs,
) -> Result<Taken, DbError> {
    let key = alert.key.clone();
    if alerts::take(tx, &key, by, how, now)? {
        alerts::take_others(tx, (alert.subject, alert.of_matter), by, how, now)?;
        let detail = json!({ "subject": alert.subject, "step": alert.rung, "how": how });
        audit(tx, now.0, by, Action::AlertAcknowledged, &key, Some(&detail))?;
        if !alert.of_matter {
            let event =
                NewEvent { kind: EventKind::Fault, subject: Some(alert.subject), body: String::new() };
            append_events(tx, &[event], now)?;
        }
        return Ok(Taken { key, by: by.to_owned(), at: now, fresh: true });
    }
    let (by, at, _) = alerts::one(tx, &key)?.and_then(|alert| alert.taken).unwrap_or_default();
    Ok(Taken { key, by, at, fresh: false })
}

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// Nowhere: it was not made here.
    Unknown,
    /// Its time is over.
    Expired,
    /// To an alert that nobody has taken.
    Open(Linked),
    /// To one that somebody has.
    Taken(Linked, String, UnixMs),
}

/// Looks where a link leads; changes nothing.
///
/// # Errors
/// The database's.
pub fn look(tx: &mut Tx<'_>, links: &TakeKey, token: &str, now: UnixMs) -> Result<Link, DbError> {
    let Some(n) = TakeKey::number(token) else { return Ok(Link::Unknown) };
    let found =
        alerts::linked(tx, n)?.filter(|linked| links.fits(token, n, &linked.key, &linked.destination));
    let Some(linked) = found else { return Ok(Link::Unknown) };
    let Some(alert) = alerts::one(tx, &linked.alert_key)? else { return Ok(Link::Unknown) };
    Ok(match alert.taken {
        Some((by, at, _)) => Link::Taken(linked, by, at),
        None if now.since(linked.created_at) > LINK_GOOD_MS => Link::Expired,
        None => Link::Open(linked),
    })
}

/// The receiver of a message takes its alert by the link in it.
///
/// # Errors
/// The database's.
pub fn by_link(tx: &mut Tx<'_>, links: &TakeKey, token: &str, now: UnixMs) -> Result<(Link, bool), DbError> {
    let link = look(tx, links, token, now)?;
    let Link::Open(linked) = link else { return Ok((link, false)) };
    let Some(alert) = alerts::one(tx, &linked.alert_key)? else { return Ok((Link::Unknown, false)) };
    let taken = take(tx, &alert, (&linked.person, "link"), now)?;
    Ok((Link::Taken(linked, taken.by, taken.at), taken.fresh))
}
