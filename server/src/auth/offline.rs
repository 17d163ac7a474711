//! How an agent knows its people while nothing reaches it. It is given what a password's hash was made with, and a check
//! that is made of the hash; never the hash. What is stolen from a laptop opens nothing here, and nothing on another
//! laptop.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// HMAC-SHA256 with the password's hash (the bytes that argon2 gives) as its key over the agent's id (its 16 bytes).
#[must_use]
pub fn check(hash: &[u8], agent: Uuid) -> [u8; 32] {
    // HMAC takes a key of any length.
    Hmac::<Sha256>::new_from_slice(hash).map_or([0; 32], |mut mac| {
        mac.update(agent.as_bytes());
        mac.finalize().into_bytes().into()
    })
}

/// Of a stored password: the PHC string without its hash, and the check for an agent. None where nothing is stored that
/// anybody could sign in with.
#[must_use]
pub fn salted_and_check(stored: &str, agent: Uuid) -> Option<(String, [u8; 32])> {
    let (salted, hash) = stored.rsplit_once('$')?;
    // $argon2id$v=19$m=…,t=…,p=…$salt
    let is_whole = salted.starts_with("$argon2") && salted.matches('$').count() == 4;
    let hash = STANDARD_NO_PAD.decode(hash).ok().filter(|hash| is_whole && hash.len() >= 16)?;
    Some((salted.to_owned(), check(&hash, agent)))
}

#[cfg(test)]
mod tests {
    use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};

    use super::*;

    /// What both sides must agree on.
    /// Made without this program: argon2id of the password gives e26e1ef8…5cfe63, and
    /// `printf '\x01\x97\0\0\0\0\x70\0\x80\0\0\0\0\0\0\x01' | openssl dgst -sha256 -mac HMAC -macopt hexkey:e26e…fe63` the
    /// check.
    #[test]
    fn the_check_is_as_agents_make_it() {
        let params = Params::new(19 * 1024, 2, 1, None).unwrap();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let stored = argon2.hash_password_with_salt(b"long enough", b"sample salt 16by").unwrap().to_string();
        let agent = Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0001);
        let (salted, check) = salted_and_check(&stored, agent).unwrap();
        assert_eq!(salted, "$argon2id$v=19$m=19456,t=2,p=1$c2FtcGxlIHNhbHQgMTZieQ");
        assert_eq!(hex::encode(check), "602bc2e61052fccacf586bbfd8ca340322c6ee0d5aff99a68c6d08f847c5e744");
        assert_ne!(salted_and_check(&stored, Uuid::nil()).unwrap().1, check, "of no use on another agent");
        assert!(!salted.contains(stored.rsplit('$').next().unwrap()));
    }

    #[test]
    fn what_is_no_password_gives_nobody() {
        for stored in
            ["none", "", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA", "$5$salt$AAAAAAAAAAAAAAAAAAAAAAAA"]
        {
            assert!(salted_and_check(stored, Uuid::nil()).is_none(), "{stored}");
        }
    }
}
