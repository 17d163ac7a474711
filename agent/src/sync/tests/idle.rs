//! How seldom an agent writes to its disk while nothing happens: each commit wakes the disk and costs a laptop's battery.

use super::*;
use crate::journal::tests::minute;

/// Commits of an idle agent a minute: the minute's sums, what the server acknowledged of them, and room for as much again.
const COMMITS_MAX: u64 = 4;
const MINUTES: u64 = 10;
const SECONDS: i64 = 60;
/// Steps within one second before it counts as a loop without end.
const STEPS_A_SECOND_MAX: usize = 50;
const LINES: i64 = 20;

#[test]
fn an_idle_agent_commits_a_few_times_a_minute() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path(), Model::new());
    rig.settle();
    let (before, _) = rig.journal.counts();
    let calls = rig.model.state().calls.len();
    for _ in 0..MINUTES {
        let scribe = rig.journal.scribe().clone();
        rig.append(&(0..LINES).map(|_| minute(&scribe, 1)).collect::<Vec<_>>());
        for _ in 0..SECONDS {
            rig.pass(1_000);
            let steps = (0..STEPS_A_SECOND_MAX).find(|_| rig.step());
            assert!(steps.is_some(), "it does not come to rest");
        }
    }
    let commits = rig.journal.counts().0 - before;
    assert!(commits <= COMMITS_MAX * MINUTES, "{commits} commits in {MINUTES} minutes");
    let state = rig.model.state();
    let told =
        |what: &str| state.calls.iter().skip(calls).filter(|call| call.starts_with(what)).count() as u64;
    assert!(
        told("heartbeat") >= 3 * MINUTES && told("push summary") >= MINUTES,
        "it was in touch all the time"
    );
}
