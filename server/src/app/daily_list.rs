//! Nothing is left overnight unseen: the day's list of everything open, overdue or untouched, per owner, kept at its hour.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use linewatch_shared::time::{DAY_MS, UnixMs};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::days::{self, day_of};
use crate::app::desk::Desk;
use crate::app::{daily_mail, desk_owes};
use crate::db::{DbError, Tx};
use crate::store::shift::{self, OpenItem};

/// Rows read at once.
const PAGE: i64 = 500;
/// The most items that a list holds; the longest overdue are never among those left out.
pub const ITEMS_MAX: usize = 20_000;
/// Nothing is left a day long without anybody having looked at it.
const UNTOUCHED_AFTER_MS: i64 = DAY_MS;

/// Something open on a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ListItem {
    /// `fault`, `complaint`, `request`, `defect` or `promise`.
    pub kind: String,
    /// Its id.
    pub id: Uuid,
    /// The customer's code.
    pub customer: String,
    /// The line's code; empty where it is about none.
    pub line: String,
    /// Its state.
    pub state: String,
    /// Since when, RFC 3339.
    pub started_at: String,
    /// When something was last done about it.
    pub touched_at: String,
    /// What is due next.
    pub due_at: Option<String>,
    /// Promises that were missed and are not kept yet.
    pub overdue: i64,
    /// Whether nobody has done anything about it for a day.
    pub untouched: bool,
    /// Whether its customer is owed a word today and was not told one yet.
    #[serde(default)]
    pub word_owed: bool,
}

/// What one person answers for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OwnersList {
    /// Who; empty for what nobody answers for.
    pub owner: String,
    /// How many items are open.
    pub open: usize,
    /// How many of them have a promise that was missed.
    pub overdue: usize,
    /// How many nobody has touched for a day.
    pub untouched: usize,
    /// How many of their customers are owed a word today and were not told one yet.
    #[serde(default)]
    pub word_owed: usize,
    /// The items: overdue first, then by what is due next.
    pub items: Vec<ListItem>,
}

/// Everything open, overdue or untouched, per owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DailyList {
    /// The day, such as `2026-11-22`.
    pub day: String,
    /// As of when, RFC 3339.
    pub as_of: String,
    /// Per owner, in the order of their names.
    pub owners: Vec<OwnersList>,
    /// Whether items were left out because there are too many.
    pub cut: bool,
    /// What the desk itself owes.
    #[serde(default)]
    pub notices: Vec<Notice>,
}

/// Something that the desk itself owes, on the list until it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Notice {
    /// What.
    pub kind: String,
    /// Of which month, such as `2026-12`.
    pub month: String,
    /// By when, RFC 3339.
    pub due_at: String,
}

/// The list as of a moment.
///
/// # Errors
/// The database's.
pub fn list(tx: &mut Tx<'_>, zone: Tz, now: UnixMs) -> Result<DailyList, DbError> {
    let (items, cut) = everything_open(tx, zone, now)?;
    let mut owners: BTreeMap<String, OwnersList> = BTreeMap::new();
    for open in items {
        let list = owners
            .entry(open.owner.clone())
            .or_insert_with(|| OwnersList { owner: open.owner.clone(), ..OwnersList::default() });
        let item = item(open, now);
        list.open += 1;
        list.overdue += usize::from(item.overdue > 0);
        list.untouched += usize::from(item.untouched);
        list.word_owed += usize::from(item.word_owed);
        list.items.push(item);
    }
    let mut owners: Vec<OwnersList> = owners.into_values().collect();
    for list in &mut owners {
        list.items
            .sort_by_key(|item| (item.overdue == 0, item.due_at.is_none(), item.due_at.clone(), item.id));
    }
    Ok(DailyList {
        day: day_of(zone, now).to_string(),
        as_of: now.to_rfc3339(),
        owners,
        cut,
        notices: desk_owes::notices(tx, zone, now)?,
    })
}

pub(super) fn everything_open(
    tx: &mut Tx<'_>,
    zone: Tz,
    now: UnixMs,
) -> Result<(Vec<OpenItem>, bool), DbError> {
    let mut items: Vec<OpenItem> = Vec::new();
    let at = (now, days::around(zone, now));
    loop {
        let page = shift::open_items(tx, items.last().map(|item| item.id), at, PAGE)?;
        let last = (page.len() as i64) < PAGE;
        items.extend(page);
        if last {
            return Ok((items, false));
        }
        if items.len() >= ITEMS_MAX {
            return Ok((items, true));
        }
    }
}

pub(super) fn item(open: OpenItem, now: UnixMs) -> ListItem {
    ListItem {
        untouched: now.since(open.touched_at) >= UNTOUCHED_AFTER_MS,
        word_owed: open.word_owed,
        kind: open.kind,
        id: open.id,
        customer: open.customer,
        line: open.line,
        state: open.state,
        started_at: open.started_at.to_rfc3339(),
        touched_at: open.touched_at.to_rfc3339(),
        due_at: open.due_at.map(UnixMs::to_rfc3339),
        overdue: open.overdue,
    }
}

/// Keeps the day's list once its hour has come, and mails it. A day whose hour the desk has not lived through, because
/// it had no customers yet, has no list.
///
/// # Errors
/// The database's.
pub fn keep(desk: &Desk, tx: &mut Tx<'_>, (zone, at_minute): (Tz, u32), now: UnixMs) -> Result<(), DbError> {
    let today = day_of(zone, now);
    let hour = days::moment(zone, today, at_minute);
    let day = today.to_string();
    if now < hour || shift::kept_list(tx, &day)?.is_some() {
        return Ok(());
    }
    if shift::begun_at(tx)?.is_none_or(|begun_at| begun_at > hour) {
        return Ok(());
    }
    let list = list(tx, zone, now)?;
    let body = serde_json::to_string(&list).map_err(|error| DbError::Data(error.to_string()))?;
    if !shift::keep_list(tx, &day, &body, now)? {
        return Ok(());
    }
    tracing::info!(day, owners = list.owners.len(), "the day's list was kept");
    daily_mail::send(desk, tx, &list, zone, now)
}

/// A day's list as it was kept.
///
/// # Errors
/// The database's.
pub fn kept(tx: &mut Tx<'_>, day: &str) -> Result<Option<DailyList>, DbError> {
    shift::kept_list(tx, day)?
        .map(|(_, body)| serde_json::from_str(&body).map_err(|error| DbError::Data(error.to_string())))
        .transpose()
}

#[cfg(test)]
mod tests {
    use linewatch_shared::matter::MatterStep;
    use linewatch_shared::time::HOUR_MS;

    use super::*;
    use crate::app::desk::tests::{Fixture, TEN};
    use crate::config::AlertLang;
    use crate::db::Priority;
    use crate::db::testing::{both, int};
    use crate::notify::letter::Letter;
    use crate::notify::text::Writer;

    const ZONE: Tz = chrono_tz::Asia::Shanghai;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_day_s_list_is_kept_once_and_at_its_hour() {
        both(|db| async move {
            let f = Fixture::new(db).await;
            f.report("L1", TEN, TEN).await.unwrap();
            f.report("L3", TEN, TEN).await.unwrap();
            let keep_at = |at: UnixMs| {
                let desk = f.desk.clone();
                f.db.write(Priority::Ingest, move |tx| keep(&desk, tx, (ZONE, 18 * 60), at))
            };
            keep_at(TEN + 7 * HOUR_MS).await.unwrap();
            assert_eq!(int(&f.db, "SELECT COUNT(*) FROM daily_list").await.unwrap(), 0, "not before 18:00");
            for hours in [8, 9] {
                keep_at(TEN + hours * HOUR_MS).await.unwrap();
            }
            let day = |day: &'static str| {
                let found = f.db.read(move |tx| kept(tx, day));
                async {
                    let found: Result<_, DbError> = found.await;
                    found.unwrap()
                }
            };
            let list = day("2026-03-02").await.unwrap();
            assert_eq!(list.as_of, (TEN + 8 * HOUR_MS).to_rfc3339());
            let owners: Vec<_> =
                list.owners.iter().map(|o| (o.owner.as_str(), o.open, o.overdue, o.untouched)).collect();
            assert_eq!(owners, [("", 1, 1, 0), ("Manager A", 1, 1, 0)]);
            keep_at(TEN + 32 * HOUR_MS).await.unwrap();
            assert_eq!(day("2026-03-03").await.unwrap().owners[1].untouched, 1);
            assert!(day("2026-03-04").await.is_none());
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn each_owner_gets_one_mail_a_day_and_the_desk_the_whole() {
        both(|db| async move {
            let f = Fixture::new(db).await;
            f.report("L3", TEN, TEN).await.unwrap();
            let told = f.complaint("minor", None, TEN, TEN).await.unwrap();
            f.complaint("minor", None, TEN, TEN).await.unwrap();
            // The next day one customer was told how it stands, the other was not.
            let next = TEN + DAY_MS;
            f.matter_step(told, MatterStep::Told { reached: true }, next - 1, next).await.unwrap();
            f.rounds(next + HOUR_MS).await;
            let keep_at = |at: UnixMs| {
                let desk = f.desk.clone();
                f.db.write(Priority::Ingest, move |tx| keep(&desk, tx, (ZONE, 18 * 60), at))
            };
            // Two nodes at once, and one that was started again.
            let (one, other) = tokio::join!(keep_at(next + 8 * HOUR_MS), keep_at(next + 8 * HOUR_MS));
            one.and(other).unwrap();
            keep_at(next + 9 * HOUR_MS).await.unwrap();
            let sql = "SELECT destination FROM outbox WHERE key LIKE 'daily/%' ORDER BY destination";
            assert_eq!(f.texts(sql).await, ["a@example.com", "noc@example.com"]);
            let sql = "SELECT alert FROM outbox WHERE key LIKE 'daily/%' ORDER BY destination";
            let letters: Vec<Letter> =
                f.texts(sql).await.iter().map(|text| Letter::read(text).unwrap()).collect();
            let [Letter::Day(own), Letter::Day(whole)] = letters.as_slice() else { panic!("{letters:?}") };
            let counts = (own.owners.len(), own.owners[0].open, own.owners[0].word_owed, own.whole);
            assert_eq!(counts, (1, 2, 1, false));
            let owners: Vec<_> =
                whole.owners.iter().map(|o| (o.name.as_str(), o.mailed, o.items.len())).collect();
            assert_eq!(owners, [("", false, 1), ("Manager A", true, 2)]);
            let text = Writer::new(AlertLang::En).unwrap().day(own);
            assert_eq!(
                text.subject,
                "Day's list 2026-03-03: 2 open, 2 overdue, 1 untouched for a day, 1 owed a word today"
            );
            assert!(text.plain.contains("- Complaint bank, open, since 03-02 10:00; "), "{}", text.plain);
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_desk_that_began_after_the_hour_has_no_list_of_that_day() {
        both(|db| async move {
            let f = Fixture::new(db).await;
            let began =
                move |tx: &mut Tx<'_>| tx.execute("UPDATE customer SET created_at_ms = $1", &[TEN.into()]);
            f.db.write(Priority::Api, began).await.unwrap();
            for (at, days) in [(TEN, 0), (TEN + 13 * HOUR_MS, 0), (TEN + 23 * HOUR_MS, 1)] {
                let desk = f.desk.clone();
                f.db.write(Priority::Ingest, move |tx| keep(&desk, tx, (ZONE, 9 * 60), at)).await.unwrap();
                assert_eq!(int(&f.db, "SELECT COUNT(*) FROM daily_list").await.unwrap(), days);
            }
        })
        .await;
    }
}
