//! Delivery of alerts against a real SMTP conversation and a real HTTP one, on both databases.

mod desk;
mod limits;
mod mail;
mod nodes;
mod tls;
mod webhook;
