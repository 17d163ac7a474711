//! All faults are over: everybody says what they have to say, and what came of it is compared with what was saved.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use linewatch_server::app::desk::Touched;
use linewatch_server::db::{Db, DbError, DbUrl, Priority};
use linewatch_shared::facts::Lane;
use linewatch_shared::time::{Clock, UnixMs};
use rusqlite::Connection;

use super::check::{held, look, number};
use super::nodes::{NODES, Nodes};
use super::play::World;
use super::weather::Weather;

/// Rounds in which everything must come to rest.
const ROUNDS_MAX: usize = 60;
/// What passes between them.
const ROUND_MS: i64 = 60_000;

/// Heals everything, lets it come to rest, and compares.
pub async fn settle(world: &mut World) -> Result<()> {
    world.net().weather = Weather::default();
    for n in 0..NODES {
        if !world.net().nodes.is_up(n) {
            world.start_node(n).await?;
        }
    }
    for laptop in &mut world.laptops {
        laptop.cut(false);
        if laptop.is_full() {
            laptop.fill(false).await?;
        }
        laptop.clock.set_right();
    }
    rest(world).await?;
    let database = world.net().nodes.database();
    let db = look(&database)?;
    nothing_is_lost(world, &db)?;
    nothing_is_owed(&db, world.clock.now())?;
    let copies = number(&db, "SELECT count(*) FROM agent WHERE quarantined_at_ms IS NOT NULL")?;
    ensure!(copies == 0, "{copies} laptops are taken for copies, and none was copied");
    let found = number(&db, "SELECT count(*) FROM fault")?;
    world.net().counts.many("faults found", found.unsigned_abs());
    folds_to_the_same(world, &db).await
}

async fn rest(world: &mut World) -> Result<()> {
    for _ in 0..ROUNDS_MAX {
        world.clock.advance(ROUND_MS);
        world.deliver_late().await?;
        let mut rests = true;
        for laptop in &mut world.laptops {
            rests &= laptop.speak_out().await?;
        }
        let Some(node) = world.node() else { bail!("no node is up") };
        Nodes::round(&node).await?;
        let (mut seed, mut counts) = (world.net().seed.clone(), super::Counts::default());
        let sent = world.told.notify(&node, &mut seed, &mut counts, false).await?;
        let mut net = world.net();
        net.seed = seed;
        net.counts.merge(&counts);
        let pending =
            number(&look(&net.nodes.database())?, "SELECT count(*) FROM outbox WHERE state = 'pending'")?;
        if rests && sent == 0 && pending == 0 {
            return Ok(());
        }
    }
    let troubles: Vec<_> = world.laptops.iter().map(super::device::Laptop::trouble).collect();
    let db = look(&world.net().nodes.database())?;
    let pending = number(&db, "SELECT count(*) FROM outbox WHERE state = 'pending'")?;
    bail!("no rest after {ROUNDS_MAX} rounds: {pending} alerts pending, troubles {troubles:?}")
}

/// What was saved is at the server. Summaries may be given up by a full disk, visibly; the rest never is.
fn nothing_is_lost(world: &World, db: &Connection) -> Result<()> {
    let held = held(db)?;
    for (n, laptop) in world.laptops.iter().enumerate() {
        for (id, lane) in &laptop.saved {
            ensure!(
                *lane == Lane::Summary || held.contains(id),
                "laptop {n} saved {id} ({}), and the server does not have it",
                lane.name()
            );
        }
    }
    let twice = number(
        db,
        "SELECT count(*) FROM (SELECT hash FROM record GROUP BY agent, hash HAVING count(*) > 1)",
    )?;
    ensure!(twice == 0, "{twice} records are there twice");
    Ok(())
}

fn nothing_is_owed(db: &Connection, now: UnixMs) -> Result<()> {
    let due =
        number(db, &format!("SELECT count(*) FROM fault WHERE next_wake_ms <= {}", now.0 - 2 * ROUND_MS))?;
    ensure!(due == 0, "{due} faults are due to be looked at, and nobody looks");
    Ok(())
}

/// Every fault as text, by its id.
fn faults(db: &Connection) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut statement = db.prepare("SELECT id, body FROM fault")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Folding every line anew from all its facts changes nothing.
async fn folds_to_the_same(world: &World, db: &Connection) -> Result<()> {
    let before = faults(db)?;
    let mut statement = db.prepare("SELECT DISTINCT line FROM fact WHERE line IS NOT NULL")?;
    let lines: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let copy = world.net().nodes.database().with_file_name("folded.db");
    let Some(node) = world.node() else { bail!("no node is up") };
    node.app.db.backup(copy.clone()).await?;
    let (desk, now) = (node.app.desk.clone(), world.clock.now());
    let again = Db::open(&DbUrl::Sqlite(copy.clone()), now.0).await?;
    let touched: BTreeMap<_, _> =
        lines.into_iter().map(|line| (line, Touched::at(UnixMs(i64::MIN)))).collect();
    again
        .write(Priority::Ingest, move |tx| desk.settle(tx, &touched, now).map(|_| ()).map_err(|e: DbError| e))
        .await?;
    let after = faults(&look(&copy)?)?;
    for (id, body) in &before {
        ensure!(
            after.get(id) == Some(body),
            "the fault {} folds to something else:\n{}\n{}\nfacts of the line: {}",
            hex::encode(id),
            text(body),
            after.get(id).map_or_else(|| "nothing".to_owned(), |body| text(body)),
            facts_beside(db, id)?
        );
    }
    ensure!(before.len() == after.len(), "folding anew finds {} faults, not {}", after.len(), before.len());
    Ok(())
}

/// The facts of a fault's line in their order, for whoever looks into a failure.
fn facts_beside(db: &Connection, fault: &[u8]) -> Result<String> {
    let sql = "SELECT kind, hex(id), occurred_at_ms, recorded_at_ms FROM fact WHERE line = (SELECT line FROM fault WHERE id = ?1) \
         ORDER BY occurred_at_ms, id";
    let mut statement = db.prepare(sql)?;
    let rows = statement.query_map([fault], |row| {
        let (kind, id, at): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(format!("{} {kind} {id} recorded {}", UnixMs(at).to_rfc3339(), UnixMs(row.get(3)?).to_rfc3339()))
    })?;
    Ok(rows.collect::<Result<Vec<_>, _>>()?.join("\n"))
}

/// A fault's body, legible: field by field.
fn text(body: &[u8]) -> String {
    rmp_serde::from_slice::<linewatch_shared::sla::FaultState>(body)
        .map_or_else(|_| hex::encode(body), |state| format!("{state:?}"))
}
