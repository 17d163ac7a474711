//! TLS to PostgreSQL: with `sslmode=require` or `verify-full` in `db.url` the connection is encrypted, and the server has to
//! show a certificate for its name. Without it nothing is: for sockets, the same machine, or a network of one's own.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::DbError;

/// An address, as far as the driver reads it, and what it does not know.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) config: Config,
    /// `sslrootcert`: the authorities to trust in place of the system's.
    root: Option<PathBuf>,
}

/// Reads an address with the words of `libpq` for TLS.
///
/// # Errors
/// A sentence that says what is wrong.
pub(super) fn read(url: &str) -> Result<Address, String> {
    let (mut kept, mut root) = (Vec::new(), None);
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            // What is encrypted is always checked.
            Some(("sslmode", "verify-full" | "verify-ca" | "require")) => kept.push("sslmode=require"),
            Some(("sslmode", "disable")) => kept.push(pair),
            Some(("sslmode", other)) => {
                return Err(format!("sslmode={other} is not one of: disable, require, verify-full"));
            }
            Some(("sslrootcert", _)) => {
                let (_, path) = form_urlencoded::parse(pair.as_bytes()).next().unwrap_or_default();
                root = Some(PathBuf::from(&*path));
            }
            _ => kept.push(pair),
        }
    }
    let text = if kept.is_empty() { place.to_owned() } else { format!("{place}?{}", kept.join("&")) };
    let mut config: Config = text.parse().map_err(|e| format!("not a PostgreSQL address: {e}"))?;
    if config.get_ssl_mode() != SslMode::Require {
        if root.is_some() {
            return Err("sslrootcert is of no use without sslmode=verify-full".to_owned());
        }
        config.ssl_mode(SslMode::Disable);
    }
    Ok(Address { config, root })
}

impl Address {
    /// How TLS is begun, where it is asked for.
    ///
    /// # Errors
    /// When the authorities cannot be read.
    pub(super) fn tls(&self) -> Result<MakeRustlsConnect, DbError> {
        let wrong = |reason: String| DbError::Data(format!("db.url: {reason}"));
        let roots = match (&self.root, self.config.get_ssl_mode()) {
            (Some(path), _) => from_file(path).map_err(|e| wrong(format!("{}: {e}", path.display())))?,
            (None, SslMode::Require) => of_the_system().map_err(wrong)?,
            _ => RootCertStore::empty(),
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| wrong(e.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(MakeRustlsConnect::new(config))
    }
}

/// Whether what is read and written goes over a network as it is.
pub(super) fn is_plain_abroad(url: &str) -> bool {
    let Ok(Address { config, .. }) = read(url) else { return false };
    let is_abroad = |host: &Host| match host {
        Host::Tcp(name) => name != "localhost" && !name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
        Host::Unix(_) => false,
    };
    // Addresses go before names.
    let addresses = config.get_hostaddrs();
    let leads_abroad = if addresses.is_empty() {
        config.get_hosts().iter().any(is_abroad)
    } else {
        addresses.iter().any(|address| !address.is_loopback())
    };
    leads_abroad && config.get_ssl_mode() == SslMode::Disable
}

fn from_file(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| e.to_string())? {
        roots.add(certificate.map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
    }
    if roots.is_empty() { Err("has no certificate".to_owned()) } else { Ok(roots) }
}

fn of_the_system() -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err("this system has no authorities: name them by sslrootcert=FILE".to_owned());
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_leaves_the_machine_needs_it() {
        for (url, plain) in [
            ("postgres://db.example/lines", true),
            ("postgres://127.0.0.1,db.example/lines", true),
            ("postgres://db.example/lines?sslmode=verify-full", false),
            ("postgres://localhost/lines", false),
            ("postgres://localhost/lines?hostaddr=192.0.2.7", true),
            ("postgres://db.example/lines?hostaddr=127.0.0.1", false),
            ("postgres://127.0.0.1:5433/lines", false),
            ("postgres:///lines?host=/run/postgresql", false),
        ] {
            assert_eq!(is_plain_abroad(url), plain, "{url}");
        }
    }

    #[test]
    fn an_address_is_encrypted_when_it_says_so() {
        let mode = |query: &str| {
            read(&format!("postgres://desk@db.example/lines{query}")).map(|a| a.config.get_ssl_mode())
        };
        for plain in ["", "?sslmode=disable", "?connect_timeout=3"] {
            assert_eq!(mode(plain), Ok(SslMode::Disable), "{plain}");
        }
        for encrypted in ["?sslmode=require", "?connect_timeout=3&sslmode=verify-full", "?sslmode=verify-ca"]
        {
            assert_eq!(mode(encrypted), Ok(SslMode::Require), "{encrypted}");
        }
        for wrong in ["?sslmode=prefer", "?sslmode=", "?sslrootcert=/a.pem", "?nonsense=1"] {
            assert!(mode(wrong).is_err(), "{wrong}");
        }
        let named =
            read("postgres://db.example/lines?sslrootcert=%2Fetc%2Fa+b.pem&sslmode=verify-full").unwrap();
        assert_eq!(named.root.as_deref(), Some(Path::new("/etc/a b.pem")));
        let missing = named.tls().err().unwrap().to_string();
        assert!(missing.contains("/etc/a b.pem"), "{missing}");
    }
}
