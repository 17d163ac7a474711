//! The day's list goes out: to each owner the own part, while an owner is away to the deputies too, to the desk the whole.
//! One mail a person and day: the key in the outbox says so.

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
    for (name, lists) in parts_by_recipient(list) {
        let Some(address) = address_of(&addresses, name).filter(|_| messages.len() < OWNERS_MAX) else {
            continue;
        };
        let owners = with_room(lists.iter().map(|list| (list, true)));
        messages.push(message(DayLetter { owners, ..letter(desk, list, zone, now) }, name, address)?);
    }
    if !desk.noc_email.is_empty() {
        let mailed = |owner: &OwnersList| address_of(&addresses, &owner.owner).is_some();
        let owners = list.owners.iter().take(OWNERS_MAX).map(|owner| (owner, mailed(owner)));
        let notices = list.notices.iter().map(worded).collect();
        let owners = with_room(owners);
        let whole = DayLetter { owners, notices, whole: true, ..letter(desk, list, zone, now) };
        messages.push(message(whole, "", &desk.noc_email)?);
    }
    insert_messages(tx, &messages, now)
}

/// What each person is sent: the own part, then those for which the person stands in.
fn parts_by_recipient(list: &DailyList) -> BTreeMap<&str, Vec<OwnersList>> {
    let mut parts: BTreeMap<&str, Vec<OwnersList>> = BTreeMap::new();
    for owner in list.owners.iter().filter(|owner| !owner.owner.is_empty()) {
        // Who is away gets the list all the same: it is there on the return.
        let own = OwnersList { away_until: None, ..owner.clone() };
        parts.entry(&owner.owner).or_default().insert(0, own);
        for (deputy, part) in owner.by_deputy() {
            parts.entry(deputy).or_default().push(part);
        }
    }
    parts
}

/// One letter's parts: who stands first has the most room.
fn with_room<'a>(lists: impl Iterator<Item = (&'a OwnersList, bool)>) -> Vec<DayOwner> {
    let mut room = ITEMS_MAX;
    let mut owners = Vec::new();
    for (list, mailed) in lists {
        let part = part(list, mailed, room);
        room -= part.items.len();
        owners.push(part);
    }
    owners
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
        let key = format!("{}/{}/{address}", notice.kind, notice.month);
        messages.push(outgoing(&notice_letter(desk, key, worded(notice), zone, now), address)?);
    }
    insert_messages(tx, &messages, now)
}

/// Tells the desk once, under a key: what kind of thing it is, of what, and a moment.
///
/// # Errors
/// The database's.
pub fn tell_desk(
    desk: &Desk,
    tx: &mut Tx<'_>,
    key: String,
    notice: (String, String, UnixMs),
    zone: Tz,
    now: UnixMs,
) -> Result<(), DbError> {
    let letter = notice_letter(desk, key, notice, zone, now);
    insert_messages(tx, &[outgoing(&letter, &desk.noc_email)?], now)
}

fn notice_letter(
    desk: &Desk,
    key: String,
    notice: (String, String, UnixMs),
    zone: Tz,
    now: UnixMs,
) -> DayLetter {
    DayLetter {
        key,
        day: day_of(zone, now).to_string(),
        as_of: now,
        time_zone: zone.to_string(),
        notices: vec![notice],
        whole: true,
        link: format!("{}/", desk.link_base),
        ..DayLetter::default()
    }
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

fn part(owner: &OwnersList, mailed: bool, room: usize) -> DayOwner {
    DayOwner {
        name: owner.owner.clone(),
        mailed,
        away_until: owner.away_until.as_deref().and_then(|until| UnixMs::parse_rfc3339(until).ok()),
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
        ..NewMessage::default()
    })
}
