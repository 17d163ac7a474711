//! What an erasure takes from the audit trail: the details of entries about the customer, and those in which the names and
//! numbers of its people stand. The entries stay, with their places in the chain, and an entry says how many details went.

use std::collections::BTreeSet;

use linewatch_shared::time::UnixMs;
use serde_json::json;
use uuid::Uuid;

use crate::app::{Action, audit};
use crate::db::{Db, DbError, Priority, Tx};
use crate::store::audit::{self as store, Detail};

/// Details that one transaction looks at.
const AT_ONCE: i64 = 500;
/// Who does it.
const BY_RULE: &str = "rule";

/// Whose details.
#[derive(Clone, Debug)]
pub struct Whose {
    /// The customer.
    pub customer: String,
    /// Names and numbers of its people.
    pub words: BTreeSet<String>,
}

impl Whose {
    fn has(&self, entry: &Detail) -> bool {
        let subject = entry.subject.as_deref();
        let of = |before: &str| subject.and_then(|s| s.strip_prefix(before)) == Some(self.customer.as_str());
        // Why it is erased stays on record, as far as it names nobody.
        let is_of = entry.action != Some(Action::ErasureBegun) && (of("customer ") || of("customer/"));
        // JSON writes some letters in its own way; the names and numbers of people have none of those.
        is_of || self.words.iter().any(|word| entry.detail.contains(word.as_str()))
    }
}

/// Erases them, or only counts them; says how many they are.
///
/// # Errors
/// The database's; what was done stays done, and is accounted for.
pub async fn details(db: &Db, whose: Whose, erasure: Option<Uuid>, now: UnixMs) -> Result<i64, DbError> {
    let (mut after, mut counted) = (0, 0);
    loop {
        let whose = whose.clone();
        let look = move |tx: &mut Tx<'_>| page(tx, &whose, after, erasure, now);
        let (next, found) = match erasure {
            Some(_) => db.write(Priority::Ingest, look).await?,
            None => db.read(look).await?,
        };
        counted += found;
        match next {
            Some(next) => after = next,
            None => return Ok(counted),
        }
    }
}

fn page(
    tx: &mut Tx<'_>,
    whose: &Whose,
    after: i64,
    erasure: Option<Uuid>,
    now: UnixMs,
) -> Result<(Option<i64>, i64), DbError> {
    let page = store::details(tx, after, AT_ONCE)?;
    let mut found = 0;
    for entry in &page {
        // What the trail says about itself and about erasures names nobody, and is needed to account for what is gone.
        let stays = matches!(
            entry.action,
            Some(Action::TrailPruned | Action::TrailErased | Action::TrailRestored | Action::Erased)
        );
        if stays || !whose.has(entry) {
            continue;
        }
        found += 1;
        if erasure.is_some() {
            store::erase_detail(tx, entry.n)?;
        }
    }
    if let Some(erasure) = erasure.filter(|_| found > 0) {
        let detail = json!({ "details": found });
        audit(tx, now.0, BY_RULE, Action::TrailErased, &format!("erasure/{erasure}"), Some(&detail))?;
    }
    let next = page.last().filter(|_| page.len() as i64 == AT_ONCE).map(|entry| entry.n);
    Ok((next, found))
}
