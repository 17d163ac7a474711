//! The server's time, as well as this device can know it.

use linewatch_shared::facts::When;
use linewatch_shared::time::UnixMs;
use rusqlite::Connection;
use uuid::Uuid;

use crate::journal::{JournalError, Scribe, meta};
use crate::sync::clock::LastClock;

/// The server's time as well as this device can know it.
pub struct Corrected {
    last: Option<LastClock>,
}

impl Corrected {
    /// From the last clock fact.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn read(db: &Connection) -> Result<Self, JournalError> {
        Ok(Self { last: meta::get(db, meta::LAST_CLOCK)? })
    }

    /// A moment that a record names.
    #[must_use]
    pub fn at(&self, when: When, boot: Uuid) -> UnixMs {
        match (when, &self.last) {
            (When::Machine(reading), Some(last)) if last.boot == boot => {
                last.fact.server + (reading.mono.0 - last.fact.device.mono.0)
            }
            (When::Machine(reading), Some(last)) => reading.wall + last.fact.offset_ms(),
            _ => when.raw(),
        }
    }

    /// Now.
    #[must_use]
    pub fn now(&self, scribe: &Scribe) -> UnixMs {
        self.at(When::Machine(scribe.reading()), scribe.boot())
    }
}
