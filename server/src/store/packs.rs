//! Stored versions of packs. A version's content never changes, so what was parsed once is kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use linewatch_shared::calendar::Calendars;
use linewatch_shared::rules::Pack;
use linewatch_shared::sla::PackVersion;
use linewatch_shared::time::UnixMs;

use crate::db::{DbError, LockKey, Tx};

/// The most parsed versions that are kept; beyond it the cache starts over.
const PARSED_MAX: usize = 1_024;

/// Parsed packs by name and version, and the calendars that they count by.
#[derive(Debug, Default)]
pub struct PackCache {
    parsed: Mutex<HashMap<(String, String), Arc<Pack>>>,
    calendars: Calendars,
}

impl PackCache {
    /// Packs that count by these calendars.
    #[must_use]
    pub fn new(calendars: Calendars) -> Self {
        Self { calendars, ..Self::default() }
    }

    fn get(&self, key: &(String, String)) -> Option<Arc<Pack>> {
        self.parsed.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn put(&self, key: (String, String), pack: &Arc<Pack>) {
        let mut parsed = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        if parsed.len() >= PARSED_MAX {
            parsed.clear();
        }
        parsed.insert(key, Arc::clone(pack));
    }

    /// Every stored version, with the moment from which it is in force.
    ///
    /// # Errors
    /// The database's, or a stored pack that this version cannot read.
    pub fn versions(&self, tx: &mut Tx<'_>) -> Result<Vec<PackVersion>, DbError> {
        let rows = tx.query(
            "SELECT name, version, valid_from_ms FROM pack_version ORDER BY name, valid_from_ms",
            &[],
        )?;
        let mut versions = Vec::with_capacity(rows.len());
        for row in rows {
            let key: (String, String) = (row.get(0)?, row.get(1)?);
            let pack = match self.get(&key) {
                Some(pack) => pack,
                None => self.read(tx, key)?,
            };
            versions.push(PackVersion { valid_from: row.get(2)?, pack });
        }
        Ok(versions)
    }

    fn read(&self, tx: &mut Tx<'_>, key: (String, String)) -> Result<Arc<Pack>, DbError> {
        let pack = Arc::new(version(tx, &key.0, &key.1, &self.calendars)?);
        self.put(key, &pack);
        Ok(pack)
    }
}

/// A version that was in force at some time.
///
/// # Errors
/// Also when it is not stored, or cannot be read any more.
pub fn version(tx: &mut Tx<'_>, name: &str, version: &str, calendars: &Calendars) -> Result<Pack, DbError> {
    let sql = "SELECT content FROM pack_version WHERE name = $1 AND version = $2";
    let missing = || DbError::Data(format!("version \"{version}\" of the pack \"{name}\" is not stored"));
    let content: String = tx.query_opt(sql, &[name.into(), version.into()])?.ok_or_else(missing)?.get(0)?;
    Pack::parse_stored(&content, name, calendars).map_err(|mistakes| {
        let first = mistakes.first().map(ToString::to_string).unwrap_or_default();
        DbError::Data(format!("the stored pack {name} {version} cannot be read: {first}"))
    })
}

/// The key that a transaction takes before it adds versions.
#[must_use]
pub fn lock_key() -> LockKey {
    LockKey::new("packs", b"")
}

/// SHA-256 of a stored version's text, in hex.
pub fn sha256(tx: &mut Tx<'_>, name: &str, version: &str) -> Result<Option<String>, DbError> {
    let sql = "SELECT sha256 FROM pack_version WHERE name = $1 AND version = $2";
    tx.query_opt(sql, &[name.into(), version.into()])?.map(|row| row.get(0)).transpose()
}

/// A version to keep.
#[derive(Clone, Copy, Debug)]
pub struct NewVersion<'a> {
    /// The pack's name.
    pub name: &'a str,
    /// The version.
    pub version: &'a str,
    /// SHA-256 of the text, in hex.
    pub sha256: &'a str,
    /// As written.
    pub text: &'a str,
    /// From when it is in force.
    pub valid_from_ms: i64,
}

/// Keeps a version that is not stored yet.
pub fn insert(tx: &mut Tx<'_>, new: &NewVersion<'_>) -> Result<(), DbError> {
    let sql = "INSERT INTO pack_version (name, version, sha256, content, valid_from_ms) VALUES ($1, $2, $3, $4, $5)";
    let params =
        [new.name.into(), new.version.into(), new.sha256.into(), new.text.into(), new.valid_from_ms.into()];
    tx.execute(sql, &params)?;
    super::allowances::ask_under(tx, new.name, UnixMs(new.valid_from_ms))
}
