//! What outsiders' bytes reach first: each decoder and parser as a function that takes any bytes and must not panic, hang
//! or answer two ways. `tests/fuzz` drives them with a fuzzer, `tests/tests/fuzz.rs` with what the fuzzer has found so far.

mod files;
mod packets;
mod rules;
pub mod seeds;
mod wire;

/// One entrance.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name on the command line, and of its folder of kept inputs.
    pub name: &'static str,
    /// Takes any bytes. What it finds wrong, it says by a panic.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "messages", run: wire::messages },
    Target { name: "batches", run: wire::batches },
    Target { name: "records", run: wire::records },
    Target { name: "minutes", run: wire::minutes },
    Target { name: "packs", run: rules::packs },
    Target { name: "words", run: rules::words },
    Target { name: "packets", run: packets::packets },
    Target { name: "tables", run: files::tables },
    Target { name: "pictures", run: files::pictures },
];

/// The target of that name.
#[must_use]
pub fn named(name: &str) -> Option<Target> {
    TARGETS.iter().copied().find(|target| target.name == name)
}
