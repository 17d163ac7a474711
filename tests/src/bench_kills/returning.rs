//! A laptop with a backlog comes back, and agent or server is killed while it is sent.

use anyhow::Result;

use super::Toll;
use crate::backlog::{Away, Database};
use crate::bench_agent::Place;
use crate::harness::Folder;

/// Lines of the laptop, and minutes that are added before each kill.
const LINES: usize = 1_000;
const MINUTES: usize = 200;

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Killed {
    /// The agent that sends.
    Agent,
    /// The server that takes in.
    Server,
}

/// Counts minutes of all lines, each a record, over so many kills, each once the server has got something new.
///
/// # Errors
/// When a program refuses.
pub fn returning(killed: Killed, database: Database, kills: u64) -> Result<Toll> {
    let (folder, place) = (Folder::new()?, Place::new()?);
    let mut away = Away::new(&folder, &place, database, LINES)?;
    for _ in 0..kills {
        let before = away.held()?.len();
        away.fill(MINUTES)?;
        let mut sync = away.start_sync()?;
        away.wait_for_more(before)?;
        match killed {
            Killed::Agent => sync.kill()?,
            Killed::Server => {
                away.server.kill()?;
                sync.kill()?;
                away.server.start()?;
            }
        }
    }
    away.send_all()?;
    Ok(Toll::of_ids(kills, &away.saved, &away.held()?))
}
