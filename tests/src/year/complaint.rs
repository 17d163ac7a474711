//! What happens to one complaint or request: answered, put off, repeated, solved, mostly confirmed.

use linewatch_shared::facts::Callback;
use linewatch_shared::matter::{MatterStep, Opening};
use linewatch_shared::rules::MatterKind;
use linewatch_shared::time::{DAY_MS, HOUR_MS, MINUTE_MS, UnixMs};
use uuid::Uuid;

use super::deeds::Deeds;
use super::life::{customer_code, line_code};

/// Writes down one complaint or request of a customer that begins at a moment.
pub(super) fn life(deeds: &mut Deeds, customer: u64, at: UnixMs) {
    let is_request = deeds.chance(35);
    let working_days = at < deeds.working_days_until;
    let class = match (is_request, working_days) {
        (true, _) => "ordinary",
        (false, true) if deeds.chance(35) => "important",
        (false, _) => "minor",
    };
    let kind = if is_request { MatterKind::Request } else { MatterKind::Complaint };
    let unit = deeds.chance(40).then(|| "sample unit".to_owned());
    let opening = opening(kind, class, customer, unit.clone(), None);
    let id = deeds.open(opening.clone(), at);
    first_hours(deeds, id, at, unit, class);
    let solved_at = at + 8 * HOUR_MS + deeds.minutes(60 * 60);
    for day in 1..=(solved_at.since(at) / DAY_MS) {
        let told_at = at + day * DAY_MS - deeds.minutes(180);
        if told_at < solved_at && deeds.chance(80) {
            let reached = deeds.chance(85);
            deeds.step(id, told_at, MatterStep::Told { reached });
        }
    }
    let repeated = !is_request && working_days && deeds.chance(20);
    if repeated {
        let again_at = solved_at - some_time(deeds);
        again(deeds, customer, id, opening, again_at);
    }
    if deeds.chance(6) {
        let cause = "customer_side".to_owned();
        deeds.step(id, solved_at - 1, MatterStep::Exempted { cause, grantor: "noc".to_owned() });
    }
    match deeds.seed.below(100) {
        0..=5 => {}
        6..=9 => deeds.step(id, solved_at, MatterStep::Cancelled { reason: "wanted no longer".to_owned() }),
        _ => solved(deeds, id, solved_at, repeated),
    }
}

fn some_time(deeds: &mut Deeds) -> i64 {
    deeds.minutes(120)
}

fn opening(
    kind: MatterKind,
    class: &str,
    customer: u64,
    unit: Option<String>,
    about: Option<Uuid>,
) -> Opening {
    Opening {
        kind,
        class: class.to_owned(),
        customer: customer_code(customer),
        // Each customer's first line has its number.
        line: Some(line_code(customer)),
        site: None,
        title: "sample complaint".to_owned(),
        description: "it took too long".to_owned(),
        reporter: "sample caller".to_owned(),
        owner: String::new(),
        first_receiver: "noc".to_owned(),
        unit,
        wanted_by: None,
        about,
        equipment: None,
    }
}

fn first_hours(deeds: &mut Deeds, id: Uuid, at: UnixMs, unit: Option<String>, class: &str) {
    if class != "important" && deeds.chance(15) {
        deeds.step(id, at + 5 * MINUTE_MS, MatterStep::Agreed { until: at + 3 * HOUR_MS });
    }
    let answered_at = at + 6 * MINUTE_MS + deeds.minutes(20);
    if deeds.chance(92) {
        deeds.step(id, answered_at, MatterStep::Answered);
    }
    if let Some(unit) = unit {
        let routed_at = answered_at + some_time(deeds) / 4;
        deeds.step(id, routed_at, MatterStep::Routed { unit });
    }
    let now = at + 2 * HOUR_MS;
    // Put off once, and rarely once more, as a special case.
    if class != "important" && deeds.chance(30) {
        let days = if class == "minor" { 2 } else { 4 };
        let put_off = |until: UnixMs, supervisor: Option<&str>| MatterStep::Postponed {
            until,
            reason: "the customer's wish".to_owned(),
            supervisor: supervisor.map(str::to_owned),
        };
        deeds.step(id, now, put_off(at + days * DAY_MS, None));
        if deeds.chance(30) {
            deeds.step(id, now + HOUR_MS, put_off(at + (days + 2) * DAY_MS, Some("sample supervisor")));
        }
    }
    if deeds.chance(12) {
        let pause = MatterStep::Paused {
            cause: "customer_access".to_owned(),
            reason: "nobody at the gate".to_owned(),
            until: now + 3 * HOUR_MS,
            grantor: "noc".to_owned(),
        };
        deeds.step(id, now + 2 * HOUR_MS, pause);
        if deeds.chance(50) {
            deeds.step(id, now + 2 * HOUR_MS + HOUR_MS / 2, MatterStep::Resumed);
        }
    }
    if deeds.chance(10) {
        deeds.step(id, now + 3 * HOUR_MS, MatterStep::Raised { level: 3, reason: "beyond us".to_owned() });
    }
}

/// The customer has to complain again: the first complaint becomes a major one, and learns of it.
fn again(deeds: &mut Deeds, customer: u64, id: Uuid, first: Opening, at: UnixMs) {
    let repeat = Opening { about: Some(id), class: "important".to_owned(), unit: None, ..first };
    let repeat = deeds.open(repeat, at);
    deeds.step(repeat, at + 10 * MINUTE_MS, MatterStep::Answered);
    let note = MatterStep::Note { text: format!("the second time, says {}", customer_code(customer)) };
    deeds.step(repeat, at + 11 * MINUTE_MS, note);
    let solved_at = at + DAY_MS + deeds.minutes(24 * 60);
    solved(deeds, repeat, solved_at, false);
}

/// From the solution to the customer's word; a major complaint is closed by a signature.
fn solved(deeds: &mut Deeds, id: Uuid, at: UnixMs, major: bool) {
    let resolved = || MatterStep::Resolved { how: "mended".to_owned() };
    deeds.step(id, at, resolved());
    let mut now = at + deeds.minutes(32 * 60);
    if deeds.chance(15) {
        deeds.step(id, now, MatterStep::Callback(Callback::NotReached));
        now = now + deeds.minutes(10 * 60);
    }
    if deeds.chance(12) {
        deeds.step(id, now, MatterStep::Callback(Callback::Unsatisfied));
        now = now + deeds.minutes(20 * 60);
        deeds.step(id, now, resolved());
        now = now + deeds.minutes(20 * 60);
    }
    match deeds.seed.below(100) {
        0..=4 => {}
        5..=9 => {
            let (reason, supervisor) = ("never reached".to_owned(), "sample supervisor".to_owned());
            deeds.step(id, now, MatterStep::ClosedUnconfirmed { reason, supervisor });
        }
        10..=19 => deeds.step(id, now, MatterStep::Signed { name: "sample caller".to_owned(), side: None }),
        _ => {
            deeds.step(id, now, MatterStep::Callback(Callback::Satisfied));
            if major {
                deeds.step(
                    id,
                    now + HOUR_MS,
                    MatterStep::Signed { name: "sample caller".to_owned(), side: None },
                );
            }
        }
    }
}
