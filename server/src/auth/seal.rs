//! Seals what the server must be able to read again, such as the secrets of authenticator apps: whoever has the database
//! alone has none of them. The key stands in a file of its own, readable by its owner only.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::app::{AppError, random};

/// A key's length, in bytes.
const KEY_BYTES: usize = 32;
/// A key file is no longer, in bytes.
const FILE_BYTES_MAX: u64 = 1024;
/// What a sealed value begins with; another way of sealing would get another number.
const VERSION: u8 = 1;

/// The key.
#[derive(Clone)]
pub struct SecretsKey(Arc<RandomizedNonceKey>);

impl std::fmt::Debug for SecretsKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretsKey")
    }
}

impl SecretsKey {
    /// Reads the key file; makes it where there is none.
    ///
    /// # Errors
    /// When it cannot be read or made, or is no key.
    pub fn load_or_create(path: &Path) -> Result<Self, AppError> {
        let failed = |source| AppError::File { path: path.to_owned(), source };
        let mut new = OpenOptions::new();
        match new.write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut file) => {
                let text = format!("{}\n", STANDARD.encode(random::<KEY_BYTES>()?));
                file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text))
            .map_err(failed)?;
        let bytes = STANDARD.decode(text.trim()).ok().filter(|bytes| bytes.len() == KEY_BYTES);
        let key = bytes.and_then(|bytes| RandomizedNonceKey::new(&AES_256_GCM, &bytes).ok());
        key.map(|key| Self(Arc::new(key))).ok_or_else(|| {
            failed(std::io::Error::other(format!("is no key: {KEY_BYTES} bytes in base64 are wanted")))
        })
    }

    /// Seals `plain` for one purpose and owner, named by `context`.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, AppError> {
        let mut sealed = plain.to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(context.as_bytes()), &mut sealed)
            .map_err(|_| AppError::Refused("could not be sealed".to_owned()))?;
        let mut whole = vec![VERSION];
        let nonce: &[u8; NONCE_LEN] = nonce.as_ref();
        whole.extend_from_slice(nonce);
        whole.append(&mut sealed);
        Ok(whole)
    }

    /// What was sealed; none where it was sealed with another key, for something else, or was changed.
    #[must_use]
    pub fn open(&self, context: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (version, rest) = sealed.split_first()?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN).filter(|_| *version == VERSION)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let plain = self.0.open_in_place(nonce, Aad::from(context.as_bytes()), &mut text).ok()?;
        Some(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_for_the_same_purpose() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.key");
        let key = SecretsKey::load_or_create(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let sealed = key.seal("totp ops", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        assert_ne!(sealed, key.seal("totp ops", b"secret").unwrap());
        let again = SecretsKey::load_or_create(&path).unwrap();
        assert_eq!(again.open("totp ops", &sealed).as_deref(), Some(&b"secret"[..]));
        assert_eq!(again.open("totp other", &sealed), None);
        assert_eq!((again.open("totp ops", &sealed[..9]), again.open("totp ops", b"")), (None, None));
        let other = SecretsKey::load_or_create(&folder.path().join("other.key")).unwrap();
        assert_eq!(other.open("totp ops", &sealed), None);
        std::fs::write(&path, "c2hvcnQ=\n").unwrap();
        let refused = SecretsKey::load_or_create(&path).unwrap_err().to_string();
        assert!(refused.contains("secrets.key") && refused.contains("32 bytes"), "{refused}");
    }
}
