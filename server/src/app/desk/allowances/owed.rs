//! Which allowances a line has: its interruption of each year, and what a promised availability leaves of each month,
//! quarter or year. Each is held against what is in force at its span's end, so far now.

use linewatch_shared::sla::{Allowance, Interval, LineRules, PackVersion, local_year};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use crate::app::derived_id;
use crate::app::packs::in_force;
use crate::app::report::period::Period;
use crate::app::report::service::kind_of;
use crate::app::report::stretch::{Of, Stretch, stretches};
use crate::store::service_time::ServedLine;

/// The most spans of one kind that a late fact has looked at: 20 years of months. The latest count.
const SPANS_MAX: usize = 240;

/// An allowance of a line.
pub(super) struct Owed {
    pub id: Uuid,
    pub customer: String,
    pub tier: String,
    pub allowance: Allowance,
}

/// Those of the spans that reach into a time.
pub(super) fn of(
    versions: &[PackVersion],
    rules: &LineRules,
    line: &ServedLine,
    outages: &[Interval],
    (from, now): (UnixMs, UnixMs),
) -> Vec<Owed> {
    let mut list = interruptions(rules, from, now);
    let first_outage = outages.iter().map(|piece| piece.from).min();
    let zone_of = |name: &str| in_force(versions, name, now).map_or(chrono_tz::UTC, |pack| pack.time_zone);
    for stretch in stretches(line, first_outage, zone_of, Of::Customer) {
        list.extend(availabilities(versions, &line.code, &stretch, (from, now)));
    }
    list
}

fn interruptions(rules: &LineRules, from: UnixMs, now: UnixMs) -> Vec<Owed> {
    let zone = rules.pack_at(now).0.time_zone;
    let years = (local_year(zone, from)..=local_year(zone, now)).rev().take(SPANS_MAX);
    let of_year = |year| {
        let (_, to) = linewatch_shared::sla::year_bounds(zone, year);
        let at = now.min(to - 1);
        let terms = rules.terms_at(at);
        let (_, tier) = rules.pack_at(at);
        let allowance = Allowance::interruption(tier, zone, year).filter(|_| terms.promised)?;
        let what = format!("interruption\0{year}\0{}", rules.line());
        Some(Owed {
            id: derived_id(Uuid::nil(), what.as_bytes()),
            customer: terms.customer.clone(),
            tier: tier.name.clone(),
            allowance,
        })
    };
    years.filter_map(of_year).collect()
}

fn availabilities(
    versions: &[PackVersion],
    line: &str,
    stretch: &Stretch,
    (from, now): (UnixMs, UnixMs),
) -> Vec<Owed> {
    let mut list = Vec::new();
    let first = from.max(stretch.from);
    let mut at = now.min(stretch.to - 1);
    for _ in 0..SPANS_MAX {
        if at < first {
            break;
        }
        let Some(pack) = in_force(versions, &stretch.terms.pack, at) else { break };
        let Some(promise) = &pack.availability else { break };
        let period = Period::containing(kind_of(promise.over), pack.time_zone, at);
        let bounds = period.bounds(pack.time_zone);
        if let Some(span) = stretch.within(bounds.0, bounds.1) {
            let terms = &stretch.terms;
            let what = format!("availability\0{line}\0{}\0{}\0{period}", terms.customer, terms.pack);
            list.push(Owed {
                id: derived_id(Uuid::nil(), what.as_bytes()),
                customer: terms.customer.clone(),
                tier: terms.tier.clone(),
                allowance: Allowance::availability(promise, span),
            });
        }
        at = bounds.0 - 1;
    }
    list
}
