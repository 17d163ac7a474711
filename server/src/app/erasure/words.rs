//! Words that belong to no one customer (what shifts hand over, why there is planned work, answers that are kept to be
//! given again) may name people of one: there the names and numbers that are known go, and the rest stays.

use std::collections::BTreeSet;

use linewatch_shared::erase::ERASED;
use linewatch_shared::facts::{Body, Record};
use linewatch_shared::matter::{MatterEvent, MatterStep, Side};
use linewatch_shared::sla::Event;
use uuid::Uuid;

use super::page::{AT_ONCE, BEFORE_ALL, Scope};
use super::{Counts, add};
use crate::db::{DbError, Tx};
use crate::store::erasure;
use crate::store::erasure_words::{self, Words};
use crate::store::matters;

/// The most names and numbers that are looked for.
const PERSONAL_MAX: usize = 5_000;
/// The most places of one column in which one of them is replaced at once.
const PLACES_MAX: i64 = 10_000;
/// A shorter one in plain letters may be any word.
const LETTERS_MIN: usize = 4;
/// What a kept answer becomes.
const NO_ANSWER: &str = "{\"erased\":true}";

/// Names and numbers of the customer's people, as far as they stand in fields of their own.
pub(super) fn personal(tx: &mut Tx<'_>, scope: &Scope) -> Result<BTreeSet<String>, DbError> {
    let mut found = Found::default();
    for text in erasure::contact(tx, &scope.customer)?.into_iter().flatten() {
        found.note(&text);
    }
    for text in erasure::site_contacts(tx, &scope.customer)?.into_iter().flatten().flatten() {
        found.note(&text);
    }
    for span in &scope.spans {
        let mut after = BEFORE_ALL;
        loop {
            let page = erasure::facts(tx, span, after, AT_ONCE)?;
            for (id, at, event) in &page {
                after = (*at, *id);
                if let Event::Report { reporter, .. } = event {
                    found.note(reporter);
                }
            }
            if (page.len() as i64) < AT_ONCE {
                break;
            }
        }
    }
    visits(tx, scope, &mut found)?;
    of_matters(tx, scope, &mut found)?;
    Ok(found.0)
}

#[derive(Default)]
struct Found(BTreeSet<String>);

impl Found {
    fn note(&mut self, text: &str) {
        let text = text.trim();
        let long_enough = text.chars().count() >= if text.is_ascii() { LETTERS_MIN } else { 2 };
        if long_enough && text != ERASED && self.0.len() < PERSONAL_MAX {
            self.0.insert(text.to_owned());
        }
    }
}

fn visits(tx: &mut Tx<'_>, scope: &Scope, found: &mut Found) -> Result<(), DbError> {
    let mut after = Uuid::nil();
    loop {
        let page = erasure::visits(tx, after, AT_ONCE)?;
        for (id, bytes) in &page {
            after = *id;
            if let Ok(Record { body: Body::Visit(visit), .. }) = Record::from_bytes(bytes)
                && visit.customer == scope.customer
            {
                found.note(&visit.met);
                found.note(visit.signed_by.as_deref().unwrap_or_default());
            }
        }
        if (page.len() as i64) < AT_ONCE {
            return Ok(());
        }
    }
}

fn of_matters(tx: &mut Tx<'_>, scope: &Scope, found: &mut Found) -> Result<(), DbError> {
    let mut after = Uuid::nil();
    loop {
        let page = erasure::matters(tx, &scope.customer, after, AT_ONCE)?;
        for id in &page {
            after = *id;
            for stored in matters::facts(tx, *id)? {
                match &stored.fact.event {
                    MatterEvent::Opened(opening) if opening.reporter != stored.by => {
                        found.note(&opening.reporter);
                    }
                    MatterEvent::Step(MatterStep::Made { met, .. }) => found.note(met),
                    MatterEvent::Step(
                        MatterStep::Signed { name, side: None | Some(Side::Customer) }
                        | MatterStep::Planned { agreed_by: Some(name), .. },
                    ) => found.note(name),
                    _ => {}
                }
            }
        }
        if (page.len() as i64) < AT_ONCE {
            return Ok(());
        }
    }
}

/// Replaces them where they stand among other words, and kept answers about the customer as a whole.
pub(super) fn replace(
    tx: &mut Tx<'_>,
    scope: &Scope,
    personal: &BTreeSet<String>,
    counts: &mut Counts,
) -> Result<(), DbError> {
    let named = format!("\"customer\":{}", serde_json::Value::from(scope.customer.as_str()));
    // Where several of them stand in one place, it counts once.
    let mut places = BTreeSet::new();
    places.extend(replace_in(tx, scope, Words::Answer, &named)?);
    for text in personal {
        for column in Words::ALL {
            places.extend(replace_in(tx, scope, column, text)?);
        }
    }
    for (column, _) in &places {
        add(counts, column, 1);
    }
    Ok(())
}

fn replace_in(
    tx: &mut Tx<'_>,
    scope: &Scope,
    column: Words,
    text: &str,
) -> Result<Vec<(&'static str, String)>, DbError> {
    let mut places = Vec::new();
    for (key, words) in erasure_words::words_with(tx, column, text, PLACES_MAX)? {
        let erased = if column == Words::Answer { NO_ANSWER.to_owned() } else { words.replace(text, ERASED) };
        if erased == words {
            continue;
        }
        places.push((column.name(), format!("{key:?}")));
        if scope.apply {
            erasure_words::replace_words(tx, column, &key, &erased)?;
        }
    }
    Ok(places)
}
