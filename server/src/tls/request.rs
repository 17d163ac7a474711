//! A signing request: the one thing that counts in it is the key, which it proves to have.

use rcgen::{CertificateSigningRequestParams, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls_pki_types::{CertificateSigningRequestDer, SignatureVerificationAlgorithm, alg_id};
use sha2::{Digest, Sha256};

use crate::app::AppError;

/// The largest signing request, in bytes.
const CSR_BYTES_MAX: usize = 16 * 1024;

/// A request that is signed by its own key.
pub struct SigningRequest {
    pub(super) params: CertificateSigningRequestParams,
    key: [u8; 32],
}

impl SigningRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// [`AppError::Refused`] when it is not one, is not signed by its own key, or the key is not of ECDSA P-256.
    pub fn parse(csr_der: &[u8]) -> Result<Self, AppError> {
        let refused = |why: String| AppError::Refused(format!("the signing request {why}"));
        if csr_der.len() > CSR_BYTES_MAX {
            return Err(refused(format!("is larger than {CSR_BYTES_MAX} bytes")));
        }
        let params = CertificateSigningRequestParams::from_der(&CertificateSigningRequestDer::from(csr_der))
            .map_err(|e| refused(format!("is not usable: {e}")))?;
        if params.public_key.algorithm() != &PKCS_ECDSA_P256_SHA256 {
            return Err(refused("is for a key that is not of ECDSA P-256".to_owned()));
        }
        let key = Sha256::digest(params.public_key.subject_public_key_info()).into();
        Ok(Self { params, key })
    }

    /// SHA-256 of the public key (SPKI): what an agent is known by over all its certificates.
    #[must_use]
    pub const fn key(&self) -> [u8; 32] {
        self.key
    }

    /// Whether the request's key signed this.
    #[must_use]
    pub fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let ours = |known: &&&dyn SignatureVerificationAlgorithm| {
            known.public_key_alg_id() == alg_id::ECDSA_P256
                && known.signature_alg_id() == alg_id::ECDSA_SHA256
        };
        let algorithm = provider.signature_verification_algorithms.all.iter().find(ours);
        let key = self.params.public_key.der_bytes();
        algorithm.is_some_and(|known| known.verify_signature(key, message, signature).is_ok())
    }
}

impl std::fmt::Debug for SigningRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningRequest").field("key", &hex::encode(self.key)).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, SigningKey};

    use super::*;

    #[test]
    fn its_key_is_proved_and_of_one_kind() {
        let request = |key: &KeyPair| CertificateParams::default().serialize_request(key).unwrap();
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let csr = request(&key);
        let parsed = SigningRequest::parse(csr.der()).unwrap();
        assert_eq!(parsed.key(), SigningRequest::parse(request(&key).der()).unwrap().key());
        assert_ne!(parsed.key(), SigningRequest::parse(request(&other).der()).unwrap().key());
        assert!(parsed.signed(b"text", &key.sign(b"text").unwrap()));
        assert!(!parsed.signed(b"texts", &key.sign(b"text").unwrap()));
        assert!(!parsed.signed(b"text", &other.sign(b"text").unwrap()));
        assert!(!parsed.signed(b"text", b""));

        let mut broken = csr.der().to_vec();
        *broken.last_mut().unwrap() ^= 1;
        let long = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        for bad in [broken, b"nonsense".to_vec(), vec![0; CSR_BYTES_MAX + 1], request(&long).der().to_vec()] {
            assert!(matches!(SigningRequest::parse(&bad), Err(AppError::Refused(_))));
        }
    }
}
