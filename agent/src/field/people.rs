//! Who may sign in on this device, known offline: by a check that came with the pull, never by the password's hash itself.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use hmac::{Hmac, KeyInit, Mac};
use linewatch_shared::wire::Person;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

/// The longest password that is looked at, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1_024;
/// The most memory that a check may ask for, in KiB: what a server says is believed, but not to the point of falling over.
const MEMORY_KIB_MAX: u32 = 256 << 10;
/// The most passes.
const PASSES_MAX: u32 = 16;
/// How long the hash is.
const HASH_BYTES: usize = 32;

/// Whether the password is this person's, on this agent. Takes as long as the server's own check.
#[must_use]
pub fn is_password(person: &Person, agent: Uuid, password: &str) -> bool {
    if password.len() > PASSWORD_BYTES_MAX {
        return false;
    }
    hash(&person.salted, password).is_some_and(|hash| bool::from(check(&*hash, agent).ct_eq(&person.check)))
}

/// What a server keeps of the hash for an agent.
#[must_use]
pub fn check(hash: &[u8], agent: Uuid) -> [u8; 32] {
    // A key of any length is fine for an HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(hash) else { return [0; 32] };
    mac.update(agent.as_bytes());
    mac.finalize().into_bytes().into()
}

fn hash(salted: &str, password: &str) -> Option<Zeroizing<[u8; HASH_BYTES]>> {
    let parsed = PasswordHash::new(salted).ok()?;
    let algorithm = Algorithm::try_from(parsed.algorithm.as_str()).ok()?;
    let version = parsed.version.map_or(Some(Version::V0x13), |v| Version::try_from(v).ok())?;
    let params = Params::try_from(&parsed).ok()?;
    if params.m_cost() > MEMORY_KIB_MAX || params.t_cost() > PASSES_MAX {
        return None;
    }
    let salt = parsed.salt?;
    let mut hash = Zeroizing::new([0; HASH_BYTES]);
    let argon = Argon2::new(algorithm, version, params);
    argon.hash_password_into(password.as_bytes(), salt.as_ref(), &mut hash[..]).ok()?;
    Some(hash)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A person as a server would send it, cheap to check.
    pub(crate) fn person(name: &str, password: &str, agent: Uuid) -> Person {
        let salted = "$argon2id$v=19$m=64,t=1,p=1$c2FtcGxlc2FsdHNhbXBsZQ".to_owned();
        let hash = hash(&salted, password).unwrap();
        let check = check(&*hash, agent);
        Person { name: name.to_owned(), role: "technician".to_owned(), salted, check }
    }

    /// The server's own test has the same.
    #[test]
    fn the_check_is_as_the_server_makes_it() {
        let agent = Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0001);
        let mut check = [0; 32];
        hex::decode_to_slice("602bc2e61052fccacf586bbfd8ca340322c6ee0d5aff99a68c6d08f847c5e744", &mut check)
            .unwrap();
        let salted = "$argon2id$v=19$m=19456,t=2,p=1$c2FtcGxlIHNhbHQgMTZieQ".to_owned();
        let person = Person { name: "technician-1".to_owned(), role: "technician".to_owned(), salted, check };
        assert!(is_password(&person, agent, "long enough"));
        assert!(!is_password(&person, agent, "long enougg"));
    }

    #[test]
    fn only_the_password_on_only_this_agent() {
        let agent = Uuid::from_u128(7);
        let known = person("technician-1", "correct horse", agent);
        assert!(is_password(&known, agent, "correct horse"));
        assert!(!is_password(&known, agent, "correct horsf"));
        assert!(
            !is_password(&known, Uuid::from_u128(8), "correct horse"),
            "a stolen check is of no use elsewhere"
        );
        assert!(!is_password(&known, agent, &"x".repeat(PASSWORD_BYTES_MAX + 1)));
        let mut greedy = known.clone();
        greedy.salted = greedy.salted.replace("m=64", "m=4000000");
        assert!(!is_password(&greedy, agent, "correct horse"), "what asks for too much is no check");
        greedy.salted = "nonsense".to_owned();
        assert!(!is_password(&greedy, agent, "correct horse"));
    }
}
