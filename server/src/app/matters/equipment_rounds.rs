//! Rounds of single pieces of equipment: who is owed them, and by when.

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use linewatch_shared::matter::{moment, period};
use linewatch_shared::rules::{Cadence, Every, MatterKind, RETIRED};
use linewatch_shared::sla::PackVersion;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::duties::{PER_TRANSACTION_MAX, duty_id};
use crate::app::equipment::PER_CUSTOMER_MAX;
use crate::app::packs::packs_in_force;
use crate::db::{DbError, Tx};
use crate::store::duties::{Duty, DutyCustomer};
use crate::store::equipment::{self, Piece};

/// The rounds that the pieces of a customer are owed: by each cadence that is for their kind.
pub(super) fn owed(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    customer: &DutyCustomer,
    now: UnixMs,
) -> Result<Vec<Duty>, DbError> {
    let packs = packs_in_force(versions, now);
    let of_customer = packs.iter().filter(|pack| pack.is_for(&customer.code, &customer.pack));
    let cadences: Vec<(&str, &Cadence)> = of_customer
        .flat_map(|pack| pack.cadences.iter().map(|cadence| (pack.name.as_str(), cadence)))
        .filter(|(_, cadence)| !cadence.equipment.is_empty() && cadence.is_for_tier(&customer.tier))
        .collect();
    let mut owed = Vec::new();
    if cadences.is_empty() || !customer.is_served {
        return Ok(owed);
    }
    for piece in pieces(tx, &customer.code)?.iter().filter(|piece| piece.grade != RETIRED) {
        let of_kind = cadences.iter().filter(|(_, cadence)| cadence.equipment.contains(&piece.kind));
        owed.extend(of_kind.map(|(pack, cadence)| Duty {
            id: duty_id(pack, &cadence.name, &customer.code, &piece.id.to_string()),
            kind: MatterKind::Patrol,
            pack: (*pack).to_owned(),
            cadence: cadence.name.clone(),
            customer: customer.code.clone(),
            site: piece.site_name.clone(),
            equipment: Some(piece.id),
            since: now,
            next_round: Some(now),
            ended_at: None,
        }));
    }
    Ok(owed)
}

fn pieces(tx: &mut Tx<'_>, customer: &str) -> Result<Vec<Piece>, DbError> {
    let mut pieces: Vec<Piece> = Vec::new();
    while (pieces.len() as i64) < PER_CUSTOMER_MAX {
        let after = pieces.last().map_or(Uuid::nil(), |piece| piece.id);
        let page = equipment::of_customer(tx, customer, after, PER_TRANSACTION_MAX)?;
        let is_last = (page.len() as i64) < PER_TRANSACTION_MAX;
        pieces.extend(page);
        if is_last {
            break;
        }
    }
    Ok(pieces)
}

/// When a round of a piece begins and by when it is owed. A span is counted from its last test, else from its
/// installation, else from when it became known; what was due before is due at once.
pub(super) fn term(piece: &Piece, every: Every, from: UnixMs, zone: Tz) -> (UnixMs, UnixMs) {
    let Every::Span(span_ms) = every else { return period(every, from, zone) };
    let day = |text: Option<&String>| {
        let day = NaiveDate::parse_from_str(text?, "%Y-%m-%d").ok()?;
        Some(moment(day.and_time(NaiveTime::MIN), zone))
    };
    let tested_at = piece.last_round_at.max(day(piece.tested_on.as_ref()));
    let since = tested_at.or_else(|| day(piece.installed_on.as_ref())).unwrap_or(from);
    (from, (since + span_ms).max(from))
}
