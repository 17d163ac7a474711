//! What was attempted, what was answered, and whether the server has it: the judge of the whole matrix.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use linewatch_shared::facts::Record;
use linewatch_shared::wire::{Hash, record_hash};
use rusqlite::{Connection, OpenFlags};
use uuid::Uuid;

use super::laptop::{Op, Saved, mark_of};
use super::machine::HeldRecord;

/// One attempt to save something.
#[derive(Clone, Debug)]
struct Attempt {
    op: Op,
    machine: String,
    answered: Option<Uuid>,
    hash: Option<Hash>,
    /// The server has acknowledged it, or said so.
    is_sent: bool,
    /// The only disk that held it was replaced by an older image before it was sent.
    is_gone: bool,
    /// Its disk was replaced at some time: pictures that were not sent by then may be gone.
    was_replaced: bool,
}

/// The book of all attempts.
#[derive(Debug, Default)]
pub struct Ledger {
    attempts: BTreeMap<String, Attempt>,
    /// Records that were there before anything was attempted, with their hashes.
    given: BTreeMap<Uuid, Hash>,
}

/// What the judge found.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Attempts.
    pub attempted: usize,
    /// Attempts that were answered.
    pub answered: usize,
    /// Attempts that were not answered, and whose record came all the same.
    pub unanswered_there: usize,
    /// Answered attempts that had to be there, and are.
    pub there: usize,
    /// Records that waited in vain: answered, and not at the server.
    pub lost: Vec<String>,
    /// Everything else that is wrong.
    pub wrong: Vec<String>,
}

impl Ledger {
    /// Notes an attempt before it is made.
    pub fn attempt(&mut self, op: &Op, machine: &str) {
        let attempt = Attempt {
            op: op.clone(),
            machine: machine.to_owned(),
            answered: None,
            hash: None,
            is_sent: false,
            is_gone: false,
            was_replaced: false,
        };
        self.attempts.insert(op.mark.clone(), attempt);
    }

    /// Notes how it ended.
    pub fn note(&mut self, op: &Op, saved: &Saved) {
        if let (Some(attempt), Saved::Answered(id)) = (self.attempts.get_mut(&op.mark), saved) {
            attempt.answered = Some(*id);
        }
    }

    /// Notes records that a database held before.
    pub fn give(&mut self, records: BTreeMap<Uuid, Hash>) {
        self.given.extend(records);
    }

    /// The machine's sync said that everything is at the server.
    pub fn sent(&mut self, machine: &str) {
        for attempt in self.attempts.values_mut().filter(|attempt| attempt.machine == machine) {
            attempt.is_sent |= attempt.answered.is_some() && !attempt.is_gone;
        }
    }

    /// The machine's disk was replaced by one that held these records.
    pub fn replaced(&mut self, machine: &str, held: &BTreeMap<Uuid, HeldRecord>) {
        for attempt in self.attempts.values_mut().filter(|attempt| attempt.machine == machine) {
            let is_held = attempt.answered.is_some_and(|id| held.contains_key(&id));
            attempt.is_gone |= !attempt.is_sent && !is_held;
            attempt.was_replaced = true;
        }
    }

    /// Compares what a machine's journal holds with what it answered; learns the hashes.
    ///
    /// # Errors
    /// Names what is lost or changed.
    pub fn check_held(&mut self, machine: &str, held: &BTreeMap<Uuid, HeldRecord>) -> Result<()> {
        for attempt in self.attempts.values_mut().filter(|attempt| attempt.machine == machine) {
            let Some(id) = attempt.answered.filter(|_| !attempt.is_gone) else { continue };
            let Some(HeldRecord { hash, pictures }) = held.get(&id) else {
                ensure!(
                    attempt.is_sent,
                    "{} was answered with {id} and is not on {machine} any more",
                    attempt.op.mark
                );
                continue;
            };
            let wanted = attempt.op.photos();
            ensure!(
                *pictures == wanted,
                "{}: {pictures} of {wanted} pictures are on {machine}",
                attempt.op.mark
            );
            let known = *attempt.hash.get_or_insert(*hash);
            ensure!(known == *hash, "{id} has other bytes than before");
        }
        Ok(())
    }

    /// How many pictures belong to what was answered.
    #[must_use]
    pub fn pictures(&self) -> u64 {
        let answered = self.attempts.values().filter(|attempt| attempt.answered.is_some());
        answered.map(|attempt| attempt.op.photos()).sum()
    }

    /// How many attempts were answered.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.attempts.values().filter(|attempt| attempt.answered.is_some()).count()
    }

    /// Compares everything with what the server holds.
    ///
    /// # Errors
    /// When its database cannot be read.
    pub fn judge(&self, server: &ServerRecords) -> Result<Verdict> {
        let mut verdict =
            Verdict { attempted: self.attempts.len(), answered: self.answered(), ..Verdict::default() };
        let mut seen: BTreeMap<&str, Uuid> = BTreeMap::new();
        for (id, bytes) in &server.records {
            let record = Record::from_bytes(bytes).with_context(|| format!("record {id} at the server"))?;
            if let Some(hash) = self.given.get(id) {
                if *hash != record_hash(bytes) {
                    verdict.wrong.push(format!("{id}, there from the start, has other bytes"));
                }
                continue;
            }
            let mark = mark_of(&record.body).unwrap_or_default();
            let Some((mark, attempt)) = self.attempts.get_key_value(mark) else {
                verdict.wrong.push(format!("{id} ({mark:?}) was never attempted"));
                continue;
            };
            if let Some(other) = seen.insert(mark, *id).filter(|other| other != id) {
                verdict.wrong.push(format!("{mark} is there twice: {other} and {id}"));
            }
            verdict.wrong.extend(attempt.differences(&record, *id, record_hash(bytes)));
            verdict.unanswered_there += usize::from(attempt.answered.is_none());
        }
        for (mark, attempt) in &self.attempts {
            let Some(id) = attempt.answered.filter(|_| !attempt.is_gone) else { continue };
            let pictures = server.pictures.get(&id).copied().unwrap_or(0);
            if !seen.contains_key(mark.as_str()) {
                verdict.lost.push(format!("{mark} ({}, {id})", attempt.machine));
            } else if pictures < attempt.op.photos() && !attempt.was_replaced {
                verdict
                    .lost
                    .push(format!("{mark}: {pictures} of {} pictures are there", attempt.op.photos()));
            } else {
                verdict.there += 1;
            }
        }
        let there: BTreeSet<_> = server.records.iter().map(|(id, _)| *id).collect();
        let missing = self.given.keys().filter(|id| !there.contains(*id));
        verdict.lost.extend(missing.map(|id| format!("{id}, there from the start")));
        verdict.wrong.extend(server.aside.iter().map(|why| format!("put aside: {why}")));
        Ok(verdict)
    }
}

impl Attempt {
    /// In what the server's record is not what was attempted and answered.
    fn differences(&self, record: &Record, id: Uuid, hash: Hash) -> Vec<String> {
        let mark = &self.op.mark;
        let found = [
            (record.id != id || !self.op.is_said_by(&record.body), "says something else than was written"),
            (self.answered.is_some_and(|answered| answered != id), "was answered with another id"),
            (self.hash.is_some_and(|known| known != hash), "has other bytes than the laptop's"),
        ];
        found
            .into_iter()
            .filter(|(is_so, _)| *is_so)
            .map(|(_, what)| format!("{mark} ({id}) {what}"))
            .collect()
    }
}

/// What the server holds of what people wrote.
#[derive(Debug, Default)]
pub struct ServerRecords {
    /// Ids and bytes; those that wait for their time, or a person, among them.
    pub records: Vec<(Uuid, Vec<u8>)>,
    /// How many pictures of each report are there, whole and by their hashes.
    pub pictures: BTreeMap<Uuid, u64>,
    /// Why others were put aside.
    pub aside: Vec<String>,
}

impl ServerRecords {
    /// Reads the server's embedded database.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(file: &std::path::Path) -> Result<Self> {
        let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut found = Self::default();
        let mut statement = db.prepare("SELECT id, bytes FROM record WHERE kind IN ('report', 'visit')")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            found.records.push((Uuid::from_slice(&row.get::<_, Vec<u8>>(0)?)?, row.get(1)?));
        }
        let mut statement = db.prepare("SELECT reason, detail, bytes FROM aside")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (reason, detail, bytes): (String, String, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            match Record::from_bytes(&bytes) {
                Ok(record) if reason == "future" || reason == "quarantined" => {
                    found.records.push((record.id, bytes));
                }
                _ => found.aside.push(format!("{reason}: {detail}")),
            }
        }
        found.read_pictures(&db)?;
        Ok(found)
    }

    fn read_pictures(&mut self, db: &Connection) -> Result<()> {
        let mut whole = BTreeMap::new();
        let mut chunks = db.prepare(
            "SELECT p.sha256, c.bytes FROM part p JOIN part_chunk c ON c.sha256 = p.sha256
             WHERE p.state = 'whole' ORDER BY p.sha256, c.starts_at",
        )?;
        let mut rows = chunks.query([])?;
        while let Some(row) = rows.next()? {
            let bytes: &mut Vec<u8> = whole.entry(row.get::<_, Vec<u8>>(0)?).or_default();
            bytes.extend(row.get::<_, Vec<u8>>(1)?);
        }
        let mut named = db.prepare("SELECT record, sha256 FROM visit_part")?;
        let mut rows = named.query([])?;
        while let Some(row) = rows.next()? {
            let (record, sha256): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
            if whole.get(&sha256).is_some_and(|bytes| record_hash(bytes).0[..] == sha256) {
                *self.pictures.entry(Uuid::from_slice(&record)?).or_default() += 1;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
