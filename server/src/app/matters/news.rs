//! Who is told that somebody did something about a matter: its first receiver of the outcome, once; and, where its class
//! is reported upwards, those to whom it is, of each change until it is closed.

use std::collections::BTreeMap;

use linewatch_shared::matter::Matter;
use linewatch_shared::rules::MatterKind;
use linewatch_shared::sla::PackVersion;
use linewatch_shared::time::{MINUTE_MS, UnixMs};

use super::alerts::{alert, done_so_far};
use super::{Changed, News};
use crate::app::alerting::Said;
use crate::app::desk::{Channels, Desk};
use crate::db::{DbError, Tx};
use crate::notify::{EMAIL, WEBHOOK, WEBHOOK_NAME};
use crate::store::outgoing::{NewMessage, insert_messages};
use crate::store::{customers, people};

/// People write down what they did some minutes later; what is older does not sound like news (ms).
const LATE_AFTER_MS: i64 = 15 * MINUTE_MS;
/// The most people whose address is looked up.
const ADDRESSES_MAX: i64 = 20_000;
/// The receivers of `reported_to` that are no person.
const SUPERVISORS: &str = "supervisors";
const DESK: &str = "desk";
/// Said where a change has to be reported upwards and nobody is there.
const NOBODY: &str =
    "nobody to report to: set desk.supervisors, or the class' reported_to, then send this again";

/// Puts what has to be told into the outbox.
///
/// # Errors
/// The database's.
pub(super) fn send(desk: &Desk, tx: &mut Tx<'_>, changed: &[Changed], now: UnixMs) -> Result<(), DbError> {
    if desk.channels == Channels::default() {
        return Ok(());
    }
    let mut messages = Vec::new();
    let mut addresses = None;
    for Changed { matter, news, .. } in changed {
        let Some(news) = news else { continue };
        let versions = desk.packs.versions(tx)?;
        let upwards = upwards(&versions, matter, news);
        let outcome = is_outcome(matter, news);
        if upwards.is_empty() && !outcome {
            continue;
        }
        let addresses = match &addresses {
            Some(known) => known,
            None => addresses.insert(people::addresses(tx, ADDRESSES_MAX)?),
        };
        let owners = customers::owners(tx, &matter.customer)?.unwrap_or_default();
        let done = done_so_far(tx, matter)?;
        let mut tell = |mark: &str, key: String, manager: &str, to: Vec<String>| -> Result<(), DbError> {
            let late = now.since(news.at) > LATE_AFTER_MS;
            let said = Said {
                key,
                kind: news.kind.to_owned(),
                mark: mark.to_owned(),
                at: news.at,
                late,
                due_at: news.at,
            };
            let mut alert = alert(desk, &versions, matter, &owners, said, done.clone());
            manager.clone_into(&mut alert.manager);
            let text = serde_json::to_string(&alert).map_err(|error| DbError::Data(error.to_string()))?;
            messages.extend(messages_to(desk, &alert.key, matter, &to, &text));
            Ok(())
        };
        if outcome {
            let to = addresses.get(&matter.first_receiver).unwrap_or(&desk.noc_email);
            let to = if to.is_empty() { Vec::new() } else { vec![to.clone()] };
            tell("outcome", format!("{}/outcome", matter.id), &matter.first_receiver, to)?;
        }
        if !upwards.is_empty() {
            let to = receivers(desk, addresses, &upwards);
            if to.is_empty() && desk.channels.email {
                tell("changed", format!("{}/changed/{}", matter.id, news.fact), "", vec![String::new()])?;
            } else {
                tell("changed", format!("{}/changed/{}", matter.id, news.fact), "", to)?;
            }
        }
    }
    insert_messages(tx, &messages, now)
}

/// To whom the change goes up, by the class before it and after it; nobody for a mere note, and once it was closed.
fn upwards(versions: &[PackVersion], matter: &Matter, news: &News) -> Vec<String> {
    let was_over = news.before.as_ref().is_some_and(|(_, live)| !live);
    if was_over || news.kind == "note" {
        return Vec::new();
    }
    let (name, version) = &matter.pack;
    let pack = versions.iter().find(|known| known.pack.name == *name && known.pack.version == *version);
    let before = news.before.as_ref().map_or("", |(class, _)| class.as_str());
    let classes = pack.iter().flat_map(|known| &known.pack.classes);
    let mut to: Vec<String> = classes
        .filter(|class| class.matter == matter.kind && (class.name == matter.class || class.name == before))
        .flat_map(|class| class.reported_to.clone())
        .collect();
    to.sort_unstable();
    to.dedup();
    to
}

/// Whether it ended by this, and somebody else took it in: who ends it knows the outcome.
fn is_outcome(matter: &Matter, news: &News) -> bool {
    let asked_for = matches!(matter.kind, MatterKind::Complaint | MatterKind::Request | MatterKind::Defect);
    let was_live = news.before.as_ref().is_some_and(|(_, live)| *live);
    asked_for && was_live && !matter.state.is_live() && matter.first_receiver != news.by
}

/// The addresses of those whom a class names.
fn receivers(desk: &Desk, addresses: &BTreeMap<String, String>, names: &[String]) -> Vec<String> {
    let mut to: Vec<String> = Vec::new();
    for name in names {
        match name.as_str() {
            SUPERVISORS => to.extend(desk.supervisors.iter().cloned()),
            DESK => to.push(desk.noc_email.clone()),
            name if name.parse::<lettre::Address>().is_ok() => to.push(name.to_owned()),
            name => to.extend(addresses.get(name).cloned()),
        }
    }
    to.retain(|address| !address.is_empty());
    to.sort_unstable();
    to.dedup();
    to
}

fn messages_to(desk: &Desk, key: &str, matter: &Matter, to: &[String], text: &str) -> Vec<NewMessage> {
    let message = |channel: &'static str, destination: &str| NewMessage {
        key: format!("{key}/{channel}/{destination}"),
        subject: matter.id,
        channel,
        destination: destination.to_owned(),
        alert: text.to_owned(),
        undeliverable: destination.is_empty().then_some(NOBODY),
        ..NewMessage::default()
    };
    let mut messages = Vec::new();
    if desk.channels.email {
        messages.extend(to.iter().map(|address| message(EMAIL, address)));
    }
    if desk.channels.webhook {
        messages.push(message(WEBHOOK, WEBHOOK_NAME));
    }
    messages
}
