//! How entries hang together, as bytes: each entry's hash is over the one before it, so that none can be changed, taken
//! out, put in or moved without all that follow.
//!
//! What was said (who, about what) and the detail stand in the chain as salted hashes of their own. When their time is
//! over, or a person's data is erased, they go with their salts: what is left tells nobody anything, and still proves that
//! nothing else changed. `docs/audit.md` has the same in words, for whoever checks an export with a program of their own.

use sha2::{Digest, Sha256};

/// A SHA-256.
pub type Hash = [u8; 32];
/// What the first entry hangs on.
pub const START: Hash = [0; 32];
/// Names the form, so that another one can follow it.
const FORM: &[u8] = b"linewatch audit 1\n";

/// Bytes of a salt.
pub const SALT_BYTES: usize = 16;
/// Makes a hash's text impossible to guess once it is gone.
pub type Salt = [u8; SALT_BYTES];

/// What an entry is in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number: one more than that of the entry before it.
    pub n: i64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// What was done.
    pub action: String,
    /// The salted hash of who did it, and about what.
    pub content: Hash,
    /// The salted hash of the detail, where there was one.
    pub detail: Option<Hash>,
}

impl Link {
    /// The entry's hash on top of that of the entry before it.
    #[must_use]
    pub fn hash(&self, before: &Hash) -> Hash {
        let mut hash = Sha256::new_with_prefix(FORM);
        hash.update(before);
        hash.update(self.n.to_be_bytes());
        hash.update(self.at_ms.to_be_bytes());
        text(&mut hash, &self.action);
        hash.update(self.content);
        hash.update(self.detail.unwrap_or(START));
        hash.finalize().into()
    }
}

/// The hash of who did something, and about what.
#[must_use]
pub fn content(salt: &Salt, who: &str, subject: &str) -> Hash {
    let mut hash = Sha256::new_with_prefix(salt);
    text(&mut hash, who);
    text(&mut hash, subject);
    hash.finalize().into()
}

/// The hash of a detail.
#[must_use]
pub fn detail(salt: &Salt, detail: &str) -> Hash {
    let mut hash = Sha256::new_with_prefix(salt);
    text(&mut hash, detail);
    hash.finalize().into()
}

/// A text with its length before it, so that two texts cannot be cut anew.
fn text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link {
        let salt = [7; SALT_BYTES];
        let detail = Some(detail(&salt, "{}"));
        Link { n: 1, at_ms: 5, action: "signed in".to_owned(), content: content(&salt, "ann", "ann"), detail }
    }

    #[test]
    fn every_part_of_an_entry_is_in_its_hash() {
        let first = link().hash(&START);
        let changed = [
            Link { n: 2, ..link() },
            Link { at_ms: 6, ..link() },
            Link { action: "signed im".to_owned(), ..link() },
            Link { content: content(&[7; SALT_BYTES], "an", "nann"), ..link() },
            Link { content: content(&[8; SALT_BYTES], "ann", "ann"), ..link() },
            Link { detail: None, ..link() },
        ];
        for other in changed {
            assert_ne!(other.hash(&START), first, "{other:?}");
        }
        assert_ne!(link().hash(&first), first);
    }

    #[test]
    fn the_form_stays_what_it_is() {
        assert_eq!(
            hex::encode(link().hash(&START)),
            "a8ea53037e1a58fd183095b770c3c6727d3e6e014b6538a3bbfb024429486532"
        );
    }
}
