//! The linewatch server: takes in what agents and people report, counts what is owed, and tells
//! whoever has to know before it is too late.
//!
//! `http` → `app` → `store` → `db`: axum lives only in `http`, SQL only in `db` (the driver) and `store`
//! (the statements). `engine` and `notify` sit on `app` and `store`;
//! `report` writes reports in their formats and reads nothing.

pub mod app;
pub mod auth;
pub mod boot;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod engine;
pub mod http;
pub mod log;
pub mod notify;
pub mod oidc;
pub mod report;
pub mod store;
pub mod tls;
