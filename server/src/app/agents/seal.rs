//! Small values that the server hands to an agent and wants back unchanged: signed with the installation's key, for one
//! purpose and one agent.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// The length of what is appended to a value.
const TAG_BYTES: usize = 32;

/// The key, the same on every node.
#[derive(Clone)]
pub struct AgentKey([u8; 32]);

impl std::fmt::Debug for AgentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AgentKey")
    }
}

impl AgentKey {
    /// From its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn mac(&self, purpose: &[u8], agent: Uuid, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(&(purpose.len() as u64).to_be_bytes());
        mac.update(purpose);
        mac.update(agent.as_bytes());
        mac.update(body);
        Some(mac)
    }

    /// The value with its signature.
    #[must_use]
    pub fn seal(&self, purpose: &[u8], agent: Uuid, body: &[u8]) -> Vec<u8> {
        let mut sealed = body.to_vec();
        if let Some(mac) = self.mac(purpose, agent, body) {
            sealed.extend_from_slice(&mac.finalize().into_bytes());
        }
        sealed
    }

    /// The value, where we signed it for that purpose and agent.
    #[must_use]
    pub fn open<'a>(&self, purpose: &[u8], agent: Uuid, sealed: &'a [u8]) -> Option<&'a [u8]> {
        let (body, tag) = sealed.split_at_checked(sealed.len().checked_sub(TAG_BYTES)?)?;
        self.mac(purpose, agent, body)?.verify_slice(tag).ok()?;
        Some(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sealed_opens_and_for_that_alone() {
        let (key, other) = (AgentKey::new([1; 32]), AgentKey::new([2; 32]));
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let sealed = key.seal(b"a", one, b"value");
        assert_eq!(key.open(b"a", one, &sealed), Some(&b"value"[..]));
        assert_eq!(key.open(b"b", one, &sealed), None);
        assert_eq!(key.open(b"a", two, &sealed), None);
        assert_eq!(other.open(b"a", one, &sealed), None);
        let mut changed = sealed.clone();
        changed[0] ^= 1;
        assert_eq!(key.open(b"a", one, &changed), None);
        assert_eq!(key.open(b"a", one, &sealed[..10]), None);
        assert_eq!(key.open(b"a", one, b""), None);
    }
}
