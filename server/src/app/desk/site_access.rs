//! What a fault has to do with its site's hours: whether somebody who is sent is let in, and what may follow.

use linewatch_shared::sla::{Fault, PackVersion, State};
use linewatch_shared::time::UnixMs;
use serde::Serialize;
use uuid::Uuid;

use super::{Desk, DeskError};
use crate::app::sites;
use crate::db::{DbError, Tx};
use crate::store::{faults, lines};

/// When the site of an open fault lets us in.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SiteAccess {
    /// The site: `GET /sites/{id}` says whom to ring.
    pub site: Uuid,
    /// The weekly pattern; empty for any hour of the days that are not closed.
    pub hours: String,
    /// Whether it lets us in now.
    pub open_now: bool,
    /// When it lets us in, from now on.
    pub next_open_at: Option<String>,
    /// Somebody was sent and cannot get in: a pause that the pack allows for it. Nothing pauses by itself.
    pub proposed_pause: Option<ProposedPause>,
}

/// A pause that somebody may take as a step.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ProposedPause {
    /// `paused`.
    pub kind: &'static str,
    /// The pack's cause.
    pub cause: String,
    /// Until the site opens.
    pub until: String,
}

/// The same, of a fault by its id.
///
/// # Errors
/// When there is no such fault.
pub fn of(desk: &Desk, tx: &mut Tx<'_>, fault: Uuid, now: UnixMs) -> Result<Option<SiteAccess>, DeskError> {
    let fault = faults::one(tx, fault)?.ok_or(DeskError::NoFault(fault))?.fault;
    let line = lines::one(tx, &fault.line)?.unwrap_or_default();
    let versions = desk.packs.versions(tx)?;
    Ok(of_fault(tx, &versions, &fault, (&line.customer, &line.site), now)?)
}

/// The access of a fault's site, while somebody may have to get in; none where the site says nothing of it.
pub(super) fn of_fault(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    fault: &Fault,
    place: (&str, &str),
    now: UnixMs,
) -> Result<Option<SiteAccess>, DbError> {
    if place.1.is_empty() || !(fault.state.is_working() || fault.state == State::Restored) {
        return Ok(None);
    }
    let Some((site, hours)) = sites::access(tx, versions, place, now)? else { return Ok(None) };
    let next = hours.next_open(now);
    let open_now = next == Some(now);
    let terms = &fault.terms;
    let version = versions.iter().find(|v| v.pack.name == terms.pack && v.pack.version == terms.version);
    let cause = version.and_then(|v| v.pack.pause_causes.iter().find(|cause| cause.when_site_closed));
    let is_paused = fault.pauses.iter().any(|pause| pause.span.contains(now));
    let sent = fault.state == State::Dispatched && !open_now && !is_paused;
    let proposed_pause = cause.filter(|_| sent).zip(next).map(|(cause, next)| ProposedPause {
        kind: "paused",
        cause: cause.name.clone(),
        until: next.to_rfc3339(),
    });
    Ok(Some(SiteAccess {
        site: site.id,
        hours: site.row.access().map(|(weekly, _)| weekly.to_owned()).unwrap_or_default(),
        open_now,
        next_open_at: next.map(UnixMs::to_rfc3339),
        proposed_pause,
    }))
}
