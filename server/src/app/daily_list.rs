//! Nothing is left overnight unseen: the day's list of everything open, overdue or untouched, per owner, kept at its hour.

mod stand_in;
#[cfg(test)]
mod tests;

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
    /// Who stands in for its owner, who is away: the deputy of its customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deputy: Option<String>,
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
    /// Until when the owner is away, RFC 3339; none who is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away_until: Option<String>,
    /// The items: overdue first, then by what is due next.
    pub items: Vec<ListItem>,
}

impl OwnersList {
    fn add(&mut self, item: ListItem) {
        self.open += 1;
        self.overdue += usize::from(item.overdue > 0);
        self.untouched += usize::from(item.untouched);
        self.word_owed += usize::from(item.word_owed);
        self.items.push(item);
    }

    /// What each deputy stands in for, by the deputy's name.
    #[must_use]
    pub fn by_deputy(&self) -> BTreeMap<&str, Self> {
        let mut parts: BTreeMap<&str, Self> = BTreeMap::new();
        for item in &self.items {
            let Some(deputy) = item.deputy.as_deref() else { continue };
            let part = parts.entry(deputy).or_insert_with(|| Self {
                owner: self.owner.clone(),
                away_until: self.away_until.clone(),
                ..Self::default()
            });
            part.add(item.clone());
        }
        parts
    }
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
    /// Of which month, such as `2026-12`, or year.
    pub month: String,
    /// By when, RFC 3339.
    pub due_at: String,
}

/// The list as of a moment.
///
/// # Errors
/// The database's.
pub fn list(desk: &Desk, tx: &mut Tx<'_>, zone: Tz, now: UnixMs) -> Result<DailyList, DbError> {
    let (items, cut) = everything_open(tx, zone, now)?;
    let mut owners: BTreeMap<String, OwnersList> = BTreeMap::new();
    for open in items {
        let list = owners
            .entry(open.owner.clone())
            .or_insert_with(|| OwnersList { owner: open.owner.clone(), ..OwnersList::default() });
        list.add(item(open, now));
    }
    let mut owners: Vec<OwnersList> = owners.into_values().collect();
    stand_in::name_deputies(tx, &mut owners, now)?;
    for list in &mut owners {
        list.items
            .sort_by_key(|item| (item.overdue == 0, item.due_at.is_none(), item.due_at.clone(), item.id));
    }
    Ok(DailyList {
        day: day_of(zone, now).to_string(),
        as_of: now.to_rfc3339(),
        owners,
        cut,
        notices: desk_owes::notices(desk, tx, zone, now)?,
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
        deputy: None,
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
    let list = list(desk, tx, zone, now)?;
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
