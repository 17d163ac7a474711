//! Photos and signatures on their way: asked for, then sent chunk by chunk, each acknowledged before the next.

use linewatch_shared::wire::{Chunk, Hash, PARTS_ASKED_MAX, PartHeld, Parts};

use super::session::Session;
use super::transport::{CallError, Transport};
use crate::field::parts::{self, Known};
use crate::journal::JournalError;

impl<T: Transport> Session<T> {
    /// Asks how much of the parts the server has.
    pub(super) async fn ask_parts(&mut self) -> Result<Result<(), CallError>, JournalError> {
        let unsent = self.journal.read(|db| parts::unsent(db, PARTS_ASKED_MAX)).await?;
        let asked: Vec<Hash> = unsent.iter().map(|part| part.sha256).collect();
        let answer = match self.transport.parts(&Parts { parts: asked.clone() }).await {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(error)),
        };
        let held: Vec<(Known, PartHeld)> = unsent.into_iter().zip(answer.parts).collect();
        let any_known = held.iter().any(|(_, held)| *held != PartHeld::Unknown);
        self.unknown_parts =
            held.iter().filter(|(_, held)| *held == PartHeld::Unknown).map(|(part, _)| part.sha256).collect();
        self.journal.write(move |tx| held.iter().try_for_each(|(part, held)| note(tx, part, *held))).await?;
        let now = self.reading().mono;
        self.planner.beside.on_asked(now, any_known);
        Ok(Ok(()))
    }

    /// Sends the next chunk.
    pub(super) async fn send_chunk(&mut self, most: usize) -> Result<Result<(), CallError>, JournalError> {
        let unknown = self.unknown_parts.clone();
        let next = self.journal.read(move |db| {
            let unsent = parts::unsent(db, PARTS_ASKED_MAX)?;
            let Some(part) = unsent.into_iter().find(|part| !unknown.contains(&part.sha256)) else {
                return Ok(None);
            };
            Ok(parts::bytes(db, part.sha256, part.held, most)?.map(|bytes| (part, bytes)))
        });
        let Some((part, bytes)) = next.await? else {
            // None that the server knows is left: those that it did not know are asked for again in a while.
            let now = self.reading().mono;
            self.planner.beside.on_asked(now, false);
            return Ok(Ok(()));
        };
        let (at, count) = (part.held, bytes.len());
        let before = self.reading().mono;
        let answer = match self.transport.chunk(&Chunk { part: part.sha256, at, bytes }).await {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(error)),
        };
        let took_ms = self.reading().mono.0 - before.0;
        self.pace.note(count as u64, took_ms);
        self.planner.beside.on_chunk(took_ms);
        let is_expected = match answer.held {
            PartHeld::Upto(held) => held == at + count as u64,
            PartHeld::Whole => true,
            PartHeld::Unknown => false,
        };
        if !is_expected {
            self.planner.beside.on_surprise();
        }
        self.journal.write(move |tx| note(tx, &part, answer.held)).await?;
        Ok(Ok(()))
    }
}

fn note(tx: &rusqlite::Connection, part: &Known, held: PartHeld) -> Result<(), JournalError> {
    match held {
        PartHeld::Unknown => parts::note(tx, part.sha256, 0, false),
        PartHeld::Upto(held) => parts::note(tx, part.sha256, held.min(part.bytes), false),
        PartHeld::Whole => parts::note(tx, part.sha256, part.bytes, true),
    }
}
