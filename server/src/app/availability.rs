//! Lines against their promised availability, as of now: what interruption is left, and when it will be used up.

use linewatch_shared::sla::{Allowance, Interval, PackVersion, union_ms};
use linewatch_shared::time::UnixMs;
use serde::Serialize;

use crate::app::desk::{Desk, DeskError};
use crate::app::packs::in_force;
use crate::app::report::period::Period;
use crate::app::report::service::{LineAvailability, kind_of};
use crate::app::report::stretch::{Of, Stretch, stretches};
use crate::db::{DbError, Tx};
use crate::store::customers;
use crate::store::scope::{self, Scope};
use crate::store::service_time::{self, ServedLine};

/// Lines looked at in one reading.
const LINES_AT_ONCE: usize = 200;
/// The most outages that one line shows: the latest.
pub const OUTAGES_MAX: usize = 100;

/// A stretch without service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CountedOutage {
    /// The fault.
    pub fault: String,
    /// From when, within the span.
    pub from: String,
    /// Until when; null while it goes on.
    pub to: Option<String>,
    /// Why it does not count, where its fault is exempt.
    pub exempt: Option<String>,
}

/// A line against its promised availability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AvailabilityItem {
    /// The line's code.
    pub line: String,
    /// The customer's code.
    pub customer: String,
    /// The pack that promises it.
    pub pack: String,
    /// The tier.
    pub tier: String,
    /// How it stands.
    #[serde(flatten)]
    pub availability: LineAvailability,
    /// Whether an outage is running that counts.
    pub running: bool,
    /// Time without service that does not count, because its fault is exempt, in milliseconds.
    pub exempt_ms: i64,
    /// The outages in the span, the latest first; at most 100.
    pub outages: Vec<CountedOutage>,
}

/// Lines with a promised availability after a code, at most `limit`; only those of a customer, where one is named.
///
/// # Errors
/// When there is no such customer.
pub fn list(
    desk: &Desk,
    tx: &mut Tx<'_>,
    (scope, customer): (&Scope, Option<&str>),
    after: &str,
    limit: usize,
    now: UnixMs,
) -> Result<Vec<AvailabilityItem>, DeskError> {
    let seen = scope::customers(tx, scope)?;
    let is_seen = |code: &str| seen.as_ref().is_none_or(|seen| seen.contains(code));
    if let Some(code) = customer
        && (!is_seen(code) || customers::owners(tx, code)?.is_none())
    {
        return Err(DeskError::Invalid {
            field: "customer",
            reason: format!("there is no customer \"{code}\""),
        });
    }
    let versions = desk.packs.versions(tx)?;
    let mut items = Vec::new();
    if versions.iter().all(|version| version.pack.availability.is_none()) {
        return Ok(items);
    }
    let mut after = after.to_owned();
    loop {
        let lines = service_time::lines(tx, customer, &after, LINES_AT_ONCE)?;
        for line in &lines {
            let own = |item: &AvailabilityItem| {
                is_seen(&item.customer) && customer.is_none_or(|customer| item.customer == customer)
            };
            items.extend(item(tx, &versions, line, now)?.filter(own));
            if items.len() == limit {
                return Ok(items);
            }
        }
        match lines.last() {
            Some(last) if lines.len() == LINES_AT_ONCE => after.clone_from(&last.code),
            _ => return Ok(items),
        }
    }
}

fn item(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    line: &ServedLine,
    now: UnixMs,
) -> Result<Option<AvailabilityItem>, DbError> {
    let Some(terms) = line.terms.last() else { return Ok(None) };
    let Some(pack) = in_force(versions, &terms.pack, now) else { return Ok(None) };
    let Some(promise) = &pack.availability else { return Ok(None) };
    let (from, to) = Period::containing(kind_of(promise.over), pack.time_zone, now).bounds(pack.time_zone);
    let faults = service_time::faults_between(tx, &line.code, from, to)?;
    let counted = faults.iter().filter(|fault| fault.counts());
    let outages: Vec<Interval> = counted.flat_map(|fault| fault.outage.iter().copied()).collect();
    let first_outage = outages.iter().map(|piece| piece.from).min();
    let zone_of = |name: &str| in_force(versions, name, now).map_or(pack.time_zone, |pack| pack.time_zone);
    let current = stretches(line, first_outage, zone_of, Of::Customer).into_iter().next_back();
    let Some(Stretch { terms, from: since, to: until }) = current else { return Ok(None) };
    let span = (since.max(from), until.min(to));
    if span.0 >= span.1 || span.0 > now {
        return Ok(None);
    }
    let figures = Allowance::availability(promise, span).figures(&outages, now);
    let clip = |piece: &Interval| {
        let clipped = Interval { from: piece.from.max(span.0), to: piece.to.filter(|end| *end <= now) };
        (clipped.from < clipped.end(now)).then_some(clipped)
    };
    let mut shown: Vec<(Interval, CountedOutage)> = Vec::new();
    let mut exempt = Vec::new();
    for fault in faults.iter().filter(|fault| fault.counts() || fault.exemption.is_some()) {
        let cause = fault.exemption.as_ref().map(|exemption| exemption.cause.clone());
        for piece in fault.outage.iter().filter_map(clip) {
            exempt.extend(cause.as_ref().map(|_| piece));
            let view = CountedOutage {
                fault: fault.id.to_string(),
                from: piece.from.to_rfc3339(),
                to: piece.to.map(UnixMs::to_rfc3339),
                exempt: cause.clone(),
            };
            shown.push((piece, view));
        }
    }
    let running = shown.iter().any(|(piece, view)| piece.to.is_none() && view.exempt.is_none());
    shown.sort_by_key(|(piece, _)| std::cmp::Reverse(piece.from));
    Ok(Some(AvailabilityItem {
        line: line.code.clone(),
        customer: terms.customer,
        pack: terms.pack,
        tier: terms.tier,
        availability: LineAvailability::new(promise, &figures),
        running,
        exempt_ms: union_ms(exempt, now),
        outages: shown.into_iter().take(OUTAGES_MAX).map(|(_, view)| view).collect(),
    }))
}
