//! Some seeds of the simulation; `make sim SEEDS=2000` plays many.

use linewatch_tests::harness::block_on;
use linewatch_tests::sim::{Counts, Options, Template, play};

const SEEDS: std::ops::Range<u64> = 1..13;
const STEPS: u32 = 80;

#[test]
fn nothing_is_lost_or_doubled_under_any_weather() {
    let template = block_on(Template::make()).unwrap_or_else(|e| panic!("{e:#}"));
    let mut sum = Counts::default();
    for seed in SEEDS {
        let counts = block_on(play(&template, &Options { seed, steps: STEPS, trace: false }));
        sum.merge(&counts.unwrap_or_else(|e| panic!("{e:#}")));
    }
    for what in [
        "records saved",
        "batches acknowledged",
        "answers lost",
        "nodes stopped",
        "faults found",
        "alerts sent",
    ] {
        assert!(sum.of(what) > 0, "{what} never happened:\n{sum}");
    }
}
