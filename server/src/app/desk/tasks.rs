//! What an agent is told of the open work in its scope, so that its people see the same offline. An agent asks often and
//! mostly has it already: a digest that was made of the same stamp is not made again.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use linewatch_shared::matter::{Matter, MatterEvent};
use linewatch_shared::sla::Fault;
use linewatch_shared::time::{SECOND_MS, UnixMs};
use linewatch_shared::wire::{
    self, Hash, TASK_FAULTS_MAX, TASK_MATTERS_MAX, Tasks, TasksAnswer, Work, WorkFact, WorkFault, WorkMatter,
    record_hash,
};
use serde::Serialize;
use uuid::Uuid;

use crate::db::{DbError, Tx};
use crate::store::facts;
use crate::store::tasks::{self, WorkStamp};

/// The most facts of one fault that are sent: of a line that flaps beyond it, the first and the last.
pub const FACTS_PER_FAULT_MAX: usize = 2_000;
/// The most bytes of all faults, and as many of all matters; what is left out is the newest.
const BYTES_MAX: usize = 1 << 20;
/// The most agents whose digest is remembered; beyond it they start over.
const DIGESTS_MAX: usize = 20_000;
/// What was written less than this ago may yet be written again within the same millisecond (ms).
const SETTLED_MS: i64 = 2 * SECOND_MS;

/// Digests of work that was put together before, and what they were made of. One node's; another makes its own.
#[derive(Debug, Default)]
pub struct Digests {
    known: Mutex<HashMap<Uuid, (WorkStamp, Hash)>>,
}

impl Digests {
    fn get(&self, agent: Uuid, stamp: &WorkStamp) -> Option<Hash> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&agent).filter(|(of, _)| of == stamp).map(|(_, digest)| *digest)
    }

    fn keep(&self, agent: Uuid, stamp: WorkStamp, digest: Hash) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= DIGESTS_MAX {
            known.clear();
        }
        known.insert(agent, (stamp, digest));
    }
}

/// Answers an agent that asks for its work.
///
/// # Errors
/// The database's.
pub fn answer(
    tx: &mut Tx<'_>,
    digests: &Digests,
    agent: Uuid,
    asked: &Tasks,
    now: UnixMs,
) -> Result<TasksAnswer, DbError> {
    let stamp = tasks::stamp(tx, agent)?;
    if let Some(digest) = digests.get(agent, &stamp).filter(|digest| asked.known == Some(*digest)) {
        return Ok(TasksAnswer { digest, work: None });
    }
    let work = work(tx, agent)?;
    let digest = record_hash(&encoded(&work)?);
    if now.since(stamp.newest) > SETTLED_MS {
        digests.keep(agent, stamp, digest);
    }
    Ok(TasksAnswer { digest, work: (asked.known != Some(digest)).then_some(work) })
}

fn encoded(what: &impl Serialize) -> Result<Vec<u8>, DbError> {
    wire::encode(what).map_err(|error| DbError::Data(error.to_string()))
}

fn work(tx: &mut Tx<'_>, agent: Uuid) -> Result<Work, DbError> {
    let mut work = Work::default();
    let mut left = BYTES_MAX;
    for fault in tasks::faults(tx, agent, TASK_FAULTS_MAX as i64)? {
        let fault = fault_of(tx, &fault)?;
        if !fits(&fault, &mut left)? {
            break;
        }
        work.faults.push(fault);
    }
    left = BYTES_MAX;
    for (matter, opened) in tasks::matters(tx, agent, TASK_MATTERS_MAX as i64)? {
        let matter = matter_of(matter, opened);
        if !fits(&matter, &mut left)? {
            break;
        }
        work.matters.push(matter);
    }
    Ok(work)
}

fn fits(what: &impl Serialize, left: &mut usize) -> Result<bool, DbError> {
    let rest = left.checked_sub(encoded(what)?.len());
    *left = rest.unwrap_or_default();
    Ok(rest.is_some())
}

/// The fault with those facts that the walk found to be its own.
fn fault_of(tx: &mut Tx<'_>, fault: &Fault) -> Result<WorkFault, DbError> {
    let ids: Vec<Uuid> = fault.facts.iter().map(|placed| placed.id).collect();
    let ids: BTreeSet<Uuid> = if ids.len() > FACTS_PER_FAULT_MAX {
        let (first, last) = (&ids[..FACTS_PER_FAULT_MAX / 2], &ids[ids.len() - FACTS_PER_FAULT_MAX / 2..]);
        first.iter().chain(last).copied().collect()
    } else {
        ids.into_iter().collect()
    };
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let mut stored = facts::of_ids(tx, &ids)?;
    stored.sort_by_key(|stored| stored.fact.fold_order());
    stored.dedup_by_key(|stored| stored.fact.id);
    let facts = stored.into_iter().map(|stored| WorkFact {
        id: stored.fact.id,
        occurred_at: stored.fact.occurred_at,
        by: stored.by,
        event: stored.fact.event,
    });
    Ok(WorkFault { id: fault.id, line: fault.line.clone(), facts: facts.collect() })
}

fn matter_of(matter: Matter, opened: MatterEvent) -> WorkMatter {
    let (description, reporter) = match opened {
        MatterEvent::Opened(opening) => (opening.description, opening.reporter),
        MatterEvent::Step(_) => Default::default(),
    };
    WorkMatter { matter, description, reporter }
}
