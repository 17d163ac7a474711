//! What happens to one fault: seen or reported, worked on, restored, sometimes failing again, mostly confirmed.

use linewatch_shared::detector::LineState;
use linewatch_shared::facts::{Body, Callback, Reopening, Step, StepKind};
use linewatch_shared::time::{HOUR_MS, UnixMs};
use uuid::Uuid;

use super::life::Writer;

/// Writes down something that is wrong with a line from a moment on: mostly a fault, sometimes bad service.
pub(super) fn any(writer: &mut Writer, line: &str, at: UnixMs) {
    if writer.chance(6) { degraded(writer, line, at) } else { fault(writer, line, at) }
}

/// Service is there, and worse than promised; sometimes it is lost in the end.
fn degraded(writer: &mut Writer, line: &str, at: UnixMs) {
    let id = writer.seen_degraded(line, at);
    let mut now = at + writer.minutes(30);
    step(writer, id, now, StepKind::Acknowledged);
    now = now + writer.minutes(500);
    if writer.chance(30) {
        writer.seen(line, now, LineState::Down);
        now = now + writer.minutes(200);
    }
    writer.seen(line, now, LineState::Up);
    afterwards(writer, id, now);
}

/// Writes down one fault of a line that begins at a moment.
pub(super) fn fault(writer: &mut Writer, line: &str, at: UnixMs) {
    let seen = writer.chance(70);
    let reported = !seen || writer.chance(50);
    let mut id = None;
    if seen {
        id = Some(writer.seen(line, at, LineState::Down));
    }
    if reported {
        let later = at + if seen { writer.minutes(20) } else { 0 };
        let report = writer.reported(line, later);
        id = id.or(Some(report));
    }
    let Some(id) = id else { return };
    // Most are short, some take a day.
    let most = if writer.chance(15) { 30 * 60 } else { 200 };
    let lasts_ms = writer.minutes(most).max(writer.minutes(40));
    work(writer, id, at, lasts_ms);
    let mut back_at = at + lasts_ms;
    if seen {
        writer.seen(line, back_at, LineState::Up);
    }
    if reported {
        step(writer, id, back_at, StepKind::Restored);
    }
    if writer.chance(8) {
        back_at = fails_again(writer, line, id, back_at, seen);
    }
    if writer.chance(3) {
        let rerated = StepKind::Rerated {
            tier: Some("AA".to_owned()),
            version: None,
            reason: "the contract says so".to_owned(),
            grantor: "noc".to_owned(),
        };
        let rerated_at = back_at + writer.minutes(20);
        writer.decided(id, rerated_at, rerated);
    }
    if writer.chance(4) {
        one_fault_after_all(writer, line, id, back_at);
    }
    if writer.chance(4) {
        let cause = if writer.chance(50) { "customer_power" } else { "customer_equipment" }.to_owned();
        let granted_at = back_at + writer.minutes(3_000);
        step(writer, id, granted_at, StepKind::Exempted { cause, grantor: "noc".to_owned() });
    }
    afterwards(writer, id, back_at);
}

fn step(writer: &mut Writer, fault: Uuid, at: UnixMs, kind: StepKind) {
    writer.said(at, Body::Step(Step { fault, kind, note: None }));
}

/// From the desk's answer to the restoration.
fn work(writer: &mut Writer, id: Uuid, at: UnixMs, lasts_ms: i64) {
    let ends = at + lasts_ms;
    let mut now = at + writer.minutes(15);
    if now < ends && writer.chance(90) {
        step(writer, id, now, StepKind::Acknowledged);
    }
    now = now + writer.minutes(20);
    if now < ends && writer.chance(60) {
        step(writer, id, now, StepKind::Dispatched);
    }
    if lasts_ms > 2 * HOUR_MS && writer.chance(15) {
        let pause = StepKind::Paused {
            cause: "customer_access".to_owned(),
            reason: "nobody at the gate".to_owned(),
            until: now + HOUR_MS,
            evidence: "sample call".to_owned(),
            grantor: "noc".to_owned(),
        };
        step(writer, id, now + 1, pause);
        if writer.chance(50) {
            step(writer, id, now + HOUR_MS / 2, StepKind::Resumed);
        }
    }
    loop {
        now = now + writer.minutes(45);
        if now >= ends {
            return;
        }
        let reached = writer.chance(85);
        step(writer, id, now, StepKind::Feedback { reached });
    }
}

/// The line is lost again, or had never come back; answers when it is back.
fn fails_again(writer: &mut Writer, line: &str, id: Uuid, back_at: UnixMs, seen: bool) -> UnixMs {
    let lost_at = back_at + writer.minutes(300);
    let back_at = lost_at + writer.minutes(150);
    if seen {
        let other = writer.seen(line, lost_at, LineState::Down);
        writer.seen(line, back_at, LineState::Up);
        if writer.chance(35) {
            // Another fault after all, with an end of its own.
            let split = StepKind::Split { reports: vec![other] };
            let split_at = back_at + writer.minutes(300);
            step(writer, id, split_at, split);
            step(writer, other, back_at + 1, StepKind::Restored);
            afterwards(writer, other, split_at);
        }
    } else {
        let case = if writer.chance(50) { Reopening::NeverCameBack } else { Reopening::FailedAgain };
        step(writer, id, lost_at, StepKind::Reopened { reason: "the customer called".to_owned(), case });
    }
    step(writer, id, back_at, StepKind::Restored);
    back_at
}

/// Days later it fails anew, and somebody finds that it was the same fault all along.
fn one_fault_after_all(writer: &mut Writer, line: &str, id: Uuid, back_at: UnixMs) {
    let lost_at = back_at + 26 * HOUR_MS + writer.minutes(30 * 60);
    let other = writer.seen(line, lost_at, LineState::Down);
    let mended_at = lost_at + writer.minutes(200);
    writer.seen(line, mended_at, LineState::Up);
    step(writer, other, mended_at, StepKind::Restored);
    let found_at = mended_at + writer.minutes(600);
    step(writer, other, found_at, StepKind::Merged { into: id });
    step(writer, other, found_at + 1, StepKind::Note { text: "the same splice".to_owned() });
}

/// From the restoration to the customer's word.
fn afterwards(writer: &mut Writer, id: Uuid, back_at: UnixMs) {
    let mut now = back_at + writer.minutes(50);
    if writer.chance(80) {
        step(writer, id, now, StepKind::Feedback { reached: true });
    }
    if writer.chance(5) {
        return;
    }
    let days = if writer.chance(10) { 6 } else { 2 };
    now = now + writer.minutes(days * 24 * 60);
    step(writer, id, now, StepKind::Repaired);
    if writer.chance(12) {
        now = now + writer.minutes(600);
        step(writer, id, now, StepKind::Callback(Callback::NotReached));
    }
    if writer.chance(7) {
        now = now + writer.minutes(300);
        step(writer, id, now, StepKind::Callback(Callback::Unsatisfied));
        now = now + writer.minutes(300);
        step(writer, id, now, StepKind::Repaired);
    }
    if writer.chance(95) {
        now = now + writer.minutes(1_500);
        step(writer, id, now, StepKind::Callback(Callback::Satisfied));
    }
}
