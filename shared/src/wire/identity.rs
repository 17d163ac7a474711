//! Who an agent is: enrolment, certificates that are renewed, and the proof of an agent whose certificate has expired.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::messages::is_first;
use crate::time::UnixMs;

/// What an agent signs begins with this, so that the signature is good for nothing else.
const PROOF_CONTEXT: &[u8] = b"linewatch agent challenge 1\0";

/// `POST /sync/v1/enroll`: a new agent shows its token and asks for a certificate.
#[derive(Clone, Serialize, Deserialize)]
pub struct Enroll {
    /// The token's secret.
    #[serde(with = "serde_bytes")]
    pub secret: Vec<u8>,
    /// The signing request for the key that was made on the device.
    #[serde(with = "serde_bytes")]
    pub csr_der: Vec<u8>,
    /// The program's version.
    pub version: String,
    /// The agent's [`super::LEVEL`]: one that cannot renew its certificate gets a long one.
    #[serde(default, skip_serializing_if = "is_first")]
    pub level: u16,
}

/// The answer to [`Enroll`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Enrolled {
    /// Who the agent is from now on.
    pub agent_id: Uuid,
    /// Its name, as the desk knows it.
    pub name: String,
    /// Its certificate.
    pub certificate_pem: String,
    /// The server's own authority.
    pub authority_pem: String,
    /// The server's epoch.
    pub server_epoch: Uuid,
    /// From when on, by the server's clock, the certificate is to be renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renew_at: Option<UnixMs>,
}

/// `POST /sync/v1/renew`, from level 2 on: asks for the next certificate of the same key, showing the present one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Renew {
    /// The signing request for the agent's key.
    #[serde(with = "serde_bytes")]
    pub csr_der: Vec<u8>,
}

/// The answer to [`Renew`] and to [`Prove`]. The certificate before it counts until this one is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewed {
    /// The certificate.
    pub certificate_pem: String,
    /// From when on, by the server's clock, it is to be renewed.
    pub renew_at: UnixMs,
}

/// `POST /sync/v1/challenge`, from level 2 on: an agent whose certificate has expired asks what to sign.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Challenge {
    /// Who it says it is.
    pub agent_id: Uuid,
}

/// The answer to [`Challenge`]: good for minutes, for that agent, once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Challenged {
    /// What is signed, in [`proof_message`].
    #[serde(with = "serde_bytes")]
    pub nonce: Vec<u8>,
}

/// `POST /sync/v1/prove`: the key that the agent is known by, proved anew. Answered like [`Renew`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Prove {
    /// Who it says it is.
    pub agent_id: Uuid,
    /// The challenge.
    #[serde(with = "serde_bytes")]
    pub nonce: Vec<u8>,
    /// The signing request for the agent's key.
    #[serde(with = "serde_bytes")]
    pub csr_der: Vec<u8>,
    /// ECDSA P-256 with SHA-256 over [`proof_message`], ASN.1.
    #[serde(with = "serde_bytes")]
    pub signature: Vec<u8>,
}

/// The HTTP header in which an agent shows its newest [`Generation`], in hexadecimal digits, with each request.
pub const GENERATION_HEADER: &str = "linewatch-generation";

/// A turn of the secret by which a copied identity is noticed: opaque to the agent, which stores the newest and shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(#[serde(with = "serde_bytes")] pub Vec<u8>);

impl std::fmt::Debug for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Generation")
    }
}

/// What an agent signs to prove its key: a context, the agent, the challenge and the request, none of which can be taken
/// for another.
#[must_use]
pub fn proof_message(agent: Uuid, nonce: &[u8], csr_der: &[u8]) -> Vec<u8> {
    let mut message = PROOF_CONTEXT.to_vec();
    message.extend_from_slice(agent.as_bytes());
    message.extend_from_slice(&(nonce.len() as u64).to_be_bytes());
    message.extend_from_slice(nonce);
    message.extend_from_slice(csr_der);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_proofs_sign_the_same_bytes() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let proofs = [
            proof_message(one, b"nonce", b"request"),
            proof_message(two, b"nonce", b"request"),
            proof_message(one, b"noncer", b"equest"),
            proof_message(one, b"", b"noncerequest"),
        ];
        for (at, proof) in proofs.iter().enumerate() {
            assert!(proof.starts_with(PROOF_CONTEXT));
            assert!(!proofs[at + 1..].contains(proof));
        }
    }

    #[test]
    fn an_older_agent_and_an_older_server_are_understood() {
        let asked = Enroll { secret: vec![1], csr_der: vec![2], version: "0.1.0".into(), level: 0 };
        let bytes = super::super::encode(&asked).unwrap();
        assert!(!bytes.windows(5).any(|part| part == b"level"), "says nothing new");
        assert_eq!(super::super::decode::<Enroll>(&bytes).unwrap().level, 0);
        let answer = Enrolled {
            agent_id: Uuid::nil(),
            name: "site-1".into(),
            certificate_pem: String::new(),
            authority_pem: String::new(),
            server_epoch: Uuid::nil(),
            renew_at: None,
        };
        let bytes = super::super::encode(&answer).unwrap();
        assert!(!bytes.windows(8).any(|part| part == b"renew_at"));
        assert_eq!(super::super::decode::<Enrolled>(&bytes).unwrap().renew_at, None);
    }
}
