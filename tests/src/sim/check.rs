//! What must hold at every moment, read from the files.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use rusqlite::{Connection, OpenFlags};
use uuid::Uuid;

use super::play::World;

/// A look into the server's database from outside.
pub fn look(database: &Path) -> Result<Connection> {
    Ok(Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

/// Ids that a query without parameters gives.
pub fn ids(db: &Connection, sql: &str) -> Result<Vec<Uuid>> {
    let mut statement = db.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
    rows.map(|row| Ok(Uuid::from_slice(&row?)?)).collect()
}

/// The number that a query without parameters gives.
pub fn number(db: &Connection, sql: &str) -> Result<i64> {
    db.query_row(sql, [], |row| row.get(0)).context(sql.to_owned())
}

/// Faults of which something may be owed, in the same order for the same seed.
pub fn open_faults(database: &Path) -> Result<Vec<Uuid>> {
    ids(&look(database)?, "SELECT id FROM fault WHERE live = 1 ORDER BY started_at_ms, line")
}

/// Records that the server has, taken in or put aside.
pub fn held(db: &Connection) -> Result<BTreeSet<Uuid>> {
    let mut held: BTreeSet<_> = ids(db, "SELECT id FROM record")?.into_iter().collect();
    let mut statement = db.prepare("SELECT bytes FROM aside")?;
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
    for bytes in rows {
        if let Ok(record) = linewatch_shared::facts::Record::from_bytes(&bytes?) {
            held.insert(record.id);
        }
    }
    Ok(held)
}

/// Looks after each step.
pub fn after_step(world: &mut World) -> Result<()> {
    let database = world.net().nodes.database();
    let db = look(&database)?;
    let held = held(&db)?;
    for n in 0..world.laptops.len() {
        if world.unaware[n].is_some() {
            continue;
        }
        for id in world.laptops[n].acknowledged()? {
            ensure!(
                held.contains(&id),
                "laptop {n} counts {id} as acknowledged, and the server does not have it"
            );
        }
    }
    for (message, times) in &world.told.arrived {
        let allowed = 1 + world.told.ends_lost.get(message).copied().unwrap_or(0) + world.restored;
        ensure!(*times <= allowed, "{message} arrived {times} times; {allowed} could be explained");
    }
    let facts = number(
        &db,
        "SELECT count(*) FROM fact WHERE agent IS NULL AND kind NOT IN ('suspected', 'cleared')",
    )?;
    ensure!(
        facts == world.told.accepted,
        "the desk has {facts} facts of its own, and has accepted {}",
        world.told.accepted
    );
    Ok(())
}
