//! A device that the server has revoked is locked, keeps everything, and is let in again by an answer.

use super::model::{CARRY_KEY, Fate, problem};
use super::*;
use crate::journal::tests::{report, visit};
use crate::journal::{carry, locked};
use crate::sync::plan::REFUSED_MS;

fn since(rig: &Rig) -> Option<linewatch_shared::time::UnixMs> {
    rig.journal.read_blocking(locked).unwrap()
}

#[test]
fn a_revoked_device_is_locked_until_the_server_answers_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path(), Model::new());
    rig.settle();
    assert_eq!(since(&rig), None);
    let scribe = rig.journal.scribe().clone();
    rig.append(&[report(&scribe, "a"), visit(&scribe, "C1")]);
    rig.pass(1_000);
    let at = scribe.now();
    rig.model.state().fate = Fate::Revoked;
    assert!(!rig.step());
    assert_eq!(since(&rig), Some(at));
    assert_eq!(rig.unsent(), 2, "nothing unsent is deleted");

    let mut rig = rig.restarted(dir.path());
    assert_eq!(since(&rig), Some(at), "also after a restart");
    rig.model.state().fate = Fate::Revoked;
    assert!(!rig.step());
    assert_eq!(since(&rig), Some(at), "since the first time");
    let calls = rig.model.state().calls.len();
    rig.pass(REFUSED_MS - 2_000);
    assert!(!rig.step());
    assert_eq!(rig.model.state().calls.len(), calls, "it goes on trying, slowly");

    rig.settle();
    assert_eq!(since(&rig), None, "an accepted hello unlocks");
    rig.check();
}

#[test]
fn only_the_servers_own_word_locks() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path(), Model::new());
    rig.append(&[report(rig.journal.scribe(), "a")]);
    for fate in [Fate::Busy, Fate::Lost] {
        rig.model.state().fate = fate;
        rig.step();
        rig.pass(600_000);
    }
    assert_eq!(since(&rig), None);
    assert!(problem(403, "revoked", None).is_revoked());
    for (status, code) in [(403, ""), (403, "forbidden"), (401, "unknown_certificate"), (503, "revoked")] {
        assert!(!problem(status, code, None).is_revoked(), "{status} {code}");
    }
    assert!(problem(401, "expired_certificate", None).is_over());
    assert!(problem(401, "unknown_certificate", None).is_over(), "an old disk was put back");
    assert!(!problem(401, "", None).is_over(), "a captive portal's word");
    assert!(!problem(403, "revoked", None).is_over());
}

#[test]
fn the_key_that_agents_share_comes_with_the_hello() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path(), Model::new());
    let bytes = |rig: &Rig| {
        let keys = rig.journal.read_blocking(carry::keys).unwrap();
        keys.iter().map(|key| *key.bytes()).collect::<Vec<_>>()
    };
    assert!(bytes(&rig).is_empty());
    rig.settle();
    assert_eq!(bytes(&rig), [CARRY_KEY.0]);
    let rig = rig.restarted(dir.path());
    assert_eq!(bytes(&rig), [CARRY_KEY.0]);
}
