//! The head of a sealed file: which key opens it. Readable by anybody; every chunk vouches for it.

use linewatch_shared::wire;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::sealed::FileKey;
use super::{ExportError, MAGIC};
use crate::journal::JournalError;
use crate::journal::carry::id_of;
use crate::vault::{Cost, Key, SALT_BYTES, VaultError, check_passphrase, stretch};

/// The format that is written.
pub(super) const FORMAT: u16 = 2;
/// What a file's own key is made for.
const PURPOSE: &str = "linewatch export 2";
/// The length of a file's salt, in bytes.
const FILE_SALT_BYTES: usize = 32;

#[derive(Serialize, Deserialize)]
struct Head {
    format: u16,
    /// Makes each file's key another one.
    #[serde(with = "hexed")]
    salt: Vec<u8>,
    key: By,
}

/// Which key opens it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum By {
    /// The one of the server's agents with this id.
    Carry(#[serde(with = "hexed")] Vec<u8>),
    /// One that a passphrase makes.
    Passphrase {
        #[serde(with = "hexed")]
        salt: Vec<u8>,
        #[serde(flatten)]
        cost: Cost,
    },
}

/// Bytes as hexadecimal digits.
mod hexed {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        hex::decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// What seals a file.
pub(super) enum With<'a> {
    /// The newest key of the server's agents.
    Carry(&'a Key),
    /// What somebody typed.
    Passphrase(&'a str),
}

fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| VaultError::Random(error.to_string()))?;
    Ok(bytes)
}

/// The key of a file: its own by the salt, bound to the head's bytes.
fn file_key(key: &Key, salt: &[u8], head: &[u8]) -> Result<FileKey, ExportError> {
    let digest = Sha256::new().chain_update(MAGIC).chain_update(head).finalize();
    Ok(FileKey::new(&key.derive(salt, PURPOSE)?, digest.into())?)
}

/// A head's bytes, with the key of its file.
pub(super) fn make(with: &With<'_>, cost: Cost) -> Result<(Vec<u8>, FileKey), ExportError> {
    let salt: [u8; FILE_SALT_BYTES] = random()?;
    let (by, key) = match with {
        With::Carry(key) => (By::Carry(id_of(key).to_vec()), (*key).clone()),
        With::Passphrase(text) => {
            check_passphrase(text)?;
            let salt: [u8; SALT_BYTES] = random()?;
            (By::Passphrase { salt: salt.to_vec(), cost }, stretch(text, &salt, cost)?)
        }
    };
    let head = Head { format: FORMAT, salt: salt.to_vec(), key: by };
    let head = wire::encode(&head).map_err(JournalError::from)?;
    let key = file_key(&key, &salt, &head)?;
    Ok((head, key))
}

/// The key that opens a file with this head.
pub(super) fn open(
    head: &[u8],
    known: &[Key],
    ask: &mut dyn FnMut() -> Result<Zeroizing<String>, VaultError>,
) -> Result<FileKey, ExportError> {
    let read: Head = wire::decode(head).map_err(|error| ExportError::Format(error.to_string()))?;
    let key = match read.key {
        By::Carry(id) => {
            known.iter().find(|key| id_of(key)[..] == id[..]).cloned().ok_or(ExportError::UnknownKey)?
        }
        By::Passphrase { salt, cost } => stretch(&ask()?, &salt, cost)?,
    };
    file_key(&key, &read.salt, head)
}
