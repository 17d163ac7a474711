//! The TLS side of the sync listener: which certificate is shown, and whose are accepted.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use linewatch_shared::time::{Clock, DAY_MS, UnixMs};
use rustls::ServerConfig;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::shown::Clients;
use super::{Authorities, Authority};
use crate::app::AppError;
use crate::config::Settings;

/// The age at which the server's certificate is made anew.
const RENEW_AFTER_MS: i64 = 30 * DAY_MS;

/// The certificate in use, and how to get the next one.
#[derive(Debug)]
pub struct ServerTls {
    authorities: Arc<Authorities>,
    names: Vec<String>,
    current: Arc<Current>,
    clients: Arc<Clients>,
}

#[derive(Debug)]
struct Current {
    key: RwLock<(Arc<CertifiedKey>, UnixMs)>,
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.key.read().unwrap_or_else(PoisonError::into_inner).0))
    }
}

impl ServerTls {
    /// Makes the first certificate: for `localhost`, this machine's name, the listening address and
    /// `sync.names`.
    ///
    /// # Errors
    /// When a configured name is not one.
    pub fn new(authorities: Arc<Authorities>, settings: &Settings, now: UnixMs) -> Result<Self, AppError> {
        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let listen: IpAddr = settings.sync.listen.ip();
        if !listen.is_unspecified() {
            names.push(listen.to_string());
        }
        names.extend(machine_name());
        names.extend(settings.sync.names.iter().cloned());
        names.sort();
        names.dedup();
        let set = authorities.now();
        let key = make(&set.shown, &names, now)?;
        let current = Arc::new(Current { key: RwLock::new((key, now)) });
        Ok(Self { authorities, names, current, clients: Arc::new(Clients::of(&set)?) })
    }

    /// What the acceptor needs. Clients may come without a certificate (to enrol); one that they do
    /// show has to be the authority's.
    ///
    /// # Errors
    /// When the authority's certificate cannot be used as a root.
    pub fn config(&self) -> Result<Arc<ServerConfig>, AppError> {
        let fail = |e: &dyn std::fmt::Display| AppError::Certificate(e.to_string());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| fail(&e))?
            .with_client_cert_verifier(Arc::clone(&self.clients) as Arc<dyn ClientCertVerifier>)
            .with_cert_resolver(Arc::clone(&self.current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// Makes a new certificate when the one in use is a month old; for the next connections.
    ///
    /// # Errors
    /// When it cannot be made; the old one stays.
    pub fn renew_if_old(&self, clock: &dyn Clock) -> Result<bool, AppError> {
        let now = clock.now();
        let made_at = self.current.key.read().unwrap_or_else(PoisonError::into_inner).1;
        if now.since(made_at) < RENEW_AFTER_MS {
            return Ok(false);
        }
        self.renew(now)?;
        Ok(true)
    }

    /// Follows a rotation of the authority: for the next connections.
    ///
    /// # Errors
    /// When the authorities cannot be read; those that were known go on.
    pub fn follow(&self, clock: &dyn Clock) -> Result<bool, AppError> {
        let now = clock.now();
        if !self.authorities.reload(now)? {
            return Ok(false);
        }
        self.clients.trust(&self.authorities.now())?;
        self.renew(now)?;
        Ok(true)
    }

    fn renew(&self, now: UnixMs) -> Result<(), AppError> {
        let key = make(&self.authorities.now().shown, &self.names, now)?;
        *self.current.key.write().unwrap_or_else(PoisonError::into_inner) = (key, now);
        Ok(())
    }
}

fn make(authority: &Authority, names: &[String], now: UnixMs) -> Result<Arc<CertifiedKey>, AppError> {
    let (certificate, key) = authority.server_certificate(names, now)?;
    let signing = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key)
        .map_err(|e| AppError::Certificate(e.to_string()))?;
    Ok(Arc::new(CertifiedKey::new(vec![certificate, authority.certificate().clone()], signing)))
}

fn machine_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim();
    let usable = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    (!name.is_empty() && name.chars().all(usable)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use linewatch_shared::time::ManualClock;

    use super::*;

    #[test]
    fn the_certificate_is_renewed_each_month() {
        let folder = tempfile::tempdir().unwrap();
        let now = UnixMs(1_790_000_000_000);
        let clock = ManualClock::at(now);
        let authorities = Arc::new(Authorities::load_or_create(folder.path(), now).unwrap());
        let settings = Settings::parse("[sync]\nnames = [\"desk.example\"]", "s", vec![]).unwrap();
        let tls = ServerTls::new(authorities, &settings, now).unwrap();
        let shown = || tls.current.key.read().unwrap().0.cert[0].clone();
        let first = shown();
        clock.advance(29 * DAY_MS);
        assert!(!tls.renew_if_old(&clock).unwrap());
        assert_eq!(shown(), first);
        clock.advance(DAY_MS);
        assert!(tls.renew_if_old(&clock).unwrap());
        assert_ne!(shown(), first);
        let der = shown();
        let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
        let names = format!("{:?}", certificate.subject_alternative_name().unwrap().unwrap().value);
        assert!(names.contains("desk.example") && names.contains("localhost"), "{names}");
    }
}
