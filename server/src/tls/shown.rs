//! What the other end of a connection showed, and who may show it.

use std::sync::{Arc, PoisonError, RwLock};

use linewatch_shared::time::UnixMs;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
};
use sha2::{Digest, Sha256};

use super::Set;
use super::authority::fingerprint;
use crate::app::AppError;

/// A certificate of our authority whose key the other end has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// SHA-256 of it.
    pub fingerprint: [u8; 32],
    /// SHA-256 of its public key (SPKI).
    pub key: [u8; 32],
    /// Until when it is valid.
    pub ends_at: UnixMs,
}

impl Shown {
    /// What a certificate says; none when it cannot be read.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
        Some(Self {
            fingerprint: fingerprint(certificate),
            key: Sha256::digest(parsed.public_key().raw).into(),
            ends_at: UnixMs(parsed.validity().not_after.timestamp().saturating_mul(1_000)),
        })
    }
}

/// Lets the authority's clients in, and those that come without a certificate (to enrol). One that has expired is let in,
/// too, so that it can be told so, and answer a challenge: each request looks at its end.
#[derive(Debug)]
pub(super) struct Clients {
    inner: RwLock<Arc<dyn ClientCertVerifier>>,
}

impl Clients {
    /// Trusts these authorities.
    ///
    /// # Errors
    /// When they cannot be used as roots.
    pub(super) fn of(authorities: &Set) -> Result<Self, AppError> {
        Ok(Self { inner: RwLock::new(Self::verifier(authorities)?) })
    }

    /// Trusts these from now on, on new connections.
    ///
    /// # Errors
    /// When they cannot be used as roots.
    pub(super) fn trust(&self, authorities: &Set) -> Result<(), AppError> {
        *self.inner.write().unwrap_or_else(PoisonError::into_inner) = Self::verifier(authorities)?;
        Ok(())
    }

    fn inner(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::clone(&self.inner.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn verifier(authorities: &Set) -> Result<Arc<dyn ClientCertVerifier>, AppError> {
        let mut roots = RootCertStore::empty();
        for known in &authorities.trusted {
            let added = roots.add(known.certificate().clone());
            added.map_err(|e| AppError::Certificate(e.to_string()))?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .allow_unauthenticated()
            .build()
            .map_err(|e| AppError::Certificate(e.to_string()))
    }
}

impl ClientCertVerifier for Clients {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // They all have one name, and change while the server runs.
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match self.inner().verify_client_cert(end_entity, intermediates, now) {
            Err(Error::InvalidCertificate(
                CertificateError::Expired | CertificateError::ExpiredContext { .. },
            )) => {
                let end = Shown::of(end_entity).and_then(|shown| u64::try_from(shown.ends_at.0 / 1_000).ok());
                let end = end.ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
                let valid = UnixTime::since_unix_epoch(std::time::Duration::from_secs(end));
                self.inner().verify_client_cert(end_entity, intermediates, valid)
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner().verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner().verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner().supported_verify_schemes()
    }
}
