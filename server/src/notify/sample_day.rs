//! A day's list of nothing that is really open.

use linewatch_shared::time::{DAY_MS, HOUR_MS, UnixMs};

use super::letter::{DayItem, DayLetter, DayOwner};

/// Somebody's part of the list, or the desk's own letter with everybody's.
pub(super) fn letter(whole: bool, link: &str, time_zone: &str, now: UnixMs) -> DayLetter {
    let owner = |name: &str, mailed: bool, away_until: Option<UnixMs>| DayOwner {
        name: name.to_owned(),
        mailed,
        away_until,
        open: 1,
        overdue: 1,
        untouched: 1,
        word_owed: 1,
        items: vec![item(if away_until.is_some() { "complaint" } else { "fault" }, now)],
    };
    let away = owner("manager-away", true, Some(UnixMs(now.0 + 3 * DAY_MS)));
    let mut owners = vec![owner("manager-sample", true, None), away, owner("", true, None)];
    let mut notices = Vec::new();
    if whole {
        owners.push(owner("manager-without-address", false, None));
        let kinds = [("plans_missing", "2026"), ("rota_missing", "2026-12"), ("summary_due", "2026-11")];
        let agent = [("agent_silent", "SAMPLE-AGENT"), ("agent_back", "SAMPLE-AGENT")];
        let kinds = kinds.into_iter().chain(agent);
        notices
            .extend(kinds.map(|(kind, about)| (kind.to_owned(), about.to_owned(), UnixMs(now.0 - DAY_MS))));
    }
    DayLetter {
        key: "sample".to_owned(),
        day: "2026-11-22".to_owned(),
        as_of: now,
        time_zone: time_zone.to_owned(),
        notices,
        owners,
        whole,
        left_out: 2,
        link: link.to_owned(),
    }
}

fn item(kind: &str, now: UnixMs) -> DayItem {
    DayItem {
        kind: kind.to_owned(),
        customer: "SAMPLE".to_owned(),
        line: "SAMPLE-1".to_owned(),
        state: "open".to_owned(),
        started_at: UnixMs(now.0 - 5 * HOUR_MS),
        due_at: Some(UnixMs(now.0 + HOUR_MS)),
        overdue: 1,
        untouched: true,
        word_owed: true,
    }
}
