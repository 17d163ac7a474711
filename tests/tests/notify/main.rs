//! Delivery of alerts against a real SMTP conversation and a real HTTP one, on both databases.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a helper that panics fails its test")]

mod desk;
mod fallback;
mod limits;
mod mail;
mod nodes;
mod other_server;
mod tls;
mod webhook;
