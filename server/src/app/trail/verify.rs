//! Checks the whole trail, page by page, against itself and against its anchors.

use std::io::BufRead;

use linewatch_shared::time::UnixMs;
use serde::Serialize;

use super::anchors::Anchor;
use super::export::{self, Line};
use super::walk::{Broken, Walk};
use crate::app::AppError;
use crate::db::{Db, DbError};
use crate::store::audit::{self, Stored};

/// Entries that are read at a time.
const PAGE: i64 = 1_000;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Verdict {
    /// Whether nothing is broken.
    pub whole: bool,
    /// The last entry up to which nothing is.
    pub upto: i64,
    /// Its hash, hex.
    pub hash: String,
    /// When it was written.
    pub upto_at: Option<String>,
    /// Entries that were checked.
    pub entries: u64,
    /// Entries whose time was over: what they said is gone, their place in the chain is not.
    pub emptied: u64,
    /// Details that went with what was personal.
    pub erased: u64,
    /// Anchors that were compared.
    pub anchors: u64,
    /// Where it is broken first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<Broken>,
}

/// A walk and the anchors beside it.
struct Check<'a> {
    walk: Walk,
    anchors: &'a [Anchor],
    next: usize,
    compared: u64,
}

impl<'a> Check<'a> {
    fn begin(walk: Walk, anchors: &'a [Anchor]) -> Self {
        let next = anchors.partition_point(|anchor| anchor.n <= walk.n);
        Self { walk, anchors, next, compared: 0 }
    }

    fn pass(&mut self, entries: &[Stored]) -> Result<(), Broken> {
        for (at, entry) in entries.iter().enumerate() {
            self.walk.pass(entry, &entries[at + 1..])?;
            while let Some(anchor) = self.anchors.get(self.next).filter(|anchor| anchor.n == self.walk.n) {
                self.walk.compare(anchor)?;
                self.compared += 1;
                self.next += 1;
            }
        }
        Ok(())
    }

    fn verdict(self, broken: Option<Broken>) -> Verdict {
        let Self { walk, compared, .. } = self;
        Verdict {
            whole: broken.is_none(),
            upto: walk.n,
            hash: hex::encode(walk.hash),
            upto_at: walk.at.map(UnixMs::to_rfc3339),
            entries: walk.entries,
            emptied: walk.emptied,
            erased: walk.erased,
            anchors: compared,
            broken,
        }
    }
}

/// Checks the trail of a database. Anchors are read before it begins: what they know was there by then.
///
/// # Errors
/// The database's. A broken trail is no error.
pub async fn verify(db: &Db, anchors: &[Anchor]) -> Result<Verdict, AppError> {
    let mut check = Check::begin(Walk::begin(db.read(audit::cut).await?), anchors);
    loop {
        let after = check.walk.n;
        let read: Result<_, DbError> =
            db.read(move |tx| Ok((audit::page(tx, after, PAGE)?, audit::head(tx)?, audit::cut(tx)?))).await;
        let (page, head, cut) = read?;
        if let Some(cut) = cut.filter(|cut| cut.n > after) {
            // The beginning was taken away meanwhile.
            check = Check::begin(Walk::begin(Some(cut)), anchors);
            continue;
        }
        let passed = if page.is_empty() { check.walk.end(head, anchors) } else { check.pass(&page) };
        match passed {
            Err(broken) => return Ok(check.verdict(Some(broken))),
            Ok(()) if page.is_empty() => return Ok(check.verdict(None)),
            Ok(()) => {}
        }
    }
}

/// Checks an export (JSON lines), without any database.
///
/// # Errors
/// When it is no such file.
pub fn verify_file(file: impl BufRead, anchors: &[Anchor]) -> Result<Verdict, AppError> {
    let refused = |what: String| AppError::Refused(what);
    let mut lines = file.lines().enumerate().map(|(at, line)| {
        let line = line.map_err(|error| refused(format!("line {}: {error}", at + 1)))?;
        export::parse(&line).map_err(|error| refused(format!("line {}: {error}", at + 1)))
    });
    let Some(Line::Begin(cut)) = lines.next().transpose()? else {
        return Err(refused("line 1: an export begins by saying after which entry it does".to_owned()));
    };
    let mut check = Check::begin(Walk::begin(cut), anchors);
    for line in lines {
        let Line::Entry(entry) = line? else {
            return Err(refused("an export begins once".to_owned()));
        };
        if let Err(broken) = check.pass(&[*entry]) {
            return Ok(check.verdict(Some(broken)));
        }
    }
    let ended = check.walk.end(None, anchors);
    Ok(check.verdict(ended.err()))
}
