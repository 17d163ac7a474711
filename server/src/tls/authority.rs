//! The authority: an ECDSA P-256 key and a certificate that signs the server's and the agents'.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Datelike;
use linewatch_shared::time::{DAY_MS, UnixMs};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::SigningRequest;
use crate::app::AppError;
use crate::store::agent_certificates::Signed;

/// How long the authority is valid.
const AUTHORITY_DAYS: i64 = 30 * 365;
/// How long a server's certificate is valid, although it is made anew each month: a field laptop's
/// clock may be far ahead.
const SERVER_DAYS: i64 = 2 * 365;
/// Certificates are valid from so long ago, for clocks that are behind.
const BACKDATED_DAYS: i64 = 365;
/// What the files of the first authority are called.
pub(super) const FIRST: &str = "authority";

/// What an agent gets for its signing request.
#[derive(Clone, Debug)]
pub struct SignedAgent {
    /// The certificate.
    pub certificate_pem: String,
    /// How the agent is recognised later.
    pub signed: Signed,
}

/// The authority of this installation.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority")
            .field("fingerprint", &hex::encode(self.fingerprint()))
            .finish_non_exhaustive()
    }
}

impl Authority {
    /// Reads the authority from `folder`, or makes it there on first use. The key is readable by the
    /// owner only.
    ///
    /// # Errors
    /// When a file cannot be read or written, or does not hold what it should.
    pub fn load_or_create(folder: &Path, now: UnixMs) -> Result<Self, AppError> {
        if !files(folder, FIRST).0.exists() {
            Self::create(folder, FIRST, now)?;
        }
        Self::load(folder, FIRST)
    }

    /// Reads the authority of that name.
    ///
    /// # Errors
    /// When a file cannot be read, or does not hold what it should.
    pub(super) fn load(folder: &Path, name: &str) -> Result<Self, AppError> {
        let (certificate, key) = files(folder, name);
        let read = |path: &Path| std::fs::read_to_string(path).map_err(|e| file_error(path, e));
        let (pem, key_pem) = (read(&certificate)?, read(&key)?);
        let bad = |path: &Path, e: &dyn std::fmt::Display| {
            AppError::Certificate(format!("{}: {e}", path.display()))
        };
        let key_pair = KeyPair::from_pem(&key_pem).map_err(|e| bad(&key, &e))?;
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|e| bad(&certificate, &e))?;
        let issuer = Issuer::from_ca_cert_der(&der, key_pair).map_err(|e| bad(&certificate, &e))?;
        Ok(Self { issuer, certificate: der, pem })
    }

    /// Makes an authority of that name.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn create(folder: &Path, name: &str, now: UnixMs) -> Result<(), AppError> {
        let (certificate, key) = files(folder, name);
        create(folder, &certificate, &key, now)
    }

    /// Deletes the key of the authority of that name: nothing is signed by it any more.
    ///
    /// # Errors
    /// When it cannot be deleted.
    pub(super) fn delete_key(folder: &Path, name: &str) -> Result<(), AppError> {
        let (_, key) = files(folder, name);
        std::fs::remove_file(&key).map_err(|e| file_error(&key, e))
    }

    /// Until when it is valid.
    pub fn ends_at(&self) -> Option<UnixMs> {
        super::Shown::of(&self.certificate).map(|shown| shown.ends_at)
    }

    /// The certificate, as agents get it.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificate.
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// SHA-256 of the certificate's DER, as it stands in enrolment tokens.
    pub fn fingerprint(&self) -> [u8; 32] {
        fingerprint(&self.certificate)
    }

    /// A fresh key and certificate for the server under these names and addresses.
    ///
    /// # Errors
    /// When a name is not one.
    pub fn server_certificate(
        &self,
        names: &[String],
        now: UnixMs,
    ) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), AppError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|e| fail(&e))?;
        let mut params = CertificateParams::new(names).map_err(|e| fail(&e))?;
        params.distinguished_name = named("linewatch server");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        valid(&mut params, now, SERVER_DAYS);
        let signed = params.signed_by(&key, &self.issuer).map_err(|e| fail(&e))?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok((signed.der().clone(), key))
    }

    /// Signs an agent's key for so long. Of the request only the key counts: what the certificate says comes from here.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn sign_agent(
        &self,
        mut request: SigningRequest,
        agent: Uuid,
        life_ms: i64,
        now: UnixMs,
    ) -> Result<SignedAgent, AppError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(&agent.to_string());
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        valid(&mut params, now, 0);
        // To the second: a life may be shorter than a day.
        let day_ms = now.0.rem_euclid(DAY_MS);
        params.not_after += Duration::from_millis((day_ms + life_ms).max(0).cast_unsigned());
        request.params.params = params;
        let certificate = request.params.signed_by(&self.issuer).map_err(|e| fail(&e))?;
        let signed = Signed {
            fingerprint: fingerprint(certificate.der()),
            key: request.key(),
            authority: self.fingerprint(),
            expires_at: now + life_ms,
        };
        Ok(SignedAgent { certificate_pem: certificate.pem(), signed })
    }
}

/// Certificate and key of the authority of that name.
fn files(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")))
}

/// How a certificate is recognised.
pub(super) fn fingerprint(certificate: &CertificateDer<'_>) -> [u8; 32] {
    Sha256::digest(certificate.as_ref()).into()
}

fn create(folder: &Path, certificate: &Path, key: &Path, now: UnixMs) -> Result<(), AppError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|e| file_error(folder, e))?;
    let key_pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|e| fail(&e))?;
    let mut params = CertificateParams::default();
    params.distinguished_name = named("linewatch authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid(&mut params, now, AUTHORITY_DAYS);
    let signed = params.self_signed(&key_pair).map_err(|e| fail(&e))?;
    // The certificate comes last: its presence says that both are whole.
    write_whole(key, key_pair.serialize_pem().as_bytes(), 0o600)?;
    write_whole(certificate, signed.pem().as_bytes(), 0o644)
}

pub(super) fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> Result<(), AppError> {
    let part = path.with_extension("part");
    let write = || {
        if part.exists() {
            std::fs::remove_file(&part)?;
        }
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&part, path)
    };
    write().map_err(|e| file_error(path, e))
}

fn valid(params: &mut CertificateParams, now: UnixMs, days: i64) {
    let day = |at: UnixMs| {
        let at = at.to_utc();
        rcgen::date_time_ymd(at.year(), at.month() as u8, at.day() as u8)
    };
    params.not_before = day(now - BACKDATED_DAYS * DAY_MS);
    params.not_after = day(now + days * DAY_MS);
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn fail(e: &rcgen::Error) -> AppError {
    AppError::Certificate(e.to_string())
}

pub(super) fn file_error(path: &Path, source: std::io::Error) -> AppError {
    AppError::File { path: PathBuf::from(path), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const NOW: UnixMs = UnixMs(1_790_000_000_000);

    #[test]
    fn it_is_made_once_with_a_private_key() {
        let folder = tempfile::tempdir().unwrap();
        let tls = folder.path().join("tls");
        let first = Authority::load_or_create(&tls, NOW).unwrap();
        let again = Authority::load_or_create(&tls, NOW).unwrap();
        assert_eq!(first.fingerprint(), again.fingerprint());
        let mode = std::fs::metadata(files(&tls, FIRST).1).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_certificate_says_what_the_authority_says() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::load_or_create(folder.path(), NOW).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut asked = CertificateParams::new(vec!["evil.example".to_owned()]).unwrap();
        asked.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let csr = asked.serialize_request(&key).unwrap();
        let agent = Uuid::now_v7();
        let request = SigningRequest::parse(csr.der()).unwrap();
        let key = request.key();
        let made = authority.sign_agent(request, agent, DAY_MS / 2, NOW).unwrap();
        let (_, pem) = x509_parser::pem::parse_x509_pem(made.certificate_pem.as_bytes()).unwrap();
        let certificate = pem.parse_x509().unwrap();
        assert!(!certificate.is_ca());
        assert!(certificate.subject_alternative_name().unwrap().is_none());
        assert_eq!(certificate.subject().to_string(), format!("CN={agent}"));
        assert_eq!(certificate.validity().not_after.timestamp(), (NOW + DAY_MS / 2).0 / 1_000);
        assert_eq!(made.signed.expires_at, NOW + DAY_MS / 2);
        assert_eq!(made.signed.key, key);
        let shown = super::super::Shown::of(&CertificateDer::from(pem.contents.clone())).unwrap();
        assert_eq!((shown.fingerprint, shown.key), (made.signed.fingerprint, key));
        assert_eq!(shown.ends_at, made.signed.expires_at);
    }
}
