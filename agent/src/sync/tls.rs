//! Trust: the server's own authority and nothing else.
//!
//! The authority belongs to one server and signs servers' certificates for nobody else, so a
//! certificate that it signed for a server *is* the server; the name or address by which it is reached
//! (a tunnel, a new address) is not compared. Certificates of agents are made for clients only, and are
//! refused here as servers.

use std::sync::Arc;

use linewatch_shared::wire::Hash;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};

/// Something is wrong with a certificate or key on this side.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate or key cannot be read.
    #[error("a stored certificate or key cannot be read: {0}")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// The library refuses it.
    #[error("TLS: {0}")]
    Rustls(#[from] Error),
}

/// Which authority is trusted.
#[derive(Debug)]
enum Trust {
    /// The one that was stored at enrolment, and when that was by the server's clock.
    Known(RootCertStore, Option<UnixTime>),
    /// The one with this SHA-256, which the server presents itself: at enrolment.
    Fingerprint([u8; 32]),
}

#[derive(Debug)]
struct OwnAuthority {
    trust: Trust,
    provider: Arc<CryptoProvider>,
}

impl OwnAuthority {
    /// Since when the agent has been let in.
    const fn since(&self) -> Option<UnixTime> {
        match &self.trust {
            Trust::Known(_, since) => *since,
            Trust::Fingerprint(_) => None,
        }
    }

    fn roots(&self, presented: &[CertificateDer<'_>]) -> Result<std::borrow::Cow<'_, RootCertStore>, Error> {
        match &self.trust {
            Trust::Known(roots, _) => Ok(std::borrow::Cow::Borrowed(roots)),
            Trust::Fingerprint(wanted) => {
                let authority = presented.iter().find(|der| Sha256::digest(der)[..] == *wanted);
                let authority =
                    authority.ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
                let mut roots = RootCertStore::empty();
                roots.add(authority.clone().into_owned())?;
                Ok(std::borrow::Cow::Owned(roots))
            }
        }
    }
}

impl ServerCertVerifier for OwnAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let roots = self.roots(intermediates)?;
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        let verify =
            |now| verify_server_cert_signed_by_trust_anchor(&parsed, &roots, intermediates, now, algorithms);
        let result = match verify(now) {
            // Our own authority makes nothing for the future: this device's clock is behind, which must
            // not keep it from telling the server so.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
            )) => verify(begin_of(end_entity, intermediates).unwrap_or(now)),
            // Or this device's clock is years ahead, which must not keep what was written down here for ever: what was
            // valid at some time since this agent was let in is believed. An older certificate never is.
            Err(Error::InvalidCertificate(
                CertificateError::Expired | CertificateError::ExpiredContext { .. },
            )) if self.since().is_some() => {
                let since = self.since().unwrap_or(now);
                verify(begin_of(end_entity, intermediates).map_or(since, |begin| begin.max(since)))
            }
            other => other,
        };
        result.map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The moment from which all presented certificates are valid.
fn begin_of(end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Option<UnixTime> {
    begin_of_all(std::iter::once(end_entity).chain(intermediates))
}

fn begin_of_all<'a>(all: impl IntoIterator<Item = &'a CertificateDer<'a>>) -> Option<UnixTime> {
    let begins = all.into_iter().filter_map(|der| {
        let (_, parsed) = x509_parser::parse_x509_certificate(der).ok()?;
        u64::try_from(parsed.validity().not_before.timestamp()).ok()
    });
    begins.max().map(|second| UnixTime::since_unix_epoch(std::time::Duration::from_secs(second)))
}

fn builder(
    trust: Trust,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = OwnAuthority { trust, provider: Arc::clone(&provider) };
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)))
}

/// For enrolment: trusts the authority with this SHA-256, and shows no certificate.
///
/// # Errors
/// When the library refuses the settings.
pub fn by_fingerprint(authority_sha256: [u8; 32]) -> Result<ClientConfig, TlsError> {
    let mut config = builder(Trust::Fingerprint(authority_sha256))?.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// For a proof of the key: trusts the stored authority, and shows no certificate.
///
/// # Errors
/// When a certificate cannot be read.
pub fn as_stranger(authority_pem: &str, certificate_pem: &str) -> Result<ClientConfig, TlsError> {
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(certificate_pem.as_bytes()).collect::<Result<_, _>>()?;
    let mut config =
        builder(Trust::Known(roots(authority_pem)?, begin_of_all(&chain)))?.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The stored authority; while it is rotated, both.
fn roots(authority_pem: &str) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(authority_pem.as_bytes()) {
        roots.add(authority?)?;
    }
    Ok(roots)
}

/// SHA-256 of each of the stored authorities.
///
/// # Errors
/// When one cannot be read, or used as a root.
pub fn fingerprints(authority_pem: &str) -> Result<Vec<Hash>, TlsError> {
    roots(authority_pem)?;
    let all = CertificateDer::pem_slice_iter(authority_pem.as_bytes());
    Ok(all
        .map(|der| Ok(Hash(Sha256::digest(der?.as_ref()).into())))
        .collect::<Result<_, rustls::pki_types::pem::Error>>()?)
}

/// For sync: trusts the stored authority, and shows the agent's certificate.
///
/// # Errors
/// When a certificate or the key cannot be read.
pub fn as_agent(authority_pem: &str, certificate_pem: &str, key_pem: &str) -> Result<ClientConfig, TlsError> {
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(certificate_pem.as_bytes()).collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes())?;
    let since = begin_of_all(&chain);
    let mut config =
        builder(Trust::Known(roots(authority_pem)?, since))?.with_client_auth_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
