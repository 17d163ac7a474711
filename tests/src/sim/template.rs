//! A server with customers, lines, agents and a person, made once and copied for each run: opening a new database takes
//! longer than most runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use linewatch_server::app::{agents, import, users};
use linewatch_server::auth::Role;
use linewatch_server::tls::Shown;
use linewatch_shared::enrol_token::EnrolToken;
use linewatch_shared::time::{ManualClock, UnixMs};
use linewatch_shared::wire::{self, Enroll, Enrolled, Hash};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::nodes::{Nodes, Shows};
use crate::harness::Folder;

/// When every run begins.
pub const BEGIN: UnixMs = UnixMs(1_780_000_000_000);
/// Laptops of a run.
pub const LAPTOPS: usize = 3;
/// Lines of each laptop.
pub const LINES: usize = 4;
/// Who sits at the desk.
pub const PERSON: &str = "desk-1";

/// What every run begins with.
pub struct Template {
    folder: Folder,
    /// What each laptop shows.
    pub certificates: Vec<Shown>,
    /// Whom they trust.
    pub authority: Hash,
    /// The person's API token.
    pub token: String,
}

/// The code of a laptop's line.
pub fn line(laptop: usize, n: usize) -> String {
    format!("L{laptop}-{n}")
}

/// A laptop's name.
pub fn name(laptop: usize) -> String {
    format!("laptop-{laptop}")
}

impl Template {
    /// Makes it.
    ///
    /// # Errors
    /// When the server does not take what it is given.
    pub async fn make() -> Result<Self> {
        let folder = Folder::in_memory()?;
        let clock = Arc::new(ManualClock::at(BEGIN));
        let dir = folder.sub("making")?;
        let mut nodes = Nodes::new(&dir, &clock);
        nodes.start(0).await?;
        let node = nodes.running().pop().context("no node")?;
        let app = &node.app;
        let import = async |csv: String| {
            let done = import::bytes(&app.db, &app.packs, csv.as_bytes(), false, BEGIN).await;
            done.map(|_| ()).map_err(|e| anyhow::anyhow!("{e}"))
        };
        import(customers()).await?;
        import(lines()).await?;
        users::add(&app.db, PERSON, Role::Noc, "sample pass phrase of the desk", BEGIN).await?;
        let token = users::token(&app.db, PERSON, "simulation", BEGIN).await?;
        let mut certificates = Vec::new();
        for n in 0..LAPTOPS {
            let token =
                agents::token(&app.db, &name(n), &app.authorities.now().shown, "simulation", BEGIN).await?;
            let token = EnrolToken::parse(&token)?;
            let csr_der = signing_request()?;
            let (secret, version) = (token.secret.to_vec(), "0".to_owned());
            let asked = Enroll { secret, csr_der, version, level: wire::LEVEL };
            let answered = node.call("enroll", &Shows::default(), wire::encode(&asked)?).await?;
            ensure!(answered.status.is_success(), "{}", String::from_utf8_lossy(&answered.body));
            let enrolled: Enrolled = wire::decode(&answered.body)?;
            let certificate = CertificateDer::from_pem_slice(enrolled.certificate_pem.as_bytes())?;
            certificates.push(Shown::of(&certificate).context("a certificate that cannot be read")?);
        }
        nodes.backup(&folder.path().join("server.db")).await?;
        let authority = Hash(app.authorities.now().shown.fingerprint());
        Ok(Self { folder, certificates, authority, token })
    }

    /// A folder for a run, with the server's files.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn copy_to(&self, dir: &Path) -> Result<PathBuf> {
        let server = dir.join("server");
        std::fs::create_dir_all(server.join("tls"))?;
        std::fs::copy(self.folder.path().join("server.db"), server.join("server.db"))?;
        for entry in std::fs::read_dir(self.folder.path().join("making/tls"))? {
            let entry = entry?;
            std::fs::copy(entry.path(), server.join("tls").join(entry.file_name()))?;
        }
        Ok(server)
    }
}

fn customers() -> String {
    let rows = (0..LAPTOPS).map(|n| {
        format!("C{n},sample customer {n},{},group-line,m{n},m{n}@desk.example", ["AAA", "AA", "A"][n % 3])
    });
    std::iter::once("code,name,tier,pack,manager,manager_email".to_owned())
        .chain(rows)
        .collect::<Vec<_>>()
        .join("\n")
}

fn lines() -> String {
    let row = |laptop: usize, n: usize| format!("{},C{laptop},{}", line(laptop, n), name(laptop));
    let rows = (0..LAPTOPS).flat_map(|laptop| (0..LINES).map(move |n| row(laptop, n)));
    std::iter::once("code,customer,agent".to_owned()).chain(rows).collect::<Vec<_>>().join("\n")
}

fn signing_request() -> Result<Vec<u8>> {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut params = rcgen::CertificateParams::new(Vec::new())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    Ok(params.serialize_request(&key)?.der().to_vec())
}
