//! The key of an enrolment that is under way, by its token: kept until the server has let the agent in.

use std::fs;
use std::path::{Path, PathBuf};

use linewatch_shared::enrol_token::EnrolToken;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{EnrollError, opened, sealed};
use crate::vault::{Vault, write_durably};

/// The file in the data directory.
const FILE_NAME: &str = "enrolment.json";

#[derive(Serialize, Deserialize)]
struct Pending {
    /// SHA-256 of the token's secret, in hexadecimal digits.
    token_sha256: String,
    /// The private key, sealed, in hexadecimal digits.
    key_sealed: String,
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE_NAME)
}

/// The key to enrol with by this token: the one that was made when it was first tried, else a new one, which is durable
/// when this returns.
pub(super) fn key(data_dir: &Path, token: &EnrolToken, vault: &Vault) -> Result<rcgen::KeyPair, EnrollError> {
    let token_sha256 = hex::encode(Sha256::digest(token.secret));
    let known = fs::read(path(data_dir)).ok();
    let known = known.and_then(|bytes| serde_json::from_slice::<Pending>(&bytes).ok());
    if let Some(known) = known.filter(|known| known.token_sha256 == token_sha256)
        && let Ok(pem) = opened(vault, &known.key_sealed)
        && let Ok(key) = rcgen::KeyPair::from_pem(&pem)
    {
        return Ok(key);
    }
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let key_sealed = sealed(vault, &Zeroizing::new(key.serialize_pem()))?;
    let write =
        || write_durably(&path(data_dir), &serde_json::to_vec(&Pending { token_sha256, key_sealed })?);
    write().map_err(|source| EnrollError::File { path: path(data_dir), source })?;
    Ok(key)
}

/// The enrolment is over. A file that stays is of no use to anybody: its key is sealed, its token spent.
pub(super) fn forget(data_dir: &Path) {
    drop(fs::remove_file(path(data_dir)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_is_tried_again_has_the_same_key() {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::sample();
        let token = |n| EnrolToken { secret: [n; 32], authority_sha256: [0; 32], name: String::new() };
        let key = |n| key(dir.path(), &token(n), &vault).unwrap().serialize_der();
        let first = key(1);
        assert_eq!(key(1), first);
        assert_ne!(key(2), first, "another token, another key");
        forget(dir.path());
        forget(dir.path());
        assert!(!path(dir.path()).exists());
    }
}
