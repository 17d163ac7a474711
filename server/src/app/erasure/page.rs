//! One page of an erasure: so much as one transaction may hold.

use linewatch_shared::erase;
use linewatch_shared::facts::{Body, Record};
use linewatch_shared::rules::MatterKind;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::{Counts, add};
use crate::db::{DbError, Tx};
use crate::notify::alert::Alert;
use crate::notify::letter::Letter;
use crate::store::erasure::{self, LineSpan, PutAside};
use crate::store::{facts, faults, matters, parts, plans};

/// What one page looks at.
pub(super) const AT_ONCE: i64 = 100;

/// Whose data, and where it may be.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) customer: String,
    pub(super) spans: Vec<LineSpan>,
    /// False to count only.
    pub(super) apply: bool,
}

impl Scope {
    pub(super) fn of(tx: &mut Tx<'_>, customer: &str, apply: bool) -> Result<Self, DbError> {
        Ok(Self { customer: customer.to_owned(), spans: erasure::spans(tx, customer)?, apply })
    }

    /// Whether a line was the customer's at a moment.
    fn holds(&self, line: &str, at: UnixMs) -> bool {
        self.spans.iter().any(|span| span.line == line && span.from <= at && at < span.to)
    }
}

/// Where an erasure stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Facts { span: usize, after: (UnixMs, Uuid) },
    Visits(Uuid),
    Field(Uuid),
    Faults(Uuid),
    Matters(Uuid),
    Asides(i64),
    Rest,
    Done,
}

impl Place {
    pub(super) const START: Self = Self::Facts { span: 0, after: BEFORE_ALL };
}

/// Before every fact.
pub(super) const BEFORE_ALL: (UnixMs, Uuid) = (UnixMs(i64::MIN), Uuid::nil());

/// Erases a page, and answers where the next one is.
pub(super) fn page(tx: &mut Tx<'_>, scope: &Scope, at: Place, counts: &mut Counts) -> Result<Place, DbError> {
    match at {
        Place::Facts { span, after } => line_facts(tx, scope, (span, after), counts),
        Place::Visits(after) => visits(tx, scope, after, counts),
        Place::Field(after) => of_the_field(tx, scope, after, counts),
        Place::Faults(after) => of_faults(tx, scope, after, counts),
        Place::Matters(after) => of_matters(tx, scope, after, counts),
        Place::Asides(after) => asides(tx, scope, after, counts),
        Place::Rest => rest(tx, scope, counts),
        Place::Done => Ok(Place::Done),
    }
}

fn line_facts(
    tx: &mut Tx<'_>,
    scope: &Scope,
    (at, after): (usize, (UnixMs, Uuid)),
    counts: &mut Counts,
) -> Result<Place, DbError> {
    let Some(span) = scope.spans.get(at) else { return Ok(Place::Visits(Uuid::nil())) };
    if scope.apply {
        tx.lock(&[faults::lock_key(&span.line)])?;
    }
    let page = erasure::facts(tx, span, after, AT_ONCE)?;
    let next = match page.last() {
        Some((id, occurred_at, _)) if page.len() as i64 == AT_ONCE => {
            Place::Facts { span: at, after: (*occurred_at, *id) }
        }
        _ => Place::Facts { span: at + 1, after: BEFORE_ALL },
    };
    for (id, _, mut event) in page {
        if erase::event(&mut event) {
            add(counts, "facts", 1);
            if scope.apply {
                erasure::replace_fact(tx, id, &event)?;
            }
        }
        if let Some(bytes) = erasure::record(tx, id)? {
            erase_record(tx, scope, id, &bytes, counts)?;
        }
    }
    Ok(next)
}

fn erase_record(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: Uuid,
    bytes: &[u8],
    counts: &mut Counts,
) -> Result<(), DbError> {
    let mut record = decoded(bytes)?;
    if !erase::record(&mut record) {
        return Ok(());
    }
    add(counts, "records", 1);
    if scope.apply {
        erasure::replace_record(tx, id, &encoded(&record)?)?;
    }
    Ok(())
}

fn decoded(bytes: &[u8]) -> Result<Record, DbError> {
    Record::from_bytes(bytes).map_err(|error| DbError::Data(error.to_string()))
}

fn encoded(record: &Record) -> Result<Vec<u8>, DbError> {
    record.to_bytes().map_err(|error| DbError::Data(error.to_string()))
}

fn visits(tx: &mut Tx<'_>, scope: &Scope, after: Uuid, counts: &mut Counts) -> Result<Place, DbError> {
    let page = erasure::visits(tx, after, AT_ONCE)?;
    let last = page.last().map(|(id, _)| *id).filter(|_| page.len() as i64 == AT_ONCE);
    for (id, bytes) in page {
        if of_customer(tx, scope, &decoded(&bytes)?.body)? {
            erase_record(tx, scope, id, &bytes, counts)?;
            add(counts, "parts", parts::unerased(tx, id)?);
            if scope.apply {
                parts::erase(tx, id, erase::ERASED)?;
            }
        }
    }
    Ok(last.map_or(Place::Field(Uuid::nil()), Place::Visits))
}

/// Matters that were taken in on site, and steps that were taken there, as they were sent.
fn of_the_field(tx: &mut Tx<'_>, scope: &Scope, after: Uuid, counts: &mut Counts) -> Result<Place, DbError> {
    let page = erasure::of_the_field(tx, after, AT_ONCE)?;
    let last = page.last().map(|(id, _)| *id).filter(|_| page.len() as i64 == AT_ONCE);
    for (id, bytes) in page {
        if of_customer(tx, scope, &decoded(&bytes)?.body)? {
            erase_record(tx, scope, id, &bytes, counts)?;
        }
    }
    Ok(last.map_or(Place::Faults(Uuid::nil()), Place::Field))
}

/// Whether what was written down on site is about the customer.
fn of_customer(tx: &mut Tx<'_>, scope: &Scope, body: &Body) -> Result<bool, DbError> {
    Ok(match body {
        Body::Visit(visit) => visit.customer == scope.customer,
        Body::Opened(opened) => opened.customer == scope.customer,
        Body::Deed(deed) => {
            matters::one(tx, deed.matter)?.is_some_and(|known| known.matter.customer == scope.customer)
        }
        _ => false,
    })
}

fn of_faults(tx: &mut Tx<'_>, scope: &Scope, after: Uuid, counts: &mut Counts) -> Result<Place, DbError> {
    let page = erasure::faults(tx, &scope.customer, after, AT_ONCE)?;
    let last = page.last().map(|state| state.fault.id).filter(|_| page.len() as i64 == AT_ONCE);
    for state in page {
        if scope.apply {
            tx.lock(&[faults::lock_key(&state.fault.line)])?;
        }
        // Read again under the line's lock: the engine may have judged it meanwhile.
        let Some(mut state) = faults::one(tx, state.fault.id)? else { continue };
        if erase::fault(&mut state.fault) {
            add(counts, "faults", 1);
            if scope.apply {
                erasure::replace_fault(tx, &state)?;
            }
        }
        for id in std::iter::once(state.fault.id).chain(state.fault.aliases.clone()) {
            messages(tx, scope, id, counts)?;
        }
    }
    Ok(last.map_or(Place::Matters(Uuid::nil()), Place::Faults))
}

fn of_matters(tx: &mut Tx<'_>, scope: &Scope, after: Uuid, counts: &mut Counts) -> Result<Place, DbError> {
    let page = erasure::matters(tx, &scope.customer, after, AT_ONCE)?;
    let last = page.last().copied().filter(|_| page.len() as i64 == AT_ONCE);
    for id in page {
        if scope.apply {
            tx.lock(&[matters::lock_key(id)])?;
        }
        for stored in matters::facts(tx, id)? {
            let mut event = stored.fact.event;
            if erase::matter_event(&mut event) {
                add(counts, "facts", 1);
                if scope.apply {
                    erasure::replace_matter_fact(tx, stored.fact.id, &event)?;
                }
            }
        }
        let Some(mut standing) = matters::one(tx, id)? else { continue };
        if erase::matter(&mut standing.matter) {
            add(counts, "matters", 1);
            if scope.apply {
                erasure::replace_matter(tx, &standing)?;
            }
        }
        messages(tx, scope, id, counts)?;
    }
    Ok(last.map_or(Place::Asides(i64::MIN), Place::Matters))
}

fn messages(tx: &mut Tx<'_>, scope: &Scope, subject: Uuid, counts: &mut Counts) -> Result<(), DbError> {
    for (n, text) in erasure::messages(tx, subject)? {
        let Letter::Alert(mut alert) =
            Letter::read(&text).map_err(|error| DbError::Data(error.to_string()))?
        else {
            continue;
        };
        if !erase_alert(&mut alert) {
            continue;
        }
        add(counts, "messages", 1);
        if scope.apply {
            let text = serde_json::to_string(&alert).map_err(|error| DbError::Data(error.to_string()))?;
            erasure::replace_message(tx, n, &text)?;
        }
    }
    Ok(())
}

/// What people wrote goes; whom it was for, and of what it told, stays.
fn erase_alert(alert: &mut Alert) -> bool {
    let said = alert.done.iter_mut().fold(false, |any, done| erase::text(&mut done.text) | any);
    let rounds = [MatterKind::Visit.name(), MatterKind::Patrol.name()];
    let titled = alert.matter.as_mut().filter(|matter| !rounds.contains(&matter.kind.as_str()));
    titled.is_some_and(|matter| erase::text(&mut matter.title)) | said
}

fn asides(tx: &mut Tx<'_>, scope: &Scope, after: i64, counts: &mut Counts) -> Result<Place, DbError> {
    let page = erasure::asides(tx, &scope.customer, after, AT_ONCE)?;
    let last = page.last().map(|aside| aside.n).filter(|_| page.len() as i64 == AT_ONCE);
    for aside in page {
        let erased = erased_aside(tx, scope, &aside)?;
        let Some((bytes, detail)) = erased else { continue };
        add(counts, "records_aside", 1);
        if scope.apply {
            erasure::replace_aside(tx, aside.n, &bytes, detail)?;
        }
    }
    Ok(last.map_or(Place::Rest, Place::Asides))
}

/// The bytes that are left, and the detail where it goes too.
type Left = (Vec<u8>, Option<&'static str>);

/// What is left of a body that was put aside, where it speaks of the customer. One that this version cannot read, and
/// in which the customer's code or a line's stands, goes as a whole: what else is in it nobody knows.
fn erased_aside(tx: &mut Tx<'_>, scope: &Scope, aside: &PutAside) -> Result<Option<Left>, DbError> {
    let Ok(mut record) = Record::from_bytes(&aside.bytes) else {
        let mark = erase::ERASED.as_bytes();
        let codes = std::iter::once(&scope.customer).chain(scope.spans.iter().map(|span| &span.line));
        let speaks =
            aside.bytes != mark && codes.into_iter().any(|code| holds(&aside.bytes, code.as_bytes()));
        return Ok(speaks.then(|| (mark.to_vec(), Some(erase::ERASED))));
    };
    let at = record.occurred.raw();
    let is_customers = match &record.body {
        Body::Report(report) => scope.holds(&report.line, at),
        Body::Step(step) => {
            let known = faults::resolve(tx, step.fault)?.map(|(_, line)| line);
            let line = if known.is_some() { known } else { facts::line_of(tx, step.fault)? };
            line.is_some_and(|line| scope.holds(&line, at))
        }
        body => of_customer(tx, scope, body)?,
    };
    if !is_customers || !erase::record(&mut record) {
        return Ok(None);
    }
    Ok(Some((encoded(&record)?, None)))
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && bytes.windows(part.len()).any(|window| window == part)
}

fn rest(tx: &mut Tx<'_>, scope: &Scope, counts: &mut Counts) -> Result<Place, DbError> {
    let [name, phone] = erasure::contact(tx, &scope.customer)?;
    add(counts, "contacts", i64::from(name.is_some()) + i64::from(phone.is_some()));
    let of_sites = erasure::site_contacts(tx, &scope.customer)?;
    add(counts, "contacts", of_sites.iter().flatten().flatten().count() as i64);
    add(counts, "survey_comments", erasure::comments(tx, &scope.customer, erase::ERASED)?);
    add(counts, "equipment_reasons", erasure::reasons(tx, &scope.customer, erase::ERASED)?);
    add(counts, "conflicts", erasure::notes(tx, &scope.customer, erase::ERASED)?);
    add(counts, "risks", erasure::risks(tx, &scope.customer, erase::ERASED)?);
    add(counts, "plans", plans::words(tx, &scope.customer, erase::ERASED)?);
    if scope.apply {
        plans::replace_words(tx, &scope.customer, erase::ERASED)?;
        erasure::replace_reasons(tx, &scope.customer, erase::ERASED)?;
        erasure::replace_notes(tx, &scope.customer, erase::ERASED)?;
        erasure::replace_risks(tx, &scope.customer, erase::ERASED)?;
        erasure::forget_contact(tx, &scope.customer)?;
        erasure::forget_site_contacts(tx, &scope.customer)?;
        erasure::replace_comments(tx, &scope.customer, erase::ERASED)?;
    }
    Ok(Place::Done)
}
