//! Stored versions of packs. A version's content never changes, so what was parsed once is kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use linewatch_shared::rules::Pack;
use linewatch_shared::sla::PackVersion;

use crate::db::{DbError, Tx};

/// The most parsed versions that are kept; beyond it the cache starts over.
const PARSED_MAX: usize = 1_024;

/// Parsed packs by name and version.
#[derive(Debug, Default)]
pub struct PackCache {
    parsed: Mutex<HashMap<(String, String), Arc<Pack>>>,
}

impl PackCache {
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
        let sql = "SELECT content FROM pack_version WHERE name = $1 AND version = $2";
        let content: String = tx.query_one(sql, &[(&key.0).into(), (&key.1).into()])?.get(0)?;
        let pack = Pack::parse(&content, &key.0)
            .map_err(|mistakes| DbError::Data(format!("stored pack {} {}: {}", key.0, key.1, mistakes[0])))?;
        let pack = Arc::new(pack);
        self.put(key, &pack);
        Ok(pack)
    }
}
