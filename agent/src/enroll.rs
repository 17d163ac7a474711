//! Becoming an agent of a server: a key made here, a certificate signed there, one token used once.
//!
//! The token names the server's authority by its hash, so that the very first connection is already
//! checked. The key is stored before it is shown: where the answer is lost, the same token and the same key get it again
//! ([`pending`]). Everything that enrolment yields is one file, replaced whole, readable by its owner only; the private key in it
//! is sealed by the vault.

mod pending;
pub mod renewal;

use std::fs;
use std::path::{Path, PathBuf};

use linewatch_shared::enrol_token::{EnrolToken, EnrolTokenError};
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::{Enroll, LEVEL};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::sync::client::Client;
use crate::sync::generation::Generations;
use crate::sync::home::Home;
use crate::sync::tls::{self, TlsError};
use crate::sync::transport::CallError;
use crate::vault::{Vault, VaultError, write_durably};

/// The file in the data directory.
const FILE_NAME: &str = "identity.json";
/// What the private key is sealed as.
const KEY_PURPOSE: &str = "identity";
/// The most authorities of one server.
const AUTHORITIES_MAX: usize = 4;
/// The port of a server that is named without one.
const DEFAULT_PORT: u16 = 8443;

/// Who this agent is, and whose.
#[derive(Clone, Serialize, Deserialize)]
pub struct Identity {
    /// The agent's id.
    pub agent_id: Uuid,
    /// Its name, as the desk knows it.
    pub name: String,
    /// `https://host:port`
    pub server: String,
    /// The private key, sealed; never leaves this file. Hexadecimal digits.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    key_sealed: String,
    /// The private key as older programs stored it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    key_pem: String,
    /// The agent's certificate.
    pub certificate_pem: String,
    /// The server's own authority.
    pub authority_pem: String,
    /// From when on, by the server's clock, the certificate is to be renewed; none where the server never said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renew_at: Option<UnixMs>,
}

/// Enrolment failed; nothing has changed on this machine.
#[derive(Debug, thiserror::Error)]
pub enum EnrollError {
    /// The token.
    #[error(transparent)]
    Token(#[from] EnrolTokenError),
    /// The URL.
    #[error("{0:?} is not a server's address: write https://HOST:PORT")]
    Url(String),
    /// There is an identity already.
    #[error("already enrolled as {name} with {server}: use --force to leave it")]
    Already {
        /// As whom.
        name: String,
        /// Where.
        server: String,
    },
    /// The server is not the one that the token is from.
    #[error("the server at {0} is not the one that made this token (its authority has another fingerprint)")]
    OtherServer(String),
    /// The call failed.
    #[error("the server at {server} cannot be reached: {reason}")]
    Unreachable {
        /// Where.
        server: String,
        /// Why.
        reason: String,
    },
    /// The server says no.
    #[error("the server refuses to enrol: {detail} ({code})")]
    Refused {
        /// The stable code, such as `used_token`.
        code: String,
        /// In words.
        detail: String,
    },
    /// The answer does not fit the token.
    #[error("the server's answer does not fit: {0}")]
    Answer(String),
    /// Keys.
    #[error("the key: {0}")]
    Key(#[from] rcgen::Error),
    /// The private key cannot be sealed or opened.
    #[error("the private key: {0}")]
    Vault(#[from] VaultError),
    /// TLS settings.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The file.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Identity {
    /// The stored identity; none before enrolment.
    ///
    /// # Errors
    /// When the file is there but cannot be read.
    pub fn load(data_dir: &Path) -> Result<Option<Self>, EnrollError> {
        let path = data_dir.join(FILE_NAME);
        let fail = |source| EnrollError::File { path: path.clone(), source };
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| fail(error.into())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(fail(error)),
        }
    }

    /// Replaces the stored identity, whole or not at all. Under [`renewal::lock`].
    fn store(&self, data_dir: &Path) -> Result<(), EnrollError> {
        let path = data_dir.join(FILE_NAME);
        let write = || write_durably(&path, &serde_json::to_vec_pretty(self)?);
        write().map_err(|source| EnrollError::File { path: path.clone(), source })
    }

    /// Seals the private key of a stored identity that an older program left in the clear. What the disk keeps of the old
    /// file's blocks is beyond reach.
    ///
    /// # Errors
    /// When the file cannot be read or replaced.
    pub fn seal_stored(data_dir: &Path, vault: &Vault) -> Result<(), EnrollError> {
        let Some(mut stored) = Self::load(data_dir)?.filter(|stored| !stored.key_pem.is_empty()) else {
            return Ok(());
        };
        let plain = Zeroizing::new(std::mem::take(&mut stored.key_pem));
        stored.key_sealed = sealed(vault, &plain)?;
        stored.store(data_dir)
    }

    /// The private key.
    ///
    /// # Errors
    /// When it was sealed with another key.
    pub fn key_pem(&self, vault: &Vault) -> Result<Zeroizing<String>, EnrollError> {
        if !self.key_pem.is_empty() {
            return Ok(Zeroizing::new(self.key_pem.clone()));
        }
        Ok(opened(vault, &self.key_sealed)?)
    }

    /// The client for this identity's server, which keeps what it has to store in the data directory.
    ///
    /// # Errors
    /// When a stored certificate cannot be used, or the private key was sealed with another key.
    pub fn client(&self, data_dir: &Path, vault: &Vault) -> Result<Client, EnrollError> {
        let tls = tls::as_agent(&self.authority_pem, &self.certificate_pem, &self.key_pem(vault)?)?;
        let client = Client::new(&self.server, tls).map_err(|error| EnrollError::Unreachable {
            server: self.server.clone(),
            reason: error.to_string(),
        })?;
        let trusts = tls::fingerprints(&self.authority_pem)?;
        // An older server, which never said when to renew, is not told what it does not understand.
        let trusts = if self.renew_at.is_some() { trusts } else { Vec::new() };
        Ok(client.at(Home::new(data_dir, trusts)))
    }

    /// Trusts these authorities from now on, which came over the trust in those before.
    ///
    /// # Errors
    /// When one of them is none, or the file cannot be replaced; then those before go on.
    pub fn trust(data_dir: &Path, authorities: &[String]) -> Result<(), EnrollError> {
        if authorities.len() > AUTHORITIES_MAX {
            return Err(EnrollError::Answer(format!("more than {AUTHORITIES_MAX} authorities")));
        }
        let authority_pem =
            authorities.iter().map(|pem| pem.trim_end()).collect::<Vec<_>>().join("\n") + "\n";
        if tls::fingerprints(&authority_pem)?.len() != authorities.len() {
            return Err(EnrollError::Answer("an authority that cannot be read".to_owned()));
        }
        let _lock = renewal::lock(data_dir)?;
        match Self::load(data_dir)? {
            Some(stored) if stored.authority_pem != authority_pem => {
                tracing::info!(authorities = authorities.len(), "the server's authorities have changed");
                Self { authority_pem, ..stored }.store(data_dir)
            }
            _ => Ok(()),
        }
    }

    /// Until when the certificate is valid.
    #[must_use]
    pub fn valid_until(&self) -> Option<UnixMs> {
        let (_, pem) = x509_parser::pem::parse_x509_pem(self.certificate_pem.as_bytes()).ok()?;
        let certificate = pem.parse_x509().ok()?;
        Some(UnixMs(certificate.validity().not_after.timestamp().saturating_mul(1_000)))
    }
}

fn sealed(vault: &Vault, pem: &str) -> Result<String, VaultError> {
    Ok(hex::encode(vault.seal(KEY_PURPOSE, pem.as_bytes())?))
}

fn opened(vault: &Vault, sealed: &str) -> Result<Zeroizing<String>, VaultError> {
    let unreadable = || VaultError::Unreadable(KEY_PURPOSE.to_owned());
    let sealed = hex::decode(sealed).map_err(|_| unreadable())?;
    let plain = vault.unseal(KEY_PURPOSE, &sealed)?;
    Ok(Zeroizing::new(String::from_utf8(plain).map_err(|_| unreadable())?))
}

#[cfg(test)]
impl Identity {
    /// An identity for tests that never reach a server.
    pub(crate) fn sample(agent_id: Uuid, name: &str) -> Self {
        let (key_sealed, key_pem) = (String::new(), String::new());
        let (certificate_pem, authority_pem) = (String::new(), String::new());
        let server = "https://127.0.0.1:8443".to_owned();
        Self {
            agent_id,
            name: name.to_owned(),
            server,
            key_sealed,
            key_pem,
            certificate_pem,
            authority_pem,
            renew_at: None,
        }
    }
}

/// `https://host:port` from what a person typed.
///
/// # Errors
/// When it is not an address, or not https.
pub fn server_url(text: &str) -> Result<String, EnrollError> {
    let wrong = || EnrollError::Url(text.to_owned());
    let text = text.trim();
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let mut url = reqwest::Url::parse(&with_scheme).map_err(|_| wrong())?;
    let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if url.scheme() != "https" || url.host_str().is_none() || !url.username().is_empty() || !plain {
        return Err(wrong());
    }
    // The parser drops :443 as the scheme's own port.
    if url.port().is_none() && !with_scheme.trim_end_matches('/').ends_with(":443") {
        url.set_port(Some(DEFAULT_PORT)).map_err(|()| wrong())?;
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Enrols with a server and stores the identity.
///
/// # Errors
/// Says what is wrong with the token, the address or the server; nothing is stored then.
pub async fn enroll(
    data_dir: &Path,
    server: &str,
    token: &str,
    force: bool,
    vault: &Vault,
) -> Result<Identity, EnrollError> {
    let token = EnrolToken::parse(token)?;
    let server = server_url(server)?;
    if let Some(known) = Identity::load(data_dir)?.filter(|_| !force) {
        return Err(EnrollError::Already { name: known.name, server: known.server });
    }
    let key = pending::key(data_dir, &token, vault)?;
    let enroll = Enroll {
        secret: token.secret.to_vec(),
        csr_der: request(&key)?,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        level: LEVEL,
    };
    let tls = tls::by_fingerprint(token.authority_sha256)?;
    let client = Client::new(&server, tls).map_err(|error| explain(&server, error))?;
    let enrolled = client.enroll(&enroll).await.map_err(|error| explain(&server, error))?;
    let (_, authority) = x509_parser::pem::parse_x509_pem(enrolled.authority_pem.as_bytes())
        .map_err(|error| EnrollError::Answer(format!("the authority: {error}")))?;
    if Sha256::digest(&authority.contents)[..] != token.authority_sha256 {
        return Err(EnrollError::Answer("it names another authority than the token".to_owned()));
    }
    let identity = Identity {
        agent_id: enrolled.agent_id,
        name: enrolled.name,
        server,
        key_sealed: sealed(vault, &Zeroizing::new(key.serialize_pem()))?,
        key_pem: String::new(),
        certificate_pem: enrolled.certificate_pem,
        authority_pem: enrolled.authority_pem,
        renew_at: enrolled.renew_at,
    };
    // Found out now rather than at the first sync.
    let client = identity.client(data_dir, vault)?;
    {
        let _lock = renewal::lock(data_dir)?;
        identity.store(data_dir)?;
        Generations::of(data_dir).forget();
    }
    confirm(&client, data_dir, &identity).await?;
    Ok(identity)
}

/// A signing request: of it only the key counts.
fn request(key: &rcgen::KeyPair) -> Result<Vec<u8>, rcgen::Error> {
    let mut params = rcgen::CertificateParams::new(Vec::new())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    Ok(params.serialize_request(key)?.der().to_vec())
}

/// Shows the new certificate, which spends the token. Where the server is not reached any more, the first sync does it.
async fn confirm(client: &Client, data_dir: &Path, identity: &Identity) -> Result<(), EnrollError> {
    match client.whoami().await {
        Ok(()) => {
            pending::forget(data_dir);
            Ok(())
        }
        Err(error @ CallError::Problem { .. }) => Err(explain(&identity.server, error)),
        Err(CallError::Unreachable(_)) => Ok(()),
    }
}

fn explain(server: &str, error: CallError) -> EnrollError {
    match error {
        CallError::Problem { code, detail, .. } if !code.is_empty() => EnrollError::Refused { code, detail },
        CallError::Unreachable(reason) if reason.contains("UnknownIssuer") => {
            EnrollError::OtherServer(server.to_owned())
        }
        other => EnrollError::Unreachable { server: server.to_owned(), reason: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::plain::found;

    #[test]
    fn addresses_as_people_type_them() {
        let cases = [
            ("desk.example", Some("https://desk.example:8443")),
            ("desk.example:9000", Some("https://desk.example:9000")),
            (" https://192.0.2.7:8443/ ", Some("https://192.0.2.7:8443")),
            ("https://desk.example:443", Some("https://desk.example")),
            ("[2001:db8::1]:8443", Some("https://[2001:db8::1]:8443")),
            ("http://desk.example", None),
            ("https://desk.example/path", None),
            ("https://user@desk.example", None),
            ("", None),
            ("two words", None),
        ];
        for (typed, expected) in cases {
            assert_eq!(server_url(typed).ok().as_deref(), expected, "{typed:?}");
        }
    }

    #[test]
    fn the_identity_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        assert!(Identity::load(dir.path()).unwrap().is_none());
        let key_pem = "canary-private-key".to_owned();
        let identity = Identity { key_pem, ..Identity::sample(Uuid::from_u128(1), "sample") };
        identity.store(dir.path()).unwrap();
        identity.store(dir.path()).unwrap();
        let mode = fs::metadata(dir.path().join(FILE_NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(Identity::load(dir.path()).unwrap().unwrap().name, "sample");

        // As an older program left it; then sealed.
        let vault = Vault::sample();
        let words = ["canary-private-key"];
        assert_eq!(found(dir.path(), &words).len(), 1);
        for _ in 0..2 {
            Identity::seal_stored(dir.path(), &vault).unwrap();
            assert_eq!(found(dir.path(), &words), Vec::<String>::new());
            let stored = Identity::load(dir.path()).unwrap().unwrap();
            assert_eq!(*stored.key_pem(&vault).unwrap(), words[0]);
        }
        let other =
            Vault::new(crate::vault::Key::random().unwrap(), crate::vault::Source::Passphrase).unwrap();
        let stored = Identity::load(dir.path()).unwrap().unwrap();
        assert!(stored.key_pem(&other).unwrap_err().to_string().contains("another key"));
    }
}
