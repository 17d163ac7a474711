//! A visit with photos, over good ways and bad ones.

use std::collections::BTreeMap;

use linewatch_shared::facts::Media;
use linewatch_shared::wire::{Hash, record_hash};

use super::model::Link;
use super::*;
use crate::field::clean::tests::photo;
use crate::field::draft::{Draft, HexHash, Photo};
use crate::field::drafts::{self, Kept};
use crate::field::{finish, parts};

/// Steps in which a visit must have arrived over the worst way.
const STEPS: usize = 60_000;

/// A visit with so many photos, finished on the device; the hashes of its photos.
fn finish_visit(rig: &Rig, photos: &[Vec<u8>]) -> Vec<Hash> {
    let id = Uuid::now_v7();
    let now = rig.clock.now();
    let hashes: Vec<Hash> = photos.iter().map(|bytes| record_hash(bytes)).collect();
    let photo = |sha256: &Hash| Photo {
        sha256: HexHash(*sha256),
        caption: "port 3".to_owned(),
        taken_at: None,
        place: None,
    };
    let draft = Draft {
        customer: "C1".to_owned(),
        purpose: "no light".to_owned(),
        met: "reception".to_owned(),
        photos: hashes.iter().map(photo).collect(),
        ..Draft::default()
    };
    let kept = Kept { id, revision: 1, begun_at: now, changed_at: now, by: "technician-1".to_owned(), draft };
    let photos = photos.to_vec();
    rig.journal
        .write_blocking(move |tx| {
            assert!(drafts::begin(tx, &kept)?);
            for bytes in &photos {
                assert!(parts::keep(tx, id, Media::Jpeg, bytes, now)?.is_some());
            }
            Ok(())
        })
        .unwrap();
    let done = rig.runtime.block_on(finish::finish(&rig.journal, id, "technician-1", now)).unwrap();
    assert!(done);
    let again = rig.runtime.block_on(finish::finish(&rig.journal, id, "technician-1", now)).unwrap();
    assert!(!again, "a report is finished once");
    hashes
}

fn bytes_of(seed: u8, count: usize) -> Vec<u8> {
    let noise = (0..count).map(|n| (n as u64).wrapping_mul(2_654_435_761).to_be_bytes()[4] & 0x7F);
    let mut scan: Vec<u8> = noise.collect();
    scan[0] = seed;
    photo(b"", &scan)
}

fn settle_parts(rig: &mut Rig) {
    for _ in 0..STEPS {
        let left = rig.journal.read_blocking(parts::left).unwrap();
        if rig.step() && left.parts == 0 {
            return;
        }
        if rig.unsent() == 0
            && left.parts > 0
            && matches!(rig.model.state().calls.last(), Some(call) if call == "parts")
        {
            rig.pass(1);
        }
    }
    panic!("{:?} left after {STEPS} steps", rig.journal.read_blocking(parts::left));
}

#[test]
fn photos_follow_their_report_when_everything_else_has_gone() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path(), Model::new());
    rig.model.state().level = 1;
    let photos = [bytes_of(1, 100_000), bytes_of(2, 30_000)];
    let hashes = finish_visit(&rig, &photos);
    rig.append(&[crate::journal::tests::minute(rig.journal.scribe(), 10)]);
    settle_parts(&mut rig);
    rig.check();
    let calls = rig.model.state().calls.clone();
    let at = |name: &str| calls.iter().position(|call| call.starts_with(name)).unwrap();
    assert!(at("push desk") < at("tasks") && at("tasks") < at("push summary"), "{calls:?}");
    assert!(at("push summary") < at("parts") && at("parts") < at("chunk"), "{calls:?}");
    assert_eq!(calls.iter().filter(|call| *call == "parts").count(), 1, "{calls:?}");
    for (hash, photo) in hashes.iter().zip(&photos) {
        assert_eq!(rig.model.state().parts[hash].1, *photo);
    }
}

#[test]
fn an_old_server_gets_the_report_and_its_photos_wait() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path(), Model::new());
    finish_visit(&rig, &[bytes_of(1, 100)]);
    rig.settle();
    assert_eq!(rig.journal.read_blocking(parts::left).unwrap().parts, 1);
    rig.model.state().level = 1;
    let mut rig = rig.restarted(dir.path());
    settle_parts(&mut rig);
    rig.check();
}

#[test]
fn five_large_photos_over_64_kbit_with_losses_and_a_cut_each_minute() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path(), Model::new());
    let photos: Vec<Vec<u8>> = (1..=5).map(|n| bytes_of(n, 4_000_000)).collect();
    let hashes = finish_visit(&rig, &photos);
    {
        let mut state = rig.model.state();
        state.level = 1;
        state.link = Some(Link {
            clock: rig.clock.clone(),
            bytes_per_s: 8_000,
            loss_percent: 20,
            cut_every_ms: 60_000,
            seed: 20_261_123,
        });
    }
    settle_parts(&mut rig);
    let state = rig.model.state();
    for (hash, photo) in hashes.iter().zip(&photos) {
        assert!(state.parts[hash].1 == *photo, "the photo is the same to the byte");
    }
    let mut sent: BTreeMap<Hash, u64> = BTreeMap::new();
    for (part, _, bytes) in &state.chunks {
        *sent.entry(*part).or_default() += *bytes as u64;
    }
    let (sent, whole) = (sent.values().sum::<u64>(), photos.iter().map(Vec::len).sum::<usize>() as u64);
    let lost = state.calls.iter().filter(|call| *call == "hello").count();
    println!("{whole} bytes in {} chunks, {sent} bytes sent, {lost} conversations", state.chunks.len());
    assert!(lost > 100, "the way was as bad as it should have been: {lost}");
    assert!(sent < 2 * whole, "no byte is sent more than twice on average: {sent} of {whole}");
}
