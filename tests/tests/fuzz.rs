//! A short run of every fuzz target: honest inputs, what the fuzzer has kept, and small changes of both. `make fuzz` goes on
//! for as long as it is told.

use std::path::{Path, PathBuf};

use linewatch_tests::fuzz::{TARGETS, Target, named, seeds};
use linewatch_tests::harness::Seed;

/// Changed inputs for each target.
const CHANGED: usize = 3_000;
/// The longest input that is changed.
const CHANGED_BYTES_MAX: usize = 16 << 10;

fn corpus(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target.name)
}

/// What was kept of earlier runs, in the order of its names.
fn kept(target: &Target) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = std::fs::read_dir(corpus(target))
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
        .unwrap_or_default();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
        .collect()
}

/// What changes inputs: the same for the same seed on every machine.
struct Dice(Seed);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0.below(below.max(1) as u64) as usize
    }

    /// Changes bytes, leaves some out, doubles some, crosses with another input.
    fn change(&mut self, input: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = input.to_vec();
        for _ in 0..=self.roll(6) {
            let at = self.roll(bytes.len());
            match self.roll(6) {
                0 if !bytes.is_empty() => bytes[at] = self.roll(256) as u8,
                1 if !bytes.is_empty() => bytes[at] ^= 1 << self.roll(8),
                2 => bytes.truncate(at),
                3 => {
                    let end = (at + self.roll(16)).min(bytes.len());
                    bytes.drain(at..end);
                }
                4 => {
                    let from = self.roll(other.len());
                    let part = other[from..(from + self.roll(64)).min(other.len())].to_vec();
                    bytes.splice(at..at, part);
                }
                _ => bytes
                    .splice(at..at, [[0xFF; 4], [0; 4], [0x7F, 0xFF, 0xFF, 0xFF], [0xDF; 4]][self.roll(4)])
                    .for_each(drop),
            }
        }
        bytes
    }
}

fn play(name: &str) {
    let target = named(name).unwrap_or_else(|| panic!("no target {name}"));
    let mut inputs = seeds::of(name);
    assert!(!inputs.is_empty(), "{name} has no honest input");
    inputs.extend(kept(&target));
    inputs.push(Vec::new());
    for input in &inputs {
        (target.run)(input);
    }
    inputs.retain(|input| input.len() <= CHANGED_BYTES_MAX);
    let mut dice = Dice(Seed::from_env_or(0x1CEB_00DA));
    for _ in 0..CHANGED {
        let (a, b) = (dice.roll(inputs.len()), dice.roll(inputs.len()));
        (target.run)(&dice.change(&inputs[a], &inputs[b]));
    }
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test] fn $name() { play(stringify!($name)); })*
        const PLAYED: &[&str] = &[$(stringify!($name)),*];
    };
}

targets!(messages batches records minutes packs words packets tables pictures);

#[test]
fn every_target_is_played() {
    let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names, PLAYED);
}
