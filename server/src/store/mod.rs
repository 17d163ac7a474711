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

use crate::db::DbError;

/// What a list is narrowed by: the condition where there is a wish, so that an index can serve it. Without one the parameter
/// is still named, as PostgreSQL wants it.
fn wished(wish: &str, parameter: usize, condition: &str) -> String {
    if wish.is_empty() { format!("CAST(${parameter} AS TEXT) = ''") } else { condition.to_owned() }
}

/// Reads a value that this program stored as MessagePack.
pub(crate) fn unpack<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, DbError> {
    rmp_serde::from_slice(bytes).map_err(|error| DbError::Data(format!("{what}: {error}")))
}

/// Writes a value as MessagePack.
pub(crate) fn pack<T: Serialize>(what: &str, value: &T) -> Result<Vec<u8>, DbError> {
    rmp_serde::to_vec_named(value).map_err(|error| DbError::Data(format!("{what}: {error}")))
}
