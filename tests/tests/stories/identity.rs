//! An agent keeps its identity over the years: certificates that are renewed or proved, old disks, another authority.

use anyhow::{Context, Result, ensure};
use linewatch_agent::enroll::{Identity, renewal};
use linewatch_agent::journal::open_vault;
use linewatch_agent::vault::VaultConfig;
use linewatch_tests::harness::{Agent, BOUND, Folder, Store, block_on, eventually, story};

use crate::desk::Desk;

fn identity(agent: &Agent) -> Result<Identity> {
    Identity::load(&agent.data_dir())?.context("not enrolled")
}

fn sync(agent: &Agent) -> Result<()> {
    agent.run(&["sync", "--quiet"])?.ok().map(drop)
}

#[test]
fn a_certificate_is_renewed_and_an_old_disk_proves_its_key() {
    story(|folder: &Folder| {
        let desk = Desk::open(folder, 1)?;
        let agent = &desk.agent;
        sync(agent)?;
        let vault = open_vault(&agent.data_dir(), &VaultConfig::default())?;
        let first = identity(agent)?;
        ensure!(first.renew_at.is_some(), "the server says when it is to be renewed");
        block_on(async { renewal::renew(&agent.data_dir(), &first, &vault).await })?;
        let second = identity(agent)?;
        ensure!(second.certificate_pem != first.certificate_pem && second.agent_id == first.agent_id);
        sync(agent)?;
        // The file is put back as it was: its certificate was replaced, its key is the agent's all the same.
        let file = agent.data_dir().join("identity.json");
        std::fs::write(&file, serde_json::to_vec(&first)?)?;
        sync(agent)?;
        ensure!(identity(agent)?.certificate_pem != first.certificate_pem);
        // A revoked agent is not let in by its key.
        desk.server.run(&["agent", "revoke", crate::desk::AGENT], "")?.ok()?;
        let proved = block_on(async { renewal::prove(&agent.data_dir(), &second, &vault).await });
        let refused = proved.err().context("it was let in")?.to_string();
        ensure!(refused.contains("not_proved"), "{refused}");
        let refused = agent.run(&["sync", "--quiet"])?;
        ensure!(refused.code == 1 && refused.err.contains("revoked"), "{}", refused.err);
        let store = Store::Sqlite(desk.server.database());
        let told =
            |action: &str| store.number(&format!("SELECT COUNT(*) FROM audit WHERE action = '{action}'"));
        ensure!(told("enrolment confirmed")? == 1 && told("certificate renewed")? == 1);
        ensure!(told("certificate recovered")? == 1 && told("proof of a key refused")? == 1);
        Ok(())
    });
}

#[test]
fn another_authority_takes_over_and_the_agent_follows() {
    story(|folder: &Folder| {
        let mut desk = Desk::open(folder, 1)?;
        sync(&desk.agent)?;
        let authority = |args: &[&str]| desk.server.run(&[&["authority"], args].concat(), "");
        authority(&["rotate"])?.ok()?;
        eventually(BOUND, "it hears of the next authority", || {
            sync(&desk.agent)?;
            let trusted = identity(&desk.agent)?.authority_pem.matches("BEGIN CERTIFICATE").count();
            Ok((trusted == 2).then_some(()))
        })?;
        let refused = authority(&["retire"])?.refusal()?;
        ensure!(refused.contains("cut off") || refused.contains("switch first"), "{refused}");
        authority(&["switch"])?.ok()?;
        eventually(BOUND, "the server goes by the next one", || {
            let log = std::fs::read_to_string(desk.server.log())?;
            Ok((log.matches("the authorities have changed").count() == 2).then_some(()))
        })?;
        let refused = authority(&["retire"])?.refusal()?;
        ensure!(refused.contains(crate::desk::AGENT), "{refused}");
        let before = identity(&desk.agent)?.certificate_pem;
        // The running agent gets a certificate of the next authority by itself.
        desk.agent.start()?;
        eventually(BOUND, "it has a certificate of the next authority", || {
            Ok((identity(&desk.agent)?.certificate_pem != before).then_some(()))
        })?;
        eventually(BOUND, "the one before can go", || {
            let retired = desk.server.run(&["authority", "retire"], "")?;
            Ok((retired.code == 0).then_some(()))
        })?;
        eventually(BOUND, "it syncs under the next authority alone", || {
            sync(&desk.agent)?;
            let trusted = identity(&desk.agent)?.authority_pem.matches("BEGIN CERTIFICATE").count();
            Ok((trusted == 1).then_some(()))
        })
    });
}
