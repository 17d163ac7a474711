//! The database's epoch: which life of it agents speak with. A database that was copied, restored or failed over may hold less
//! than they were told; under a new epoch they ask what it holds, and send again what it lacks and they still keep. So two
//! servers that began as one never pass for the same.

use std::sync::{Mutex, PoisonError};

use linewatch_shared::time::UnixMs;
use serde_json::json;
use uuid::Uuid;

use crate::db::backup::NO_PLACE;
use crate::db::{Db, DbError, LockKey, Priority, Tx};
use crate::store::audit::{self, Action};
use crate::store::meta;

/// The key of the epoch.
const EPOCH: &str = "epoch";
/// The key of what its place was recognised by.
const PLACE: &str = "place";
/// The key of how often it was started.
const STARTS: &str = "starts";
/// The channel on which a new one is told to the other nodes.
pub const CHANNEL: &str = "epoch";
/// Who writes it down.
const SERVER: &str = "linewatch-server";

/// The epoch as this node knows it; read again now and then, because another node may have begun a new one.
#[derive(Debug)]
pub struct Epoch(Mutex<Uuid>);

impl Epoch {
    /// As it was at the start.
    #[must_use]
    pub const fn new(epoch: Uuid) -> Self {
        Self(Mutex::new(epoch))
    }

    /// The present one.
    pub fn get(&self) -> Uuid {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another one.
    pub fn set(&self, epoch: Uuid) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = epoch;
    }
}

/// What is seen of the database from outside.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// Its place, where it is told.
    place: Option<String>,
    /// How often it was started, as the file beside it says.
    outside: Option<i64>,
    /// Whether starts are counted.
    counts: bool,
}

/// Settles the epoch at the start: made on first use, and anew where the database is not where it was.
///
/// # Errors
/// The database's, or its file's.
pub async fn settle(db: &Db, now: UnixMs) -> Result<Uuid, DbError> {
    let counts = db.backend() == "sqlite";
    let seen = Seen { place: db.place().await?, outside: db.starts_outside()?, counts };
    let (epoch, starts) = write(db, seen, now).await?;
    if counts {
        // Behind the database if this fails, which is no reason for a new epoch.
        db.set_starts_outside(starts)?;
    }
    Ok(epoch)
}

/// Looks again while the server runs: PostgreSQL may have been failed over, or another node may have seen it first.
///
/// # Errors
/// The database's.
pub async fn look_again(db: &Db, now: UnixMs) -> Result<Uuid, DbError> {
    let place = if db.backend() == "sqlite" { None } else { db.place().await? };
    let known = db.read(|tx| Ok::<_, DbError>((meta::get(tx, EPOCH)?, meta::get(tx, PLACE)?))).await?;
    if let (Some(epoch), known) = known
        && (place.is_none() || place == known)
    {
        return parse(&epoch);
    }
    write(db, Seen { place, ..Seen::default() }, now).await.map(|(epoch, _)| epoch)
}

async fn write(db: &Db, seen: Seen, now: UnixMs) -> Result<(Uuid, i64), DbError> {
    let fresh = Uuid::new_v4();
    db.write(Priority::Api, move |tx| write_in(tx, fresh, &seen, now)).await
}

fn write_in(tx: &mut Tx<'_>, fresh: Uuid, seen: &Seen, now: UnixMs) -> Result<(Uuid, i64), DbError> {
    tx.lock(&[LockKey::new("epoch", b"")])?;
    let known = meta::get(tx, EPOCH)?;
    let starts = meta::get(tx, STARTS)?.and_then(|text| text.parse::<i64>().ok());
    let why = if known.is_some() { why_moved(tx, seen, starts)? } else { None };
    let epoch = match known {
        Some(known) if why.is_none() => parse(&known)?,
        _ => {
            meta::set(tx, EPOCH, &fresh.to_string())?;
            fresh
        }
    };
    if let Some(place) = &seen.place {
        meta::set(tx, PLACE, place)?;
    }
    let next = starts.unwrap_or(0).max(seen.outside.unwrap_or(0)) + 1;
    if seen.counts {
        meta::set(tx, STARTS, &next.to_string())?;
    }
    if let Some(why) = why {
        tracing::warn!(why, "a new epoch of the database: agents are asked what it lacks");
        audit::append(tx, now.0, SERVER, Action::BackupRestored, "database", Some(&json!({ "why": why })))?;
        tx.notify(CHANNEL)?;
    }
    Ok((epoch, next))
}

fn why_moved(tx: &mut Tx<'_>, seen: &Seen, starts: Option<i64>) -> Result<Option<&'static str>, DbError> {
    let known = meta::get(tx, PLACE)?;
    if known.as_deref() == Some(NO_PLACE) {
        return Ok(Some("a backup was put back"));
    }
    if let (Some(known), Some(place)) = (&known, &seen.place)
        && known != place
    {
        return Ok(Some("the database was copied, restored or failed over"));
    }
    Ok(match (starts, seen.outside) {
        _ if !seen.counts => None,
        (starts, Some(outside)) if outside > starts.unwrap_or(0) => Some("an older copy was put back"),
        (Some(_), None) => Some("the file beside the database is missing"),
        _ => None,
    })
}

fn parse(text: &str) -> Result<Uuid, DbError> {
    Uuid::parse_str(text).map_err(|e| DbError::Data(format!("meta.epoch: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{both, databases};
    use crate::db::{DbUrl, testing};

    const AT: UnixMs = UnixMs(1_700_000_000_000);

    #[tokio::test(flavor = "multi_thread")]
    async fn the_epoch_stays_where_the_database_stays() {
        for database in databases().await {
            let mut seen = Vec::new();
            for _ in 0..3 {
                let db = Db::open(&database.url, 0).await.unwrap();
                seen.push(settle(&db, AT).await.unwrap());
                seen.push(look_again(&db, AT).await.unwrap());
            }
            assert!(seen.iter().all(|epoch| *epoch == seen[0]), "{seen:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn another_place_is_another_epoch_once_for_all_nodes() {
        both(|db| async move {
            let first = settle(&db, AT).await.unwrap();
            db.write(Priority::Api, |tx| meta::set(tx, PLACE, "elsewhere")).await.unwrap();
            let second = settle(&db, AT).await.unwrap();
            assert_ne!(first, second);
            assert_eq!(look_again(&db, AT).await.unwrap(), second);
            let entries = db.read(|tx| audit::list(tx, &audit::Wanted::default(), 9)).await.unwrap();
            assert_eq!(entries.iter().filter(|entry| entry.action == "backup restored").count(), 1);
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_backup_a_copy_and_an_old_file_put_back_begin_anew() {
        let database = testing::sqlite();
        let DbUrl::Sqlite(path) = &database.url else { return };
        let open = || async { Db::open(&database.url, 0).await.unwrap() };
        let db = open().await;
        let first = settle(&db, AT).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let backup = folder.path().join("backup.db");
        db.backup(backup.clone()).await.unwrap();
        drop(db);
        let settled = async || {
            let epoch = settle(&open().await, AT).await.unwrap();
            testing::without_journal(path);
            epoch
        };
        testing::without_journal(path);

        // Into the same file, so that the inode is the same.
        let old = std::fs::read(path).unwrap();
        let again = settled().await;
        assert_eq!(again, first);
        std::fs::write(path, &old).unwrap();
        let behind = settled().await;
        assert_ne!(behind, first, "an older file was put back");

        std::fs::write(path, std::fs::read(&backup).unwrap()).unwrap();
        let restored = settled().await;
        assert!(restored != behind && restored != first, "a backup was put back");
        assert_eq!(settled().await, restored, "and then it stays");

        let copied = DbUrl::Sqlite(folder.path().join("second.db"));
        let DbUrl::Sqlite(second) = &copied else { return };
        std::fs::copy(path, second).unwrap();
        let other = settle(&Db::open(&copied, 0).await.unwrap(), AT).await.unwrap();
        assert_ne!(other, restored, "two servers never pass for one");
        assert_eq!(settled().await, restored, "and the first one goes on");
    }
}
