//! A journal as the first version of the program wrote it, filled up.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Context, Result};
use linewatch_agent::command;
use linewatch_agent::vault::{self, VaultConfig};
use linewatch_shared::facts::{Body, Record, Visit};
use linewatch_shared::wire::{Chain, Hash, record_hash};
use rusqlite::{Connection, params};
use serde_json::Value;
use uuid::Uuid;

use super::disk::{Disk, Manners};
use super::machine::Machine;
use super::world::World;

/// Written by the program of that version, and never since.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../agent/src/journal/tests/golden/v1/journal.db");
/// Records that are added.
const RECORDS: usize = 150;
/// The number of the desk lane in the tables of that version.
const DESK: i64 = 2;

/// A disk with such a journal and the identity of the agent `upgraded`; and the records that are in it.
///
/// # Errors
/// When it cannot be made.
pub fn disk(world: &mut World) -> Result<(Disk, BTreeMap<Uuid, Hash>)> {
    let file = world.dir.join("golden.db");
    if !file.exists() {
        let machine = world.enrolled("upgraded")?;
        std::fs::write(world.dir.join("golden-identity.json"), plain_identity(&machine)?)?;
        fill(&file)?;
        // Its way to the server is in the identity, and must stay.
        world.kept.push(machine);
    }
    let mut disk = Disk::new(Manners { are_names_lenient: true, is_lying: false });
    let data = disk.make_root("data", true);
    for (name, from) in [("journal.db", "golden.db"), ("identity.json", "golden-identity.json")] {
        let bytes = std::fs::read(world.dir.join(from))?;
        let made = disk.make(data, OsStr::new(name), 0o600, false);
        let node = made.map_err(|why| anyhow::anyhow!("{name}: {why:?}"))?;
        disk.write(node, 0, &bytes).map_err(|why| anyhow::anyhow!("{name}: {why:?}"))?;
    }
    disk.sync_all();
    Ok((disk, records(&file)?))
}

/// A laptop's identity as that version stored it: with its key in the clear.
fn plain_identity(machine: &Machine) -> Result<String> {
    let identity = machine.volume.disk().bytes_of(&["data", "identity.json"]).context("no identity")?;
    let mut identity: serde_json::Map<String, Value> = serde_json::from_slice(&identity)?;
    let sealed = identity.remove("key_sealed").context("the key is not sealed")?;
    let sealed = hex::decode(sealed.as_str().unwrap_or_default())?;
    let vault = vault::find(&machine.data_dir(), &VaultConfig::default(), true)?;
    let plain = String::from_utf8(vault.unseal("identity", &sealed)?.clone())?;
    identity.insert("key_pem".to_owned(), Value::String(plain));
    Ok(serde_json::to_string_pretty(&identity)?)
}

fn records(file: &Path) -> Result<BTreeMap<Uuid, Hash>> {
    let db = Connection::open(file)?;
    let mut statement = db.prepare("SELECT id, hash FROM record WHERE kind IN ('report', 'visit')")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
    rows.map(|row| {
        let (id, hash) = row?;
        Ok((Uuid::from_slice(&id)?, Hash::from_slice(&hash).context("a hash of another length")?))
    })
    .collect()
}

/// Adds records as that version did: numbered, hashed, chained.
fn fill(file: &Path) -> Result<()> {
    std::fs::copy(GOLDEN, file).with_context(|| GOLDEN.to_owned())?;
    let mut db = Connection::open(file)?;
    let scribe = command::scribe()?;
    let tx = db.transaction()?;
    let (gen_, last, chain): (i64, i64, Vec<u8>) = tx.query_row(
        "SELECT gen, last, chain FROM lane WHERE lane = ?1 ORDER BY gen DESC LIMIT 1",
        [DESK],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let (mut last, mut chain) = (last, Chain::from_slice(&chain).context("a chain of another length")?);
    for n in 0..RECORDS {
        let visit = Visit {
            customer: "C-SAMPLE".to_owned(),
            purpose: format!("golden {n}"),
            findings: "all well".to_owned(),
            ..Visit::default()
        };
        let record: Record = scribe.now_record(Body::Visit(visit));
        let bytes = record.to_bytes()?;
        let hash = record_hash(&bytes);
        last += 1;
        chain = chain.after(hash);
        tx.execute(
            "INSERT INTO record (gen, lane, number, id, kind, written_at, hash, chain, bytes)
             VALUES (?1, ?2, ?3, ?4, 'visit', ?5, ?6, ?7, ?8)",
            params![gen_, DESK, last, record.id.as_bytes(), record.written.wall.0, hash.0, chain.0, bytes],
        )?;
    }
    tx.execute(
        "UPDATE lane SET last = ?1, chain = ?2 WHERE gen = ?3 AND lane = ?4",
        params![last, chain.0, gen_, DESK],
    )?;
    tx.commit()?;
    // One file, as after a clean end.
    db.pragma_update(None, "journal_mode", "delete")?;
    Ok(())
}
