//! The next certificate: asked for with the present one, or, when that has expired, by signing what the server asks to
//! sign. The key stays the same, and so does everything if this fails.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use linewatch_shared::wire::{Challenge, Prove, Renew, Renewed, proof_message};
use rcgen::SigningKey;

use super::{EnrollError, Identity, explain, request};
use crate::sync::client::Client;
use crate::sync::tls;
use crate::sync::transport::CallError;
use crate::vault::Vault;

/// The lock under which the identity is replaced, in the data directory.
const LOCK_NAME: &str = "identity.lock";

/// Renews the certificate over the connection of the present one.
///
/// # Errors
/// When the server is not reached or refuses; then the present one stays.
pub async fn renew(data_dir: &Path, identity: &Identity, vault: &Vault) -> Result<(), EnrollError> {
    let key = rcgen::KeyPair::from_pem(&identity.key_pem(vault)?)?;
    let client = identity.client(data_dir, vault)?;
    let asked = Renew { csr_der: request(&key)? };
    let renewed = client.renew(&asked).await.map_err(|error| explain(&identity.server, error))?;
    keep(data_dir, identity, renewed)
}

/// Gets a new certificate for the key of one that has expired: without showing any, by a proof.
///
/// # Errors
/// When the server is not reached or refuses.
pub async fn prove(data_dir: &Path, identity: &Identity, vault: &Vault) -> Result<(), EnrollError> {
    let key = rcgen::KeyPair::from_pem(&identity.key_pem(vault)?)?;
    let tls = tls::as_stranger(&identity.authority_pem, &identity.certificate_pem)?;
    let failed = |error: CallError| explain(&identity.server, error);
    let client = Client::new(&identity.server, tls).map_err(failed)?;
    let agent_id = identity.agent_id;
    let nonce = client.challenge(&Challenge { agent_id }).await.map_err(failed)?.nonce;
    let csr_der = request(&key)?;
    let signature = key.sign(&proof_message(agent_id, &nonce, &csr_der))?;
    let renewed = client.prove(&Prove { agent_id, nonce, csr_der, signature }).await.map_err(failed)?;
    keep(data_dir, identity, renewed)
}

/// Stores the new certificate, unless the agent was enrolled anew meanwhile.
fn keep(data_dir: &Path, known: &Identity, renewed: Renewed) -> Result<(), EnrollError> {
    let _lock = lock(data_dir)?;
    let stored = Identity::load(data_dir)?;
    let Some(stored) = stored.filter(|stored| stored.certificate_pem == known.certificate_pem) else {
        return Ok(());
    };
    let next =
        Identity { certificate_pem: renewed.certificate_pem, renew_at: Some(renewed.renew_at), ..stored };
    // A certificate that cannot be read must not take the place of one that can.
    next.valid_until().ok_or_else(|| EnrollError::Answer("no certificate that can be read".to_owned()))?;
    next.store(data_dir)
}

/// Held while the identity is replaced.
pub(super) fn lock(data_dir: &Path) -> Result<File, EnrollError> {
    let path = data_dir.join(LOCK_NAME);
    let take = || -> std::io::Result<File> {
        // One that root made can be read, and that is enough to lock it.
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                File::options().create(true).truncate(false).write(true).open(&path)?
            }
            other => other?,
        };
        file.lock()?;
        Ok(file)
    };
    take().map_err(|source| EnrollError::File { path: path.clone(), source })
}
