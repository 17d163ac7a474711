//! The keys that agents of one server share to seal what they carry for each other. Learnt at each hello; older ones are
//! kept, so that a file that was sealed before the server began a new one can still be taken in.

use linewatch_shared::wire::CarryKey;
use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::{JournalError, meta};
use crate::vault::Key;

/// The most keys kept; the oldest goes.
const KEYS_MAX: usize = 8;
/// The length of a key's id, in bytes.
pub(super) const ID_BYTES: usize = 8;

/// By what a key is named in a file that it seals. Tells nothing of the key.
pub(super) fn id_of(key: &Key) -> [u8; ID_BYTES] {
    let digest = Sha256::new().chain_update(b"linewatch carry key").chain_update(key.bytes()).finalize();
    let mut id = [0; ID_BYTES];
    id.copy_from_slice(&digest[..ID_BYTES]);
    id
}

/// Notes the server's key, as the newest.
///
/// # Errors
/// When the database cannot be written.
pub fn learn(tx: &Connection, key: &CarryKey) -> Result<(), JournalError> {
    let mut stored = stored(tx)?;
    if stored.last() == Some(key) {
        return Ok(());
    }
    stored.retain(|known| known != key);
    stored.push(key.clone());
    let surplus = stored.len().saturating_sub(KEYS_MAX);
    stored.drain(..surplus);
    meta::put_sealed(tx, meta::CARRY_KEYS, &stored)
}

fn stored(db: &Connection) -> Result<Vec<CarryKey>, JournalError> {
    Ok(meta::get_sealed(db, meta::CARRY_KEYS)?.unwrap_or_default())
}

/// The keys that are known, the newest last.
///
/// # Errors
/// When the database cannot be read.
pub fn keys(db: &Connection) -> Result<Vec<Key>, JournalError> {
    Ok(stored(db)?.iter().map(|key| Key::new(key.0)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::memory;

    #[test]
    fn the_newest_is_last_and_their_number_is_bounded() {
        let db = memory();
        for n in [1, 2, 3, 1, 1] {
            learn(&db, &CarryKey([n; 32])).unwrap();
        }
        let first_bytes = |db| keys(db).unwrap().iter().map(|key| key.bytes()[0]).collect::<Vec<_>>();
        assert_eq!(first_bytes(&db), [2, 3, 1]);
        for n in 4..20 {
            learn(&db, &CarryKey([n; 32])).unwrap();
        }
        assert_eq!(first_bytes(&db), [12, 13, 14, 15, 16, 17, 18, 19]);
        let raw: Vec<u8> = db
            .query_row("SELECT value FROM meta WHERE name = ?1", [meta::CARRY_KEYS], |row| row.get(0))
            .unwrap();
        assert!(!raw.windows(8).any(|part| part == [19; 8]), "sealed");
    }
}
