//! A short piece of the fault matrix; `make faults` plays all of it. `LINEWATCH_FAULTS=off` leaves it out where there is
//! no `/dev/fuse` or nobody is root; otherwise their absence is a failure.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};

use linewatch_tests::faults::disk::{Cut, Disk, Manners};
use linewatch_tests::faults::gate::Trap;
use linewatch_tests::faults::laptop::Saved;
use linewatch_tests::faults::volume::{self, Volume};
use linewatch_tests::faults::world::World;
use linewatch_tests::faults::{Options, run};
use linewatch_tests::harness::{Folder, Seed, eventually, story};

const POINTS: u64 = 70;
/// Changes of the disk that a save by the command line takes, at most.
const CHANGES_MAX: u64 = 200;

fn is_off() -> bool {
    std::env::var("LINEWATCH_FAULTS").as_deref() == Ok("off")
}

#[test]
fn nothing_answered_is_lost_under_any_fault() {
    if is_off() {
        return;
    }
    let seed = Seed::from_env_or(2026).value();
    println!("STORY_SEED={seed}");
    story(|folder| {
        let outcome = run(folder, Options { seed, points: POINTS, only: None }, |line| println!("{line}"))?;
        println!("{}", outcome.table());
        outcome.check(false)
    });
}

/// Each change of the disk that a save makes fails once, and then the power is cut, on a disk whose names last only once
/// their folder was synced. `SQLite` says nothing of a folder that could not be synced; the journal has to.
#[test]
fn a_change_that_fails_takes_nothing_that_was_answered() {
    if is_off() {
        return;
    }
    story(|folder| {
        let mut world = World::new(folder, Seed::of(916))?;
        let mut machine = world.machines.remove(0);
        machine.volume.behave(Manners { are_names_lenient: false, is_lying: false });
        for after in 0..CHANGES_MAX {
            world.point = after;
            machine.volume.gate().arm(after, Trap::Fail);
            let saved = world.save(&mut machine)?;
            anyhow::ensure!(saved != Saved::Died, "a change that fails ends nothing");
            let has_failed = machine.volume.gate().has_failed();
            machine.volume.gate().disarm();
            machine.restart(Cut::All)?;
            world.check(&machine)?;
            world.save_surely(&mut machine)?;
            if !has_failed {
                anyhow::ensure!(after > 0, "no change failed");
                return world.drain(&mut machine);
            }
        }
        anyhow::bail!("a save takes more than {CHANGES_MAX} changes of the disk")
    });
}

#[test]
fn a_mounted_disk_keeps_what_was_synced_and_stops_where_it_is_told_to() {
    if is_off() {
        return;
    }
    volume::check().unwrap();
    let folder = Folder::new().unwrap();
    let manners = Manners { are_names_lenient: false, is_lying: false };
    let place = folder.path().join("disk");
    let mut disk = Volume::new(&place, Disk::new(manners), Seed::of(1)).unwrap();
    let synced = |text: &[u8]| {
        let mut file = File::create(place.join("a")).unwrap();
        file.write_all(text).unwrap();
        file.sync_all().unwrap();
        File::open(&place).unwrap().sync_all().unwrap();
    };
    synced(b"kept");
    OpenOptions::new().append(true).open(place.join("a")).unwrap().write_all(b" and lost").unwrap();
    disk.restart(Cut::All).unwrap();
    let mut text = String::new();
    File::open(place.join("a")).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "kept");

    disk.gate().arm(0, Trap::Fail);
    let error = File::create(place.join("b")).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(5), "{error}");
    disk.disk().set_capacity(4_096);
    let full = std::fs::write(place.join("c"), [1; 8_192]).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);

    disk.gate().arm(0, Trap::Freeze { sectors: 0 });
    let file = place.join("d");
    let writer = std::thread::spawn(move || File::create(file).is_err());
    eventually(linewatch_tests::harness::BOUND, "the disk stands still", || {
        Ok(disk.gate().is_frozen().then_some(()))
    })
    .unwrap();
    disk.gate().release();
    assert!(writer.join().unwrap(), "nothing is done any more after the machine has died");
}
