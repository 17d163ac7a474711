//! The bytes of one file, by pages; a page that is missing is zeros.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::harness::Seed;

/// Bytes of a page.
pub(super) const PAGE_BYTES: u64 = 4_096;
/// What a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;

type Page = Arc<[u8; PAGE_BYTES as usize]>;

/// One state of a file: its length and its pages. Cheap to clone: pages are shared until they are written.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    pub size: u64,
    pages: BTreeMap<u64, Page>,
    /// Pages kept for it from its beginning on, written or not.
    pub kept_pages: u64,
}

/// What a cut did to a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Losses {
    /// Pages of which something unsynced was lost.
    pub dropped: u64,
    /// Those of them that are partly new, partly old.
    pub torn: u64,
}

impl Content {
    /// Bytes that it takes on the disk.
    pub fn bytes_used(&self) -> u64 {
        self.kept_pages.max(self.pages.len() as u64) * PAGE_BYTES
    }

    pub fn read(&self, offset: u64, length: usize) -> Vec<u8> {
        let end = (offset + length as u64).min(self.size);
        let mut bytes = Vec::with_capacity(length);
        let mut at = offset;
        while at < end {
            let (page, from) = (at / PAGE_BYTES, (at % PAGE_BYTES) as usize);
            let until = (end - page * PAGE_BYTES).min(PAGE_BYTES) as usize;
            match self.pages.get(&page) {
                Some(page) => bytes.extend_from_slice(&page[from..until]),
                None => bytes.resize(bytes.len() + until - from, 0),
            }
            at = page * PAGE_BYTES + until as u64;
        }
        bytes
    }

    /// Bytes by which it would grow.
    pub fn growth(&self, offset: u64, length: u64) -> u64 {
        let span = offset / PAGE_BYTES..(offset + length).div_ceil(PAGE_BYTES);
        let fresh = span.filter(|page| *page >= self.kept_pages && !self.pages.contains_key(page));
        fresh.count() as u64 * PAGE_BYTES
    }

    /// Writes, and says which pages it touched.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) -> BTreeSet<u64> {
        let mut touched = BTreeSet::new();
        let mut done = 0;
        while done < bytes.len() {
            let at = offset + done as u64;
            let (page, from) = (at / PAGE_BYTES, (at % PAGE_BYTES) as usize);
            let count = (bytes.len() - done).min(PAGE_BYTES as usize - from);
            self.page_mut(page)[from..from + count].copy_from_slice(&bytes[done..done + count]);
            touched.insert(page);
            done += count;
        }
        self.size = self.size.max(offset + bytes.len() as u64);
        touched
    }

    /// Sets the length; of a file that becomes shorter the rest is gone.
    pub fn resize(&mut self, size: u64) {
        if size < self.size {
            self.kept_pages = 0;
        }
        self.size = size;
        self.trim();
    }

    /// Takes one page over from another state.
    pub fn take_page(&mut self, page: u64, from: &Self) {
        match from.pages.get(&page) {
            Some(found) => _ = self.pages.insert(page, Arc::clone(found)),
            None => _ = self.pages.remove(&page),
        }
    }

    /// What is found after the power was cut: `self` was synced, of `live` a part at most, by `chance`.
    /// A cut that made the file shorter is whole: without it nothing of what came later is there.
    pub fn after_cut(
        &self,
        live: &Self,
        dirty: &BTreeSet<u64>,
        shrunk_to: Option<u64>,
        chance: Option<&mut Seed>,
    ) -> (Self, Losses) {
        let mut losses = Losses::default();
        let mut found = self.clone();
        let Some(chance) = chance else {
            losses.dropped = dirty.len() as u64;
            found.trim();
            return (found, losses);
        };
        if let Some(size) = shrunk_to {
            if chance.below(2) == 0 {
                losses.dropped = dirty.len() as u64;
                found.trim();
                return (found, losses);
            }
            found.resize(size);
        }
        if chance.below(2) == 0 {
            found.size = live.size;
        }
        for page in dirty {
            match chance.below(3) {
                0 => losses.dropped += 1,
                1 => found.take_page(*page, live),
                _ => {
                    let torn = found.tear(*page, live, chance);
                    losses.dropped += u64::from(torn);
                    losses.torn += u64::from(torn);
                }
            }
        }
        found.trim();
        (found, losses)
    }

    /// Mixes the sectors of a page's two states; says whether both are in it.
    fn tear(&mut self, page: u64, live: &Self, chance: &mut Seed) -> bool {
        let fresh = live.pages.get(&page).map_or([0; PAGE_BYTES as usize], |page| **page);
        let sectors = PAGE_BYTES as usize / SECTOR_BYTES;
        let taken: Vec<usize> = (0..sectors).filter(|_| chance.below(2) == 0).collect();
        let old = self.page_mut(page);
        for sector in &taken {
            let span = sector * SECTOR_BYTES..(sector + 1) * SECTOR_BYTES;
            old[span.clone()].copy_from_slice(&fresh[span]);
        }
        !taken.is_empty() && taken.len() < sectors
    }

    fn page_mut(&mut self, page: u64) -> &mut [u8; PAGE_BYTES as usize] {
        Arc::make_mut(self.pages.entry(page).or_insert_with(|| Arc::new([0; PAGE_BYTES as usize])))
    }

    /// Nothing stays beyond the end: a file that grows again has zeros there.
    fn trim(&mut self) {
        drop(self.pages.split_off(&self.size.div_ceil(PAGE_BYTES)));
        let rest = (self.size % PAGE_BYTES) as usize;
        let last = self.size / PAGE_BYTES;
        if rest > 0 && self.pages.contains_key(&last) {
            self.page_mut(last)[rest..].fill(0);
        }
    }
}
