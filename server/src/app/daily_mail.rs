//! The day's list goes out: to each owner the own part, to the desk the whole. One mail an owner and day: the key in
//! the outbox says so.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use crate::app::daily_list::{DailyList, ListItem, Notice, OwnersList};
use crate::app::days::day_of;
use crate::app::derived_id;
use crate::app::desk::Desk;
use crate::db::{DbError, Tx};
use crate::notify::EMAIL;
use crate::notify::letter::{DayItem, DayLetter, DayOwner};
use crate::store::outgoing::{NewMessage, insert_messages};
use crate::store::people;

/// The most owners who are sent their part.
const OWNERS_MAX: usize = 2_000;
/// The most people whose address is looked up.
const ADDRESSES_MAX: i64 = 20_000;
/// The most items of one mail; the most urgent are in it.
const ITEMS_MAX: usize = 200;

/// Puts the day's mails into the outbox.
///
/// # Errors
/// The database's.
pub fn send(desk: &Desk, tx: &mut Tx<'_>, list: &DailyList, zone: Tz, now: UnixMs) -> Result<(), DbError> {
    if !desk.channels.email {
        return Ok(());
    }
    let addresses = people::addresses(tx, ADDRESSES_MAX)?;
    let mut messages = Vec::new();
    let mut parts = Vec::with_capacity(list.owners.len());
    for owner in &list.owners {
        let address = address_of(&addresses, &owner.owner).filter(|_| messages.len() < OWNERS_MAX);
        if let Some(address) = address {
            let letter =
                DayLetter { owners: vec![part(owner, true, ITEMS_MAX)], ..letter(desk, list, zone, now) };
            messages.push(message(letter, &owner.owner, address)?);
        }
        parts.push((owner, address.is_some()));
    }
    if !desk.noc_email.is_empty() {
        messages.push(message(whole(desk, list, &parts, zone, now), "", &desk.noc_email)?);
    }
    insert_messages(tx, &messages, now)
}

/// Tells the desk and the supervisors of something that the desk owed, and that is not there in time.
///
/// # Errors
/// The database's.
pub fn alarm(desk: &Desk, tx: &mut Tx<'_>, notice: &Notice, zone: Tz, now: UnixMs) -> Result<(), DbError> {
    if !desk.channels.email {
        return Ok(());
    }
    let mut to: Vec<&String> = desk.supervisors.iter().chain([&desk.noc_email]).collect();
    to.retain(|address| !address.is_empty());
    to.sort_unstable();
    to.dedup();
    let mut messages = Vec::new();
    for address in to {
        let letter = DayLetter {
            key: format!("{}/{}/{address}", notice.kind, notice.month),
            day: day_of(zone, now).to_string(),
            as_of: now,
            time_zone: zone.to_string(),
            notices: vec![worded(notice)],
            whole: true,
            link: format!("{}/", desk.link_base),
            ..DayLetter::default()
        };
        messages.push(outgoing(&letter, address)?);
    }
    insert_messages(tx, &messages, now)
}

fn worded(notice: &Notice) -> (String, String, UnixMs) {
    let due_at = UnixMs::parse_rfc3339(&notice.due_at).unwrap_or_default();
    (notice.kind.clone(), notice.month.clone(), due_at)
}

/// An owner who is named by a mail address is reached there.
fn address_of<'a>(addresses: &'a BTreeMap<String, String>, owner: &'a str) -> Option<&'a str> {
    let is_address = owner.parse::<lettre::Address>().is_ok();
    addresses.get(owner).map(String::as_str).or_else(|| is_address.then_some(owner))
}

fn letter(desk: &Desk, list: &DailyList, zone: Tz, now: UnixMs) -> DayLetter {
    DayLetter {
        day: list.day.clone(),
        as_of: now,
        time_zone: zone.to_string(),
        link: format!("{}/", desk.link_base),
        ..DayLetter::default()
    }
}

/// Everybody's part: who has the most urgent items has the most room.
fn whole(desk: &Desk, list: &DailyList, parts: &[(&OwnersList, bool)], zone: Tz, now: UnixMs) -> DayLetter {
    let mut room = ITEMS_MAX;
    let mut owners = Vec::new();
    for (owner, mailed) in parts.iter().take(OWNERS_MAX) {
        let part = part(owner, *mailed, room);
        room -= part.items.len();
        owners.push(part);
    }
    let notices = list.notices.iter().map(worded).collect();
    DayLetter { owners, notices, whole: true, ..letter(desk, list, zone, now) }
}

fn part(owner: &OwnersList, mailed: bool, room: usize) -> DayOwner {
    DayOwner {
        name: owner.owner.clone(),
        mailed,
        open: owner.open,
        overdue: owner.overdue,
        untouched: owner.untouched,
        word_owed: owner.word_owed,
        items: owner.items.iter().take(room).map(item).collect(),
    }
}

fn item(item: &ListItem) -> DayItem {
    let time = |text: &str| UnixMs::parse_rfc3339(text).ok();
    DayItem {
        kind: item.kind.clone(),
        customer: item.customer.clone(),
        line: item.line.clone(),
        state: item.state.clone(),
        started_at: time(&item.started_at).unwrap_or_default(),
        due_at: item.due_at.as_deref().and_then(time),
        overdue: item.overdue,
        untouched: item.untouched,
        word_owed: item.word_owed,
    }
}

/// `owner` is empty for the desk's own.
fn message(mut letter: DayLetter, owner: &str, address: &str) -> Result<NewMessage, DbError> {
    let of = if letter.whole { "desk".to_owned() } else { format!("owner/{owner}") };
    letter.key = format!("daily/{}/{of}", letter.day);
    let listed: usize = letter.owners.iter().map(|owner| owner.items.len()).sum();
    letter.left_out = letter.owners.iter().map(|owner| owner.open).sum::<usize>() - listed;
    outgoing(&letter, address)
}

fn outgoing(letter: &DayLetter, address: &str) -> Result<NewMessage, DbError> {
    Ok(NewMessage {
        key: letter.key.clone(),
        subject: derived_id(Uuid::nil(), letter.key.as_bytes()),
        channel: EMAIL,
        destination: address.to_owned(),
        alert: serde_json::to_string(letter).map_err(|error| DbError::Data(error.to_string()))?,
        undeliverable: None,
    })
}
