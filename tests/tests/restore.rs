//! A server that was restored from an old backup: agents notice that it has less than they were told, and send it again.

use std::collections::BTreeSet;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use linewatch_tests::harness::{
    Agent, BOUND, Folder, Server, ServerOptions, Store, eventually, sample, story,
};
use uuid::Uuid;

const AGENT: &str = "field-laptop";
const SAVED: &str = "SELECT id FROM record WHERE kind IN ('report', 'visit')";

fn write(agent: &Agent, count: usize) -> Result<BTreeSet<Uuid>> {
    let journal = sample::journal(agent)?;
    let records: Vec<_> = (0..count).map(|_| sample::visit(journal.scribe())).collect();
    ensure!(journal.append_blocking(&records)? == count);
    Ok(records.iter().map(|record| record.id).collect())
}

fn wait_for(store: &Store, wanted: &BTreeSet<Uuid>) -> Result<()> {
    eventually(BOUND, "the server holds everything", || {
        let held = store.ids(SAVED)?;
        let once: BTreeSet<_> = held.iter().copied().collect();
        ensure!(held.len() == once.len(), "records are doubled");
        Ok((once == *wanted).then_some(()))
    })
}

fn epoch(file: &Path) -> Result<String> {
    let db = rusqlite::Connection::open(file)?;
    Ok(db.query_row("SELECT value FROM meta WHERE key = 'epoch'", [], |row| row.get(0))?)
}

fn put_back(backup: &Path, database: &Path) -> Result<()> {
    for ending in ["-wal", "-shm"] {
        let mut name = database.as_os_str().to_owned();
        name.push(ending);
        // Left behind by the killed server.
        let _ = std::fs::remove_file(name);
    }
    std::fs::copy(backup, database)?;
    Ok(())
}

fn play(folder: &Folder) -> Result<()> {
    let mut server = Server::new(&folder.sub("server")?, &ServerOptions::default())?;
    sample::import(&server, "group-line", "AAA", 2, AGENT)?;
    server.start()?;
    let mut agent = Agent::new(&folder.path().join("agent"), None, &[])?;
    agent.enroll(&server, AGENT)?;
    agent.start()?;
    let store = Store::Sqlite(server.database());
    let mut all = write(&agent, 40)?;
    wait_for(&store, &all)?;

    let backup = folder.path().join("backup.db");
    let name = backup.display().to_string();
    let said = server.run(&["backup", &name], "")?.ok()?;
    ensure!(said.contains("records"), "{said}");
    let checked = server.run(&["backup", "--verify", &name], "")?.ok()?;
    ensure!(checked.contains("whole"), "{checked}");
    let first = epoch(&server.database())?;

    all.extend(write(&agent, 60)?);
    wait_for(&store, &all)?;
    server.kill()?;
    put_back(&backup, &server.database())?;
    ensure!(store.ids(SAVED)?.len() == 40, "the old backup has the old records");
    server.start()?;
    // The agent, which never stopped, was told long ago that all of it is stored.
    wait_for(&store, &all)?;
    ensure!(store.number("SELECT COUNT(*) FROM aside")? == 0);
    let second = epoch(&server.database())?;
    ensure!(first != second, "a restored database is another life of it");
    let noted = store.number("SELECT COUNT(*) FROM audit WHERE action = 'backup restored'")?;
    ensure!(noted == 1, "noted {noted} times");

    // Then everything goes on, and a plain restart changes nothing.
    server.stop()?;
    server.start()?;
    all.extend(write(&agent, 5)?);
    wait_for(&store, &all)?;
    ensure!(epoch(&server.database())? == second);
    agent.stop()?;
    server.stop()
}

#[test]
fn a_server_restored_from_an_old_backup_is_sent_again_what_it_lacks() {
    story(play);
}

#[test]
fn a_damaged_backup_is_refused_by_its_check() {
    story(|folder| {
        let server = Server::new(&folder.sub("server")?, &ServerOptions::default())?;
        sample::import(&server, "group-line", "AAA", 50, AGENT)?;
        let backup = folder.path().join("backup.db");
        let name = backup.display().to_string();
        server.run(&["backup", &name], "")?.ok()?;
        let length = std::fs::metadata(&backup)?.len();
        let mut file = std::fs::OpenOptions::new().write(true).open(&backup)?;
        file.seek(SeekFrom::Start(length / 2))?;
        file.write_all(&[0xA5; 8_192])?;
        drop(file);
        let refused =
            server.run(&["backup", "--verify", &name], "")?.refusal().context("a damaged backup")?;
        ensure!(refused.contains("backup.db"), "{refused}");
        Ok(())
    });
}
