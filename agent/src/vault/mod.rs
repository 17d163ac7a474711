//! Seals what is people's data before it reaches a file: AES-256-GCM under one data key, a random nonce each time, and
//! a short purpose as associated data, so that a value sealed for one place does not open in another.
//!
//! The journal calls it from SQL ([`functions`]): the statement says what is sealed, and everything above sees plain
//! bytes. Where the key comes from is [`source`]'s matter. It keeps who holds the files alone from reading them. It
//! does not hide how much there is, when it was written or of which kind; and whoever may read the key as well, or this
//! process' memory, reads everything. Keys are wiped when dropped and have no text form.

mod cost;
mod error;
mod files;
pub mod functions;
mod passphrase;
mod source;
mod terminal;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, hmac};
use zeroize::Zeroizing;

pub use cost::{Cost, SALT_BYTES, check as check_passphrase, stretch};
pub use error::VaultError;
pub use files::write_durably;
pub(crate) use source::put_under;
pub use source::{Source, VaultConfig, find, own_key_path};
pub use terminal::{ask, read_passphrase};

/// A key's length, in bytes.
pub const KEY_BYTES: usize = 32;
/// What a sealed value begins with; another way of sealing would get another number.
const VERSION: u8 = 1;
/// The length of what follows the sealed bytes.
const TAG_BYTES: usize = 16;
/// What sealing adds to a value, in bytes.
pub const OVERHEAD_BYTES: usize = 1 + NONCE_LEN + TAG_BYTES;

/// A key, wiped when it is dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; KEY_BYTES]>);

impl Key {
    /// From its bytes.
    #[must_use]
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A new one, from the system's random numbers.
    ///
    /// # Errors
    /// When there are none.
    pub fn random() -> Result<Self, VaultError> {
        let mut key = Self::new([0; KEY_BYTES]);
        getrandom::fill(&mut key.0[..]).map_err(|error| VaultError::Random(error.to_string()))?;
        Ok(key)
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// A key of its own for `purpose`, from which this one cannot be found again.
    ///
    /// # Errors
    /// Never in practice: the lengths are right.
    pub fn derive(&self, salt: &[u8], purpose: &str) -> Result<Self, VaultError> {
        let mut key = Self::new([0; KEY_BYTES]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
            .extract(self.bytes())
            .expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut key.0[..]))
            .map_err(|_| VaultError::Cipher)?;
        Ok(key)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// Seals and opens. Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    cipher: RandomizedNonceKey,
    veil: hmac::Key,
    root: Key,
    source: Source,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({:?})", self.0.source)
    }
}

impl Vault {
    /// With a key that was found somewhere.
    ///
    /// # Errors
    /// Never in practice: the lengths are right.
    pub fn new(root: Key, source: Source) -> Result<Self, VaultError> {
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, root.derive(&[], "linewatch seal")?.bytes())
            .map_err(|_| VaultError::Cipher)?;
        let veil = hmac::Key::new(hmac::HMAC_SHA256, root.derive(&[], "linewatch veil")?.bytes());
        Ok(Self(Arc::new(Inner { cipher, veil, root, source })))
    }

    /// Where the key came from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.0.source
    }

    /// The key itself, to put it somewhere else.
    pub(crate) fn root(&self) -> &Key {
        &self.0.root
    }

    /// Seals a value for a purpose: version, nonce, the sealed bytes, tag.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD_BYTES);
        sealed.push(VERSION);
        sealed.extend_from_slice(&[0; NONCE_LEN]);
        sealed.extend_from_slice(plain);
        let aad = Aad::from(purpose.as_bytes());
        let (nonce, tag) = self
            .0
            .cipher
            .seal_in_place_separate_tag(aad, &mut sealed[1 + NONCE_LEN..])
            .map_err(|_| VaultError::Cipher)?;
        sealed[1..=NONCE_LEN].copy_from_slice(nonce.as_ref());
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what [`Vault::seal`] made for the same purpose.
    ///
    /// # Errors
    /// When it was sealed with another key or for another purpose, or is damaged.
    pub fn unseal(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let fail = || VaultError::Unreadable(purpose.to_owned());
        if sealed.len() < OVERHEAD_BYTES || sealed[0] != VERSION {
            return Err(fail());
        }
        let nonce = Nonce::try_assume_unique_for_key(&sealed[1..=NONCE_LEN]).map_err(|_| fail())?;
        let mut plain = sealed[1 + NONCE_LEN..].to_vec();
        let aad = Aad::from(purpose.as_bytes());
        let length = self.0.cipher.open_in_place(nonce, aad, &mut plain).map_err(|_| fail())?.len();
        plain.truncate(length);
        Ok(plain)
    }

    /// A name for a value that is the same each time and tells nothing of it: for keys of tables that are themselves
    /// personal. 32 hexadecimal digits.
    #[must_use]
    pub fn veil(&self, purpose: &str, plain: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.0.veil);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(plain);
        hex::encode(&context.sign().as_ref()[..16])
    }
}

#[cfg(test)]
impl Vault {
    /// A vault for tests that are about something else.
    pub(crate) fn sample() -> Self {
        Self::new(Key::new([7; KEY_BYTES]), Source::KeyFile("sample".into())).unwrap()
    }
}
