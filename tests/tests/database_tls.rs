//! PostgreSQL over TLS: what is asked for is encrypted, and only the right server is believed.

use anyhow::{Result, ensure};
use linewatch_tests::harness::{Cluster, Folder, Server, ServerOptions, story};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

fn authority() -> Result<Authority> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key)?.pem();
    Ok(Authority { pem, issuer: Issuer::new(params, key) })
}

impl Authority {
    fn certificate(&self, name: &str) -> Result<(String, String)> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec![name.to_owned()])?.signed_by(&key, &self.issuer)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }
}

/// How a command of the server ends on that address.
fn try_with(folder: &Folder, name: &str, url: String) -> Result<(i32, String)> {
    let options = ServerOptions { db_url: Some(url), ..ServerOptions::default() };
    let server = Server::new(&folder.sub(name)?, &options)?;
    let ran = server.run(&["user", "list"], "")?;
    Ok((ran.code, ran.err))
}

fn play(folder: &Folder) -> Result<()> {
    let (ours, theirs) = (authority()?, authority()?);
    let cluster = Cluster::start()?;
    let (certificate, key) = ours.certificate("127.0.0.1")?;
    cluster.only_tls(&certificate, &key)?;
    let [own, foreign] = [("own.pem", &ours.pem), ("foreign.pem", &theirs.pem)].map(|(name, pem)| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem).map(|()| path.display().to_string())
    });
    let (own, foreign) = (own?, foreign?);
    let url = |more: &str| format!("{}?{more}", cluster.url());

    let (code, said) = try_with(folder, "plain", cluster.url())?;
    ensure!(code != 0 && said.contains("no encryption"), "without TLS: {code} {said}");
    let (code, said) = try_with(folder, "right", url(&format!("sslmode=verify-full&sslrootcert={own}")))?;
    ensure!(code == 0, "with TLS: {said}");
    let (code, said) = try_with(folder, "foreign", url(&format!("sslmode=require&sslrootcert={foreign}")))?;
    ensure!(code != 0 && said.contains("invalid peer certificate"), "another authority: {code} {said}");
    let named = url(&format!("sslmode=verify-full&sslrootcert={own}")).replace("127.0.0.1", "localhost");
    let (code, said) = try_with(folder, "named", named)?;
    ensure!(code != 0 && said.contains("not valid for name"), "another name: {code} {said}");
    let (code, said) = try_with(folder, "missing", url("sslmode=verify-full&sslrootcert=/nowhere.pem"))?;
    ensure!(code != 0 && said.contains("/nowhere.pem"), "no file: {code} {said}");
    Ok(())
}

#[test]
fn postgresql_is_spoken_to_in_secret_and_has_to_prove_who_it_is() {
    story(play);
}
