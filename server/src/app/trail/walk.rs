//! Walks the audit trail entry by entry and says where it is broken first, and how. Nothing of it is kept but where the walk
//! is: a trail of any length is checked in the same room.

use std::collections::BTreeMap;

use linewatch_shared::time::UnixMs;
use serde::Serialize;
use serde_json::Value;

use super::anchors::Anchor;
use crate::store::audit::chain::{self, Hash, Link, START};
use crate::store::audit::{Action, Cut, Kind, Stored};

/// How the trail is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// An entry does not say what was written.
    Changed,
    /// An entry is not there.
    Missing,
    /// An entry stands in another's place.
    Moved,
    /// The end is not there.
    CutAtTheEnd,
    /// The beginning is not there, and no entry says that its time was over.
    CutAtTheBeginning,
    /// What an entry said is gone, and no entry says why.
    Emptied,
    /// The chain hangs together, and is another one than an anchor knew.
    Rewritten,
}

/// The first place where the trail is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Broken {
    /// The entry.
    pub n: i64,
    /// How.
    pub how: How,
    /// The same in words.
    pub says: String,
}

fn broken(n: i64, how: How, says: impl Into<String>) -> Broken {
    Broken { n, how, says: says.into() }
}

/// Where a walk is.
#[derive(Debug)]
pub struct Walk {
    /// The last entry that was passed.
    pub n: i64,
    /// Its hash.
    pub hash: Hash,
    /// When it was written.
    pub at: Option<UnixMs>,
    /// Entries that were passed.
    pub entries: u64,
    /// Entries whose time was over.
    pub emptied: u64,
    /// Details that were erased.
    pub erased: u64,
    begun_at: Option<Cut>,
    claimed_cut: Option<(i64, String)>,
    claimed_erased: u64,
    newest_emptied: BTreeMap<&'static str, (i64, i64)>,
    claimed_before: BTreeMap<String, i64>,
    last_erased: i64,
}

impl Walk {
    /// Begins at the chain's beginning, or where that was taken away.
    #[must_use]
    pub fn begin(cut: Option<Cut>) -> Self {
        Self {
            n: cut.map_or(0, |cut| cut.n),
            hash: cut.map_or(START, |cut| cut.hash),
            at: None,
            entries: 0,
            emptied: 0,
            erased: 0,
            begun_at: cut,
            claimed_cut: None,
            claimed_erased: 0,
            newest_emptied: BTreeMap::new(),
            claimed_before: BTreeMap::new(),
            last_erased: 0,
        }
    }

    /// Passes an entry; `near` are those that follow it, as far as they are at hand.
    ///
    /// # Errors
    /// When the trail is broken there.
    pub fn pass(&mut self, entry: &Stored, near: &[Stored]) -> Result<(), Broken> {
        let n = self.n + 1;
        if entry.n != n {
            return Err(broken(
                n,
                How::Missing,
                format!("entry {n} is not there; the next one is {}", entry.n),
            ));
        }
        let next = self.fits(entry, n).ok_or_else(|| {
            let other = near.iter().find(|other| self.fits(other, n).is_some());
            match other {
                Some(other) => {
                    broken(n, How::Moved, format!("what stands as entry {} was entry {n}", other.n))
                }
                None => broken(n, How::Changed, "its time, its action or its place is not what was written"),
            }
        })?;
        check_content(entry)?;
        self.read(entry);
        (self.n, self.hash, self.at) = (n, next, Some(UnixMs(entry.at_ms)));
        self.entries += 1;
        Ok(())
    }

    /// The hash that an entry has as the one of that number, if it is that one.
    fn fits(&self, entry: &Stored, n: i64) -> Option<Hash> {
        let content = Hash::try_from(entry.content_hash.as_slice()).ok()?;
        let detail = entry.detail_hash.as_deref().map(Hash::try_from).transpose().ok()?;
        let link = Link { n, at_ms: entry.at_ms, action: entry.action.clone(), content, detail };
        let hash = link.hash(&self.hash);
        (entry.hash == hash).then_some(hash)
    }

    /// What an entry says about the trail itself, and what is gone of it.
    fn read(&mut self, entry: &Stored) {
        let action = Action::parse(&entry.action);
        if entry.who.is_none() {
            self.emptied += 1;
            let kind = action.map_or(Kind::Change, Action::kind).name();
            let newest = self.newest_emptied.entry(kind).or_insert((entry.at_ms, entry.n));
            *newest = (*newest).max((entry.at_ms, entry.n));
            return;
        }
        if entry.detail_hash.is_some() && entry.detail.is_none() {
            self.erased += 1;
            self.last_erased = entry.n;
        }
        let detail: Value =
            entry.detail.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        match action {
            Some(Action::TrailPruned) => {
                for (kind, before) in detail["before_ms"].as_object().into_iter().flatten() {
                    let claimed = self.claimed_before.entry(kind.clone()).or_insert(i64::MIN);
                    *claimed = (*claimed).max(before.as_i64().unwrap_or(i64::MIN));
                }
                if let (Some(n), Some(hash)) = (detail["cut"]["n"].as_i64(), detail["cut"]["hash"].as_str()) {
                    self.claimed_cut = Some((n, hash.to_owned()));
                }
            }
            Some(Action::TrailErased) => self.claimed_erased += detail["details"].as_u64().unwrap_or(0),
            _ => {}
        }
    }

    /// Compares with an anchor of the entry that was passed last.
    ///
    /// # Errors
    /// When it was another one.
    pub fn compare(&self, anchor: &Anchor) -> Result<(), Broken> {
        if anchor.n == self.n && anchor.hash != hex::encode(self.hash) {
            let says = format!("at {} its hash was {}", anchor.at, anchor.hash);
            return Err(broken(self.n, How::Rewritten, says));
        }
        Ok(())
    }

    /// Ends the walk where the trail is said to end, and compares what is gone with what was said of that.
    ///
    /// # Errors
    /// When something is gone of which nothing was said.
    pub fn end(&self, head: Option<(i64, Hash)>, anchors: &[Anchor]) -> Result<(), Broken> {
        let known = anchors.iter().map(|anchor| anchor.n).chain(head.map(|(n, _)| n)).max().unwrap_or(0);
        if known > self.n {
            let says = format!("the trail went on to entry {known} at least");
            return Err(broken(self.n + 1, How::CutAtTheEnd, says));
        }
        if head.is_some_and(|(n, hash)| n == self.n && hash != self.hash) {
            return Err(broken(self.n, How::Changed, "the chain's end has another hash"));
        }
        if let Some(cut) = self.begun_at
            && self.claimed_cut != Some((cut.n, hex::encode(cut.hash)))
        {
            let says =
                format!("no entry says that the trail's beginning, up to entry {}, was taken away", cut.n);
            return Err(broken(cut.n, How::CutAtTheBeginning, says));
        }
        for (kind, (at_ms, n)) in &self.newest_emptied {
            if self.claimed_before.get(*kind).is_none_or(|before| at_ms >= before) {
                return Err(broken(*n, How::Emptied, "no entry says that its time was over"));
            }
        }
        if self.erased > self.claimed_erased {
            let says =
                format!("{} details are gone, {} of them by erasures", self.erased, self.claimed_erased);
            return Err(broken(self.last_erased, How::Emptied, says));
        }
        Ok(())
    }
}

/// Whether what an entry says is what its hashes are of.
fn check_content(entry: &Stored) -> Result<(), Broken> {
    let salt = |salt: &Option<Vec<u8>>| salt.as_deref().and_then(|salt| chain::Salt::try_from(salt).ok());
    match (&entry.who, &entry.subject) {
        (None, None) => {}
        (Some(who), Some(subject)) => {
            let hash = salt(&entry.salt).map(|salt| chain::content(&salt, who, subject));
            if hash.is_none_or(|hash| entry.content_hash != hash) {
                let says = "who it was, or about what, is not what was written";
                return Err(broken(entry.n, How::Changed, says));
            }
        }
        _ => return Err(broken(entry.n, How::Changed, "half of what it said is gone")),
    }
    if let Some(detail) = &entry.detail {
        let hash = salt(&entry.detail_salt).map(|salt| chain::detail(&salt, detail));
        if hash.is_none() || entry.detail_hash.as_deref() != hash.as_ref().map(Hash::as_slice) {
            return Err(broken(entry.n, How::Changed, "its detail is not what was written"));
        }
    }
    Ok(())
}
