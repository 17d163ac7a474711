//! Makes a key of a passphrase: argon2id, with a salt and parameters that are kept beside what it opens.

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};

use super::{Key, VaultError};

/// A salt's length, in bytes.
pub const SALT_BYTES: usize = 16;
/// The fewest characters of a passphrase.
pub(super) const PASSPHRASE_MIN: usize = 8;
/// The most that parameters read from a file may ask for: a changed file must not use up the machine.
const MEMORY_KIB_MAX: u32 = 1 << 20;
const PASSES_MAX: u32 = 32;

/// What one try costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Cost {
    /// 64 MiB and 3 passes: a quarter of a second on a laptop, and within what the service may use.
    pub const NEW: Self = Self { memory_kib: 64 << 10, passes: 3 };

    /// For tests, in which nobody guesses.
    #[cfg(test)]
    pub(crate) const CHEAP: Self = Self { memory_kib: 64, passes: 1 };
}

/// The key that a passphrase makes with this salt.
///
/// # Errors
/// When the parameters are out of bounds.
pub fn stretch(passphrase: &str, salt: &[u8], cost: Cost) -> Result<Key, VaultError> {
    if cost.memory_kib > MEMORY_KIB_MAX || cost.passes > PASSES_MAX {
        return Err(VaultError::Cipher);
    }
    let params = Params::new(cost.memory_kib, cost.passes, 1, None).map_err(|_| VaultError::Cipher)?;
    let mut key = Key::new([0; super::KEY_BYTES]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut key.0[..])
        .map_err(|_| VaultError::Cipher)?;
    Ok(key)
}

/// Refuses a passphrase that is too short to be one.
///
/// # Errors
/// When it is.
pub fn check(passphrase: &str) -> Result<(), VaultError> {
    if passphrase.chars().count() < PASSPHRASE_MIN { Err(VaultError::WeakPassphrase) } else { Ok(()) }
}
