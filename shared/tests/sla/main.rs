//! The rulebook, told as stories: every file in `tests/scenarios` is one, read by [`scenario::check`].

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing there")]

#[path = "../common/mod.rs"]
mod common;
mod desk;
mod look;
mod properties;
mod scenario;
mod written;

#[test]
fn scenarios() {
    common::check_all("scenarios", 80, scenario::check);
}
