//! Notices that a database was copied or put back, before anything is numbered in it.
//!
//! Three marks are kept: the machine's id, the file's inode, and a counter that rises with each opening
//! in the database and in a small file beside it. A copy has another inode or machine; a database
//! that was put back into the same file is behind its counter. What slips through (a whole disk put
//! back) is found by the server, which answers with a fork.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use linewatch_shared::time::UnixMs;
use rusqlite::{Connection, TransactionBehavior};

use super::acks::{self, Resend};
use super::{JournalError, lanes, meta};

const MACHINE_ID_PATH: &str = "/etc/machine-id";

/// What a database's place is recognised by.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    machine: String,
    inode: u64,
}

impl Place {
    fn of(path: &Path) -> Result<Self, JournalError> {
        let inode = fs::metadata(path).map_err(|source| file_error(path, source))?.ino();
        // A container without a machine id is told apart by the inode alone.
        let machine = fs::read_to_string(MACHINE_ID_PATH).unwrap_or_default().trim().to_owned();
        Ok(Self { machine, inode })
    }

    fn text(&self) -> String {
        format!("{} {}", self.machine, self.inode)
    }
}

fn file_error(path: &Path, source: std::io::Error) -> JournalError {
    JournalError::File { path: path.to_owned(), source }
}

/// The file that holds the counter.
fn counter_path(path: &Path) -> PathBuf {
    path.with_extension("generation")
}

/// Begins a stream in a new database, and a new epoch in a copied or restored one.
///
/// Returns why there is a new epoch, where an older one was left.
pub(super) fn settle(
    connection: &mut Connection,
    path: &Path,
    now: UnixMs,
) -> Result<Option<String>, JournalError> {
    let place = Place::of(path)?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let counter = meta::get::<u64>(&tx, meta::OPENINGS)?.unwrap_or(0);
    let outside = read_counter(&counter_path(path))?;
    let mut moved = None;
    if lanes::current(&tx)?.is_none() {
        lanes::begin(&tx, "new database", now)?;
    } else {
        moved = why_moved(&tx, &place, counter, outside)?;
        if let Some(why) = &moved {
            acks::new_epoch(&tx, Resend::Unheld, why, now)?;
        }
    }
    let next = counter.max(outside.unwrap_or(0)) + 1;
    meta::put(&tx, meta::PLACE, &place.text())?;
    meta::put(&tx, meta::OPENINGS, &next)?;
    // Written while the transaction keeps other processes out. It runs ahead of the database only
    // if the commit then fails, which costs a needless new epoch and nothing else.
    write_counter(&counter_path(path), next)?;
    tx.commit()?;
    Ok(moved)
}

fn why_moved(
    tx: &Connection,
    place: &Place,
    counter: u64,
    outside: Option<u64>,
) -> Result<Option<String>, JournalError> {
    let known: Option<String> = meta::get(tx, meta::PLACE)?;
    Ok(match (known, outside) {
        (Some(known), _) if known != place.text() => Some("the database was copied".to_owned()),
        (_, Some(outside)) if outside > counter => Some("an older copy was put back".to_owned()),
        (_, None) => Some("the file beside the database is missing".to_owned()),
        _ => None,
    })
}

fn read_counter(path: &Path) -> Result<Option<u64>, JournalError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().parse().unwrap_or(0))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(file_error(path, source)),
    }
}

fn write_counter(path: &Path, value: u64) -> Result<(), JournalError> {
    let fresh = path.with_extension("generation-new");
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&fresh)?;
        writeln!(file, "{value}")?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    };
    write().map_err(|source| file_error(path, source))
}
