//! Figures by month, quarter and year.
//!
//! [`measure`] says what one fault adds to which figure; [`make`] sums it up in one pass, [`rows`] shows the rows
//! that a figure is made of by the same function. [`history`] keeps what was made, and tells what later facts
//! changed. Rendering is in `crate::report`.
//!
//! **Invariant:** once a period is over, its figures are a function of the facts: no clock, no order of arrival.

pub mod book;
pub mod figure;
pub mod group;
pub mod history;
pub mod hotline;
pub mod make;
pub mod measure;
pub mod measure_matter;
pub mod period;
pub mod ratio;
pub mod rows;
pub mod samples;
pub mod service;
pub mod stretch;
pub mod tally;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use linewatch_shared::time::UnixMs;
use serde_json::json;

use crate::app::quality::SampleRules;
use crate::app::{Action, audit};
use crate::db::{Db, DbError, Priority};
use crate::store::packs::PackCache;
use crate::store::report::made;
use crate::store::scope::Scope;
use history::{Learnt, VERSIONS_MAX, Version};
use make::{Report, book, make};
use period::Period;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The period lies ahead.
    #[error("{0} has not begun yet")]
    NotBegun(Period),
    /// It would not fit.
    #[error("the report would have more than {1} {0}")]
    TooLarge(&'static str, usize),
    /// A figure that is not one of its grouping.
    #[error("{0}")]
    Unknown(String),
}

/// A report with what became of its figures.
#[derive(Clone, Debug)]
pub struct Published {
    /// The report.
    pub report: Report,
    /// SHA-256 of its figures.
    pub sha256: String,
    /// The versions of a period that is over, the oldest first; the last one is this report's.
    pub versions: Vec<Version>,
}

/// Makes a report, keeps its figures where they are new, and writes down who took it in which form.
///
/// # Errors
/// The database's; when the period lies ahead.
pub async fn publish(
    db: &Db,
    packs: &Arc<PackCache>,
    of: (Period, SampleRules),
    who: &str,
    form: &str,
    now: UnixMs,
) -> Result<Published, ReportError> {
    published(db, packs, of, Some((who.to_owned(), form.to_owned())), now).await
}

/// Makes a report of what somebody sees, and writes down who took it in which form. Only the whole desk's figures are kept.
///
/// # Errors
/// The database's; when the period lies ahead.
pub async fn publish_seen(
    db: &Db,
    packs: &Arc<PackCache>,
    of: (Period, SampleRules),
    scope: Scope,
    (who, form): (&str, &str),
    now: UnixMs,
) -> Result<Published, ReportError> {
    if scope.is_everything() {
        return publish(db, packs, of, who, form, now).await;
    }
    let (packs, (period, rules)) = (Arc::clone(packs), of);
    let read = move |tx: &mut crate::db::Tx<'_>| {
        let book = book(&packs, tx, (period, rules), now)?.of_seen(tx, &scope)?;
        make(tx, &book, period, &mut Learnt::default())
    };
    let report = db.read(read).await?;
    let sha256 = history::sha256(&report)?;
    let (who, detail) = (who.to_owned(), json!({ "form": form, "sha256": sha256, "part": true }));
    let note = move |tx: &mut crate::db::Tx<'_>| {
        let subject = format!("report/{}/{period}", period.kind().name());
        audit(tx, now.0, &who, Action::ReportExported, &subject, Some(&detail))
    };
    db.write(Priority::Api, note).await?;
    Ok(Published { report, sha256, versions: Vec::new() })
}

/// Makes a report and keeps its figures where they are new, as [`publish`] does; nobody takes it.
///
/// # Errors
/// Those of [`publish`].
pub async fn look_again(
    db: &Db,
    packs: &Arc<PackCache>,
    of: (Period, SampleRules),
    now: UnixMs,
) -> Result<Published, ReportError> {
    published(db, packs, of, None, now).await
}

async fn published(
    db: &Db,
    packs: &Arc<PackCache>,
    (period, rules): (Period, SampleRules),
    taken: Option<(String, String)>,
    now: UnixMs,
) -> Result<Published, ReportError> {
    let packs = Arc::clone(packs);
    let read = move |tx: &mut crate::db::Tx<'_>| {
        let book = book(&packs, tx, (period, rules), now)?;
        let last = made(tx, period.kind().name(), &period.to_string(), VERSIONS_MAX)?.pop();
        let mut learnt = Learnt::since(last.map(|made| made.made_at));
        let report = make(tx, &book, period, &mut learnt)?;
        Ok::<_, ReportError>((Arc::new(report), Arc::new(learnt)))
    };
    let (report, learnt) = db.read(read).await?;
    let sha256 = history::sha256(&report)?;
    let kept = Arc::clone(&report);
    let fingerprint = sha256.clone();
    let keep = move |tx: &mut crate::db::Tx<'_>| {
        let versions = history::keep(tx, &kept, &learnt, now)?;
        if let Some((who, form)) = &taken {
            let subject = format!("report/{}/{period}", period.kind().name());
            let detail = json!({ "form": form, "sha256": fingerprint });
            audit(tx, now.0, who, Action::ReportExported, &subject, Some(&detail))?;
        }
        Ok::<_, ReportError>(versions)
    };
    let versions = db.write(Priority::Api, keep).await?;
    let report = Arc::try_unwrap(report).unwrap_or_else(|shared| (*shared).clone());
    Ok(Published { report, sha256, versions })
}
