//! Random walks: whatever is lost, repeated, restored or copied, nothing is lost and nothing doubled.

use super::model::{Fate, State};
use super::*;
use crate::journal::tests::{minute, report, visit};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Move {
    Write(u8),
    Steps(u8),
    Fate(Fate),
    /// The server is put back to where it was at the last `Backup`.
    Backup,
    Restore,
    /// The server notices nothing of its own going back (its epoch stays).
    RestoreSilently,
    /// The agent's process dies and starts again.
    Restart,
    NewEpoch,
    Time(u16),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let fate = prop_oneof![
        Just(Fate::Lost),
        Just(Fate::AnswerLost),
        Just(Fate::Twice),
        Just(Fate::Busy),
        Just(Fate::Fine)
    ];
    let step = prop_oneof![
        5 => any::<u8>().prop_map(Move::Write),
        6 => (1..6_u8).prop_map(Move::Steps),
        5 => fate.prop_map(Move::Fate),
        1 => Just(Move::Backup),
        1 => Just(Move::Restore),
        1 => Just(Move::RestoreSilently),
        1 => Just(Move::Restart),
        1 => Just(Move::NewEpoch),
        2 => any::<u16>().prop_map(Move::Time),
    ];
    proptest::collection::vec(step, 1..40)
}

fn restore(rig: &Rig, backup: Option<&State>, epoch: Option<Uuid>) {
    let mut state = rig.model.state();
    let calls = std::mem::take(&mut state.calls);
    if let Some(backup) = backup {
        let old_epoch = state.epoch;
        *state = backup.clone();
        state.epoch = epoch.unwrap_or(old_epoch);
    }
    state.calls = calls;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_doubled(moves in moves(), batch_records in 1..5_u32) {
        let dir = tempfile::tempdir().unwrap();
        let mut rig = Rig::new(dir.path(), Model::new());
        rig.model.state().batch_records = batch_records;
        let (mut written, mut backup, mut epochs): (Vec<Record>, Option<State>, u128) = (Vec::new(), None, 100);
        for step in moves {
            match step {
                Move::Write(which) => {
                    let scribe = rig.journal.scribe();
                    let record = match which % 3 {
                        0 => report(scribe, &which.to_string()),
                        1 => visit(scribe, "C"),
                        _ => minute(scribe, usize::from(which)),
                    };
                    rig.append(std::slice::from_ref(&record));
                    written.push(record);
                }
                Move::Steps(count) => for _ in 0..count { rig.step(); },
                Move::Fate(fate) => rig.model.state().fate = fate,
                Move::Backup => backup = Some(rig.model.state().clone()),
                Move::Restore => {
                    epochs += 1;
                    restore(&rig, backup.as_ref(), Some(Uuid::from_u128(epochs)));
                }
                Move::RestoreSilently => {
                    // A server that keeps its epoch when it goes back can be found out only by what it says of
                    // the stream in use: told here while there is one stream, and a hello follows at once.
                    if rig.epochs() == 1 {
                        restore(&rig, backup.as_ref(), None);
                        rig = rig.restarted(dir.path());
                        rig.model.state().fate = Fate::Fine;
                        rig.step();
                    }
                }
                Move::Restart => rig = rig.restarted(dir.path()),
                Move::NewEpoch => {
                    let why = crate::journal::Resend::Unheld;
                    rig.journal.write_blocking(move |tx| crate::journal::new_epoch(tx, why, "test", NOW)).unwrap();
                }
                Move::Time(ms) => rig.pass(i64::from(ms)),
            }
        }
        rig.model.state().fate = Fate::Fine;
        // A server with another epoch is noticed by the next heartbeat.
        let mut rig = rig.restarted(dir.path());
        rig.settle();
        rig.check();
        let state = rig.model.state();
        for record in &written {
            let place = state.stored.get(&record.id);
            prop_assert!(place.is_some(), "a record is missing at the server");
            prop_assert_eq!(place.unwrap().1, 1);
        }
    }
}
