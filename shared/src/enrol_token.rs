//! The enrolment token: what a person carries from the server to a new agent, on one line.
//!
//! Base64url without padding of: one byte of version (1), 32 bytes of secret, the SHA-256 of the
//! server authority's certificate (DER), and the agent's name in UTF-8 (may be empty). The hash lets the agent
//! know its server before it trusts anything else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const VERSION: u8 = 1;
const FIXED_BYTES: usize = 1 + 32 + 32;
/// The longest name in a token, in bytes.
const NAME_BYTES_MAX: usize = 256;

/// A parsed token.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrolToken {
    /// Proves to the server that the agent may enrol; valid once.
    pub secret: [u8; 32],
    /// SHA-256 of the authority's certificate in DER.
    pub authority_sha256: [u8; 32],
    /// The agent's name, as the desk knows it.
    pub name: String,
}

/// Why a text is not a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnrolTokenError {
    /// Not base64url, or cut off.
    #[error("this is not an enrolment token: copy the whole line that `agent token` printed")]
    Form,
    /// Made by a newer server.
    #[error("the token is of version {0}, which this program is too old for")]
    Version(u8),
}

impl EnrolToken {
    /// The text to carry.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.secret);
        bytes.extend_from_slice(&self.authority_sha256);
        bytes.extend_from_slice(self.name.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token; white space around it is ignored.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(text: &str) -> Result<Self, EnrolTokenError> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim()).map_err(|_| EnrolTokenError::Form)?;
        let (&version, rest) = bytes.split_first().ok_or(EnrolTokenError::Form)?;
        if version != VERSION {
            return Err(EnrolTokenError::Version(version));
        }
        if bytes.len() > FIXED_BYTES + NAME_BYTES_MAX {
            return Err(EnrolTokenError::Form);
        }
        let (secret, rest) = rest.split_first_chunk::<32>().ok_or(EnrolTokenError::Form)?;
        let (authority, name) = rest.split_first_chunk::<32>().ok_or(EnrolTokenError::Form)?;
        let name = String::from_utf8(name.to_vec()).map_err(|_| EnrolTokenError::Form)?;
        Ok(Self { secret: *secret, authority_sha256: *authority, name })
    }
}

impl std::fmt::Debug for EnrolToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrolToken").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_it_writes_and_nothing_else() {
        let token = EnrolToken { secret: [7; 32], authority_sha256: [9; 32], name: "现场-1".into() };
        let text = token.encode();
        assert!(!text.contains(|c: char| c.is_whitespace()));
        assert_eq!(EnrolToken::parse(&format!(" {text}\n")), Ok(token));
        for bad in ["", "x", "not a token", &text[..60], &format!("{text}!")] {
            assert_eq!(EnrolToken::parse(bad), Err(EnrolTokenError::Form), "{bad}");
        }
        assert_eq!(EnrolToken::parse(&URL_SAFE_NO_PAD.encode([2; 70])), Err(EnrolTokenError::Version(2)));
    }
}
