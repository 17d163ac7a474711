//! The linewatch server: takes in what agents and people report, counts what is owed, and tells
//! whoever has to know before it is too late.
//!
//! `http` → `app` → `db`: axum lives only in `http`, SQL only in `db` and the statements that `app`
//! hands to it. `engine` and `notify` sit on `app` and `db`.

pub mod app;
pub mod auth;
pub mod boot;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod engine;
pub mod http;
pub mod notify;
pub mod store;
pub mod tls;
