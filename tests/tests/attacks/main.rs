//! Attacks on a real server, on both databases: each is refused, changes nothing, and leaves a refusal in the audit trail.
//!
//! They take minutes: `cargo test -p linewatch-tests --features attacks --test attacks`. What the programs refuse on their
//! own, without a server under attack, has its tests beside the code; `docs/asvs.md` lists all of them. The stored script is
//! tried in a real browser: `tests/browser/attacks.test.mjs`.

mod agents;
mod desk;
mod floods;
mod inject;
mod paths;
mod people;
mod raw;
mod table;
