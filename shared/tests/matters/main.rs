//! What is promised beside the restoration of lines, told as stories: every file in `stories` is one, read by
//! [`story::check`].

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing there")]

#[path = "../common/mod.rs"]
mod common;
mod look;
mod properties;
mod story;
mod written;

#[test]
fn stories() {
    common::check_all("matters/stories", 60, story::check);
}
