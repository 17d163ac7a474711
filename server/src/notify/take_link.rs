//! The link in a mail by which its receiver takes the alert: signed with a secret of the database's, so that every node
//! makes and knows the same. It names a row of the outbox and with it receiver and alert; nothing is kept for it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::plan::OutboxRow;

/// Bytes of the row's number.
const NUMBER_BYTES: usize = 8;
/// Bytes of the signature that are kept: 128 bits.
const MAC_BYTES: usize = 16;

/// Signs such links.
#[derive(Clone, PartialEq, Eq)]
pub struct TakeKey([u8; 32]);

impl std::fmt::Debug for TakeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TakeKey(secret)")
    }
}

impl TakeKey {
    /// Signs with this secret.
    #[must_use]
    pub const fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    fn mac(&self, n: i64, key: &str, destination: &str) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        for part in [b"take".as_slice(), &n.to_be_bytes(), key.as_bytes(), b"\0", destination.as_bytes()] {
            mac.update(part);
        }
        Some(mac)
    }

    /// The link's last part for a row.
    #[must_use]
    pub fn token(&self, n: i64, key: &str, destination: &str) -> Option<String> {
        let signature = self.mac(n, key, destination)?.finalize().into_bytes();
        let mut bytes = n.to_be_bytes().to_vec();
        bytes.extend_from_slice(&signature[..MAC_BYTES]);
        Some(URL_SAFE_NO_PAD.encode(bytes))
    }

    fn parts(token: &str) -> Option<(i64, Vec<u8>)> {
        let bytes =
            URL_SAFE_NO_PAD.decode(token).ok().filter(|bytes| bytes.len() == NUMBER_BYTES + MAC_BYTES)?;
        let (number, mac) = bytes.split_at(NUMBER_BYTES);
        Some((i64::from_be_bytes(number.try_into().ok()?), mac.to_vec()))
    }

    /// The number of the row that a link names, whoever made it.
    #[must_use]
    pub fn number(token: &str) -> Option<i64> {
        Self::parts(token).map(|(number, _)| number)
    }

    /// Whether the link was made here for that row.
    #[must_use]
    pub fn fits(&self, token: &str, n: i64, key: &str, destination: &str) -> bool {
        let Some((number, signature)) = Self::parts(token) else { return false };
        let mac = self.mac(n, key, destination);
        number == n && mac.is_some_and(|mac| mac.verify_truncated_left(&signature).is_ok())
    }
}

/// Makes such links.
#[derive(Clone, Debug)]
pub struct TakeLinks {
    /// Signs them.
    pub key: TakeKey,
    /// What they begin with; no slash at the end.
    pub base: String,
}

impl TakeLinks {
    /// The link of a row whose alert can be taken.
    #[must_use]
    pub fn of(&self, row: &OutboxRow) -> Option<String> {
        row.alert_key.as_ref()?;
        Some(format!("{}/a/{}", self.base, self.key.token(row.n, &row.key, &row.destination)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_good_for_its_row_alone() {
        let key = TakeKey::new([7; 32]);
        let token = key.token(12, "k/missed/0/email/a@example.com", "a@example.com").unwrap();
        assert_eq!((token.len(), TakeKey::number(&token)), (32, Some(12)));
        let fits = |key: &TakeKey, token: &str, n, of, to| key.fits(token, n, of, to);
        assert!(fits(&key, &token, 12, "k/missed/0/email/a@example.com", "a@example.com"));
        assert!(!fits(&key, &token, 13, "k/missed/0/email/a@example.com", "a@example.com"));
        assert!(!fits(&key, &token, 12, "k/missed/1/email/a@example.com", "a@example.com"));
        assert!(!fits(&key, &token, 12, "k/missed/0/email/a@example.com", "b@example.com"));
        assert!(!fits(&TakeKey::new([8; 32]), &token, 12, "k/missed/0/email/a@example.com", "a@example.com"));
        for wrong in ["", "AAAA", "!", &token[1..], &format!("{token}A")] {
            assert_eq!(TakeKey::number(wrong), None, "{wrong}");
        }
    }
}
