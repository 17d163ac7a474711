//! The words both sides of linewatch speak: ids, time, facts, rules, wire format.
//!
//! Pure: no IO, no async runtime, no SQL, no files, no current time.

pub mod access_hours;
pub mod backoff;
pub mod calendar;
pub mod detector;
pub mod enrol_token;
pub mod erase;
pub mod facts;
pub mod health;
pub mod matter;
pub mod minute;
pub mod probe_url;
pub mod rules;
pub mod sample;
pub mod sla;
pub mod time;
pub mod wire;
