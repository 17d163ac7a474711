//! Rows and what they mean: every statement of the server. Each function runs inside the transaction of a
//! use case and decides nothing.
//!
//! The driver is `db`; outside of it and of this module there is no SQL, which a test here sees to.

pub mod acceptance;
pub mod admission;
pub mod agent_certificates;
pub mod agent_customers;
pub mod agent_heads;
pub mod agent_people;
pub mod agents;
pub mod agreements;
pub mod alert_texts;
pub mod alerts;
pub mod allowances;
pub mod api_tokens;
pub mod audit;
pub mod board;
pub mod calls;
pub mod conflicts;
pub mod contractors;
pub mod customers;
pub mod dead_letters;
pub mod deadlines;
pub mod diagnoses;
pub mod diary;
pub mod duties;
pub mod enrol_tokens;
pub mod equipment;
pub mod erasure;
pub mod erasure_words;
pub mod expired;
pub mod facts;
pub mod faults;
pub mod figures;
pub mod grades;
pub mod idempotency;
pub mod identities;
pub mod line_rows;
pub mod lines;
pub mod matters;
pub mod meta;
pub mod outbox;
pub mod outgoing;
pub mod packs;
pub mod papers;
pub mod parts;
pub mod people;
pub mod planned;
pub mod plans;
pub mod quality;
pub mod records;
pub mod reference;
pub mod report;
pub mod risks;
pub mod rota;
pub mod scope;
pub mod second_factor;
pub mod service;
pub mod service_time;
pub mod sessions;
pub mod shift;
pub mod sites;
pub mod streams;
pub mod surveys;
pub mod tasks;
#[cfg(test)]
mod tests;
pub mod users;
pub mod visit_reports;

use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::db::{DbError, Row, Tx, Value};

/// What a list is narrowed by: the condition where there is a wish, so that an index can serve it. Without one the parameter
/// is still named, as PostgreSQL wants it.
fn wished(wish: &str, parameter: usize, condition: &str) -> String {
    if wish.is_empty() { format!("CAST(${parameter} AS TEXT) = ''") } else { condition.to_owned() }
}

/// Ids that one statement asks for.
const IDS_AT_ONCE: usize = 100;

/// The rows of a statement that ends with `IN`, for any number of ids; in no order that matters.
fn by_ids(tx: &mut Tx<'_>, until_in: &str, ids: &[Uuid]) -> Result<Vec<Row>, DbError> {
    let mut rows = Vec::new();
    for some in ids.chunks(IDS_AT_ONCE) {
        // One place or all of them, the last id repeated: two texts, each prepared once.
        let count = if some.len() == 1 { 1 } else { IDS_AT_ONCE };
        let places: Vec<String> = (1..=count).map(|n| format!("${n}")).collect();
        let padded = some.iter().chain(some.last().into_iter().cycle()).take(count);
        let params: Vec<Value> = padded.map(|id| (*id).into()).collect();
        rows.extend(tx.query(&format!("{until_in}({})", places.join(", ")), &params)?);
    }
    Ok(rows)
}

/// Reads a value that this program stored as MessagePack.
pub(crate) fn unpack<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, DbError> {
    rmp_serde::from_slice(bytes).map_err(|error| DbError::Data(format!("{what}: {error}")))
}

/// Writes a value as MessagePack.
pub(crate) fn pack<T: Serialize>(what: &str, value: &T) -> Result<Vec<u8>, DbError> {
    rmp_serde::to_vec_named(value).map_err(|error| DbError::Data(format!("{what}: {error}")))
}
