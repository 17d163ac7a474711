//! The papers of the monthly service-quality meeting: the month against earlier ones, what was missed and why, who is
//! worst, who is at risk, what has to be decided.
//!
//! Once the month is over each making that says something else is kept as a copy. An approved copy is what is read from
//! then on, with what has changed since; the approval is the month's summary, which is owed by a day of the next month
//! (`desk_owes`).

pub mod content;
mod make;
mod walked;
mod written;

use linewatch_shared::time::UnixMs;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::app::desk::{Desk, DeskError};
use crate::app::report::period::Period;
use crate::app::report::{ReportError, look_again};
use crate::app::{Action, audit};
use crate::db::{Db, DbError, Priority, Tx};
use crate::store::papers::{self as stored, Copy};
use crate::store::report::made;
use content::{ChangedFigure, CopyView, Papers, PapersView};
pub use make::Making;

/// Copies of a month that are kept, beside approved ones.
const COPIES_MAX: i64 = 50;
/// The most bytes of a copy, decompressed.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How hard copies are compressed.
const ZSTD_LEVEL: i32 = 3;
/// Months before whose figures are counted again, where they were counted once: late facts may have changed them.
const MONTHS_AGAIN: u32 = 12;

/// Why there are no papers.
#[derive(Debug, thiserror::Error)]
pub enum PapersError {
    /// The figures could not be made.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// An assessment could not be made.
    #[error("{0}")]
    Assessment(String),
    /// There is no such copy.
    #[error("there is no copy {0} of the papers of {1}; take the papers once, and see `copies`")]
    NoCopy(i64, String),
}

impl From<DbError> for PapersError {
    fn from(error: DbError) -> Self {
        Self::Report(error.into())
    }
}

/// Which papers of a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// The copy that was approved last; made now where none was.
    #[default]
    Current,
    /// Made now.
    Fresh,
    /// A copy.
    Copy(i64),
}

/// Takes a month's papers in a form, and writes down who did.
///
/// # Errors
/// When the month lies ahead, or there is no such copy.
pub async fn publish(
    db: &Db,
    desk: &Desk,
    (making, which): (Making, Which),
    (who, form): (&str, &'static str),
) -> Result<PapersView, PapersError> {
    let month = making.month.to_string();
    let asked = month.clone();
    let found: Result<Option<Copy>, PapersError> = db.read(move |tx| wanted(tx, &asked, which)).await;
    let copy = found?;
    if copy.is_none() {
        count_again(db, desk, making).await?;
    }
    let (reading, of) = (desk.clone(), copy.clone());
    let read = move |tx: &mut Tx<'_>| match &of {
        Some(copy) => kept(&reading, tx, making, copy),
        None => Ok((make::papers(&reading, tx, making)?, Vec::new())),
    };
    let (papers, changed_since) = db.read(read).await?;
    let (who, subject) = (who.to_owned(), format!("papers/{month}"));
    let write = move |tx: &mut Tx<'_>| {
        let mut papers = papers.clone();
        let copy = match &copy {
            None if papers.complete => Some(keep(tx, &papers, &who, making.now)?),
            other => other.clone(),
        };
        let detail = json!({ "form": form, "copy": copy.as_ref().map(|copy| copy.number) });
        audit(tx, making.now.0, &who, Action::PapersExported, &subject, Some(&detail))?;
        written::fill(tx, &mut papers)?;
        let copies = stored::copies(tx, &papers.month, COPIES_MAX)?;
        Ok::<_, PapersError>((papers, copy, copies))
    };
    let (papers, copy, copies) = db.write(Priority::Api, write).await?;
    Ok(PapersView {
        papers,
        as_of: copy.as_ref().map_or(making.now, |copy| copy.made_at).to_rfc3339(),
        copy: copy.map(view),
        copies: copies.into_iter().map(view).collect(),
        changed_since,
    })
}

/// The copy that is meant; none where the papers are made now.
fn wanted(tx: &mut Tx<'_>, month: &str, which: Which) -> Result<Option<Copy>, PapersError> {
    let copies = stored::copies(tx, month, COPIES_MAX)?;
    match which {
        Which::Fresh => Ok(None),
        Which::Current => Ok(copies
            .into_iter()
            .filter(|copy| copy.approved.is_some())
            .max_by_key(|copy| (copy.approved.as_ref().map(|(_, at)| *at), copy.number))),
        Which::Copy(number) => {
            let found = copies.into_iter().find(|copy| copy.number == number);
            found.map(Some).ok_or_else(|| PapersError::NoCopy(number, month.to_owned()))
        }
    }
}

/// Late facts may have changed months that were reported before: their figures are kept again, so that the papers tell.
async fn count_again(db: &Db, desk: &Desk, making: Making) -> Result<(), PapersError> {
    let months = (0..=MONTHS_AGAIN).rev().filter_map(|back| making.month.months_before(back));
    for month in months {
        let reported = db
            .read(move |tx| {
                Ok::<_, DbError>(!made(tx, month.kind().name(), &month.to_string(), 1)?.is_empty())
            })
            .await?;
        if reported {
            look_again(db, &desk.packs, (month, making.rules), making.now).await?;
        }
    }
    Ok(())
}

/// A kept copy, and what has changed since.
fn kept(
    desk: &Desk,
    tx: &mut Tx<'_>,
    making: Making,
    copy: &Copy,
) -> Result<(Papers, Vec<ChangedFigure>), PapersError> {
    let month = making.month.to_string();
    let missing = || PapersError::NoCopy(copy.number, month.clone());
    let body = stored::body(tx, &month, copy.number)?.ok_or_else(missing)?;
    let bad = |error: String| DbError::Data(format!("papers.body: {error}"));
    let text = zstd::bulk::decompress(&body, BODY_BYTES_MAX).map_err(|e| bad(e.to_string()))?;
    let papers: Papers = serde_json::from_slice(&text).map_err(|e| bad(e.to_string()))?;
    let now = make::Reports::make(desk, tx, making)?.this;
    let then =
        |name: &str| papers.figures.iter().find(|figure| figure.name == name).map(|figure| figure.value);
    let changed = make::values(&now).filter_map(|(name, now)| {
        let then = then(name)?;
        (then != now).then(|| ChangedFigure { name: name.to_owned(), then, now })
    });
    let changed = changed.collect();
    Ok((papers, changed))
}

/// Keeps what the papers say, where the last copy says something else.
fn keep(tx: &mut Tx<'_>, papers: &Papers, who: &str, now: UnixMs) -> Result<Copy, PapersError> {
    let bad = |error: String| DbError::Data(format!("papers.body: {error}"));
    let text = serde_json::to_vec(papers).map_err(|e| bad(e.to_string()))?;
    let sha256 = hex::encode(Sha256::digest(compared(papers).map_err(|e| bad(e.to_string()))?));
    tx.lock(&[stored::lock_key(&papers.month)])?;
    let last = stored::copies(tx, &papers.month, 1)?.pop();
    let number = match last {
        Some(last) if last.sha256 == sha256 => return Ok(last),
        last => last.map_or(0, |last| last.number) + 1,
    };
    let copy = Copy { number, made_at: now, made_by: who.to_owned(), sha256, approved: None };
    let body = zstd::encode_all(text.as_slice(), ZSTD_LEVEL).map_err(|e| bad(e.to_string()))?;
    stored::keep(tx, &papers.month, &copy, &body)?;
    stored::drop_unapproved(tx, &papers.month, number - COPIES_MAX)?;
    Ok(copy)
}

/// What two makings are compared by: a proposal that moves with the clock is no difference.
fn compared(papers: &Papers) -> Result<Vec<u8>, serde_json::Error> {
    let mut papers = papers.clone();
    papers.risks.items.iter_mut().for_each(|risk| risk.visit_proposed_by = None);
    serde_json::to_vec(&papers)
}

/// Approves a copy: the month's summary is there then.
///
/// # Errors
/// When the month runs, nothing was made yet, or there is no such copy.
pub fn approve(
    tx: &mut Tx<'_>,
    (month, zone): (Period, chrono_tz::Tz),
    number: Option<i64>,
    by: &str,
    now: UnixMs,
) -> Result<Vec<CopyView>, DeskError> {
    if now < month.bounds(zone).1 {
        let detail = format!("{month} is not over yet: its papers are approved then");
        return Err(DeskError::Impossible { detail, possible: Vec::new() });
    }
    let month = month.to_string();
    tx.lock(&[stored::lock_key(&month)])?;
    let copies = stored::copies(tx, &month, COPIES_MAX)?;
    let Some(last) = copies.first() else {
        let detail = format!("no papers were made of {month} yet: read them first");
        return Err(DeskError::Impossible { detail, possible: vec!["take"] });
    };
    let number = number.unwrap_or(last.number);
    let copy = copies.iter().find(|copy| copy.number == number);
    let known = || copies.iter().map(|copy| copy.number.to_string()).collect::<Vec<_>>().join(", ");
    let copy = copy.ok_or_else(|| DeskError::Invalid {
        field: "copy",
        reason: format!("{number} is no copy of the papers of {month}; there are: {}", known()),
    })?;
    if copy.approved.is_none() {
        stored::approve(tx, &month, number, by, now)?;
        let detail = json!({ "copy": number, "sha256": copy.sha256 });
        audit(tx, now.0, by, Action::PapersApproved, &format!("papers/{month}"), Some(&detail))?;
    }
    Ok(stored::copies(tx, &month, COPIES_MAX)?.into_iter().map(view).collect())
}

fn view(copy: Copy) -> CopyView {
    let (approved_by, approved_at) = copy.approved.unzip();
    CopyView {
        number: copy.number,
        made_at: copy.made_at.to_rfc3339(),
        made_by: copy.made_by,
        approved_by,
        approved_at: approved_at.map(UnixMs::to_rfc3339),
    }
}
