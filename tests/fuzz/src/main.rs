//! libFuzzer in front of one of linewatch's entrances; `FUZZ_TARGET` names it. With `FUZZ_SEEDS=DIR` honest inputs are
//! written there first.
#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use linewatch_tests::fuzz::{TARGETS, Target, named, seeds};

static TARGET: OnceLock<Target> = OnceLock::new();

fn begin() {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let Some(target) = named(&name) else {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        panic!("FUZZ_TARGET is one of: {}", names.join(", "));
    };
    if let Ok(dir) = std::env::var("FUZZ_SEEDS") {
        for (n, seed) in seeds::of(&name).into_iter().enumerate() {
            let path = Path::new(&dir).join(format!("honest-{n}"));
            std::fs::write(&path, seed).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        }
    }
    TARGET.get_or_init(|| target);
}

fuzz_target!(init: begin(), |bytes: &[u8]| {
    if let Some(target) = TARGET.get() {
        (target.run)(bytes);
    }
});
