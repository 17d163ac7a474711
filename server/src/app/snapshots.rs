//! The board's snapshot for many readers at once. When a server comes back, every open board reads it in the same moment:
//! whoever asks while one is being read waits for the next, which is read once for all who wait. Nobody is given one that
//! was begun before they asked.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::{Mutex as AsyncMutex, OnceCell};

use crate::store::scope::Scope;

/// Its level: the quickest of the usual ones.
const ZSTD_LEVEL: i32 = 1;

/// A snapshot as JSON.
#[derive(Debug)]
pub struct Snapshot {
    json: Bytes,
    packed: [OnceCell<Bytes>; 2],
}

/// How a snapshot may be compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Quicker and smaller; browsers ask for it over HTTPS.
    Zstd,
    /// What everybody reads.
    Gzip,
}

impl Packing {
    /// All, the best first.
    pub const ALL: [Self; 2] = [Self::Zstd, Self::Gzip];

    /// As HTTP names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// Quickly: it is read once, by somebody who waits.
    fn pack(self, json: &[u8]) -> std::io::Result<Bytes> {
        match self {
            Self::Zstd => zstd::bulk::compress(json, ZSTD_LEVEL).map(Bytes::from),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(json)?;
                Ok(encoder.finish()?.into())
            }
        }
    }
}

impl Snapshot {
    /// As it is.
    pub fn json(&self) -> Bytes {
        self.json.clone()
    }

    /// Compressed, once for all who want it so; none where that fails.
    pub async fn packed(&self, packing: Packing) -> Option<Bytes> {
        let make = async || {
            let json = self.json.clone();
            let packed = tokio::task::spawn_blocking(move || packing.pack(&json)).await;
            packed.map_err(std::io::Error::other).flatten()
        };
        self.packed[packing as usize].get_or_try_init(make).await.ok().cloned()
    }
}

/// The snapshots that are being read, one for each scope.
#[derive(Debug, Default)]
pub struct Snapshots {
    turns: Mutex<BTreeMap<Scope, Arc<Turn>>>,
}

/// Readers of one scope, one after the other.
#[derive(Debug, Default)]
struct Turn {
    /// How many snapshots were begun.
    begun: AtomicUsize,
    /// Who is reading or waiting.
    present: AtomicUsize,
    last: AsyncMutex<Option<(usize, Arc<Snapshot>)>>,
}

/// Somebody who is reading or waiting, however that ends.
struct Presence<'a>(&'a AtomicUsize);

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Snapshots {
    /// A snapshot of what a scope sees that was begun after this call, by `make` or by somebody
    /// else's.
    ///
    /// # Errors
    /// What `make` answers; whoever waits tries for themselves.
    pub async fn read<E>(
        &self,
        scope: &Scope,
        make: impl AsyncFnOnce() -> Result<Bytes, E>,
    ) -> Result<Arc<Snapshot>, E> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(scope.clone()).or_default())
        };
        turn.present.fetch_add(1, Ordering::SeqCst);
        let presence = Presence(&turn.present);
        let before = turn.begun.load(Ordering::SeqCst);
        let mut last = turn.last.lock().await;
        let snapshot = match &*last {
            Some((number, snapshot)) if *number > before => Arc::clone(snapshot),
            _ => {
                let number = turn.begun.fetch_add(1, Ordering::SeqCst) + 1;
                let snapshot = Arc::new(Snapshot { json: make().await?, packed: Default::default() });
                *last = Some((number, Arc::clone(&snapshot)));
                snapshot
            }
        };
        drop(presence);
        // Kept no longer than somebody waits for it: it is large, and there may be many scopes.
        if turn.present.load(Ordering::SeqCst) == 0 {
            *last = None;
        }
        drop(last);
        self.forget(scope);
        Ok(snapshot)
    }

    /// Forgets the turn of a scope for which nobody is reading or waiting.
    fn forget(&self, scope: &Scope) {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever is about to join holds it, too.
        if turns
            .get(scope)
            .is_some_and(|turn| Arc::strong_count(turn) <= 2 && turn.present.load(Ordering::SeqCst) == 0)
        {
            turns.remove(scope);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::io::Read;
    use std::time::Duration;

    use flate2::read::GzDecoder;
    use tokio::sync::Semaphore;

    use super::*;

    /// Makes snapshots that say which one they are, each when it is let.
    #[derive(Default)]
    struct Maker {
        made: AtomicUsize,
        let_through: Option<Semaphore>,
    }

    impl Maker {
        async fn make(&self) -> Result<Bytes, Infallible> {
            let number = self.made.fetch_add(1, Ordering::SeqCst) + 1;
            if let Some(let_through) = &self.let_through {
                let_through.acquire().await.unwrap().forget();
            }
            Ok(Bytes::from(number.to_string()))
        }
    }

    async fn waiting(snapshots: &Snapshots, count: usize) {
        let turn = || snapshots.turns.lock().unwrap().get(&Scope::Everything).cloned();
        while turn().is_none_or(|turn| turn.present.load(Ordering::SeqCst) < count) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn those_who_wait_share_one_that_was_begun_after_they_asked() {
        let snapshots = Arc::new(Snapshots::default());
        let maker = Arc::new(Maker { made: AtomicUsize::new(0), let_through: Some(Semaphore::new(0)) });
        let mut readers = Vec::new();
        for count in 1..=50 {
            let (snapshots, its) = (Arc::clone(&snapshots), Arc::clone(&maker));
            let read = async move { snapshots.read(&Scope::Everything, async || its.make().await).await };
            readers.push(tokio::spawn(read));
            if count == 1 {
                while maker.made.load(Ordering::SeqCst) == 0 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        }
        waiting(&snapshots, 50).await;
        maker.let_through.as_ref().unwrap().add_permits(10);
        let mut read = Vec::new();
        for reader in readers {
            let Ok(snapshot) = reader.await.unwrap();
            read.push(snapshot.json());
        }
        assert_eq!(read[0], "1");
        assert!(read[1..].iter().all(|json| json == "2"), "{read:?}");
        assert_eq!(maker.made.load(Ordering::SeqCst), 2);
        assert!(snapshots.turns.lock().unwrap().is_empty(), "nobody waits: nothing is kept");
    }

    #[tokio::test]
    async fn one_after_the_other_reads_anew_and_scopes_are_apart() {
        let (snapshots, maker) = (Snapshots::default(), Maker::default());
        for (scope, expected) in [("", "1"), ("", "2"), ("contractor", "3"), ("", "4")] {
            let scope =
                if scope.is_empty() { Scope::Everything } else { Scope::Contractor(scope.to_owned()) };
            let Ok(snapshot) = snapshots.read(&scope, async || maker.make().await).await;
            assert_eq!(snapshot.json(), expected);
        }
    }

    #[tokio::test]
    async fn a_failure_is_its_own_and_the_next_one_tries() {
        let snapshots = Snapshots::default();
        let failed = snapshots.read(&Scope::Everything, async || Err::<Bytes, _>("busy")).await;
        assert_eq!(failed.unwrap_err(), "busy");
        let snapshot =
            snapshots.read(&Scope::Everything, async || Ok::<_, &str>(Bytes::from("fine"))).await.unwrap();
        let mut text = String::new();
        let gzip = snapshot.packed(Packing::Gzip).await.unwrap();
        GzDecoder::new(&*gzip).read_to_string(&mut text).unwrap();
        assert_eq!(text, "fine");
        let zstd = snapshot.packed(Packing::Zstd).await.unwrap();
        assert_eq!(zstd::decode_all(&*zstd).unwrap(), b"fine");
    }
}
