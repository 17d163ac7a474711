//! One point for each kind of fault: write, let it happen, come back, compare.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::disk::Disk;
use super::gate::Trap;
use super::golden;
use super::kind::Kind;
use super::laptop::Saved;
use super::machine::Machine;
use super::net::Weather;
use super::page::Page;
use super::world::World;
use crate::harness::{BOUND, Seed};

/// Saves of one point at most.
const SAVES_MAX: u64 = 3;
/// Years that a clock may be wrong by.
const YEARS_MAX: u64 = 9;
const YEAR_S: i64 = 365 * 86_400;
/// What may still be written on a disk that is nearly full, in bytes.
const ROOM_BYTES_MAX: u64 = 160 << 10;
/// What the program keeps in reserve, in bytes.
const RESERVE_BYTES: u64 = 8 << 20;
/// How a program says that a disk is full: in its own words, or the system's.
const FULL_WORDS: [&str; 2] = ["the disk is full", "No space left"];
/// A laptop with room to spare, in bytes.
const PLENTY_BYTES: u64 = u64::MAX / 2;
/// How long the server's sync may have gone on when it is killed, in microseconds.
const SYNC_US_MAX: u64 = 150_000;

/// Plays one point on one laptop.
///
/// # Errors
/// When the program breaks its word, or the harness cannot play on.
pub fn play(world: &mut World, machine: &mut Machine, kind: Kind, image: &mut Disk) -> Result<()> {
    match kind {
        Kind::Kill | Kind::PowerCut if world.seed.below(3) == 0 => {
            crash_of_page(world, machine, kind == Kind::PowerCut)
        }
        Kind::Kill => crash(world, machine, false),
        Kind::PowerCut => crash(world, machine, true),
        Kind::DiskFull => disk_full(world, machine),
        Kind::DiskError => disk_error(world, machine),
        Kind::Clock => clock(world, machine),
        Kind::Copy => copy(world, machine),
        Kind::Restore => restore(world, machine, image),
        Kind::Upgrade => upgrade(world),
        Kind::NetCut => net(world, machine, false),
        Kind::AnswerLost => net(world, machine, true),
        Kind::ServerKilled => server_killed(world, machine),
    }
}

/// Dies in the middle of saving, of syncing, or of both at once.
fn crash(world: &mut World, machine: &mut Machine, is_power_cut: bool) -> Result<()> {
    let saves = world.seed.below(SAVES_MAX) + 1;
    let how = world.seed.below(4);
    if how == 1 {
        // Beside a sync of another process.
        machine.start(&["sync", "--quiet"])?;
    }
    let trap = world.freeze();
    world.arm(machine, saves, trap);
    world.write(machine, saves)?;
    if how == 2 && !machine.volume.gate().is_frozen() {
        let trap = world.freeze();
        world.arm(machine, 1, trap);
        world.sync(machine)?;
    }
    world.restart(machine, is_power_cut)?;
    world.recover(machine)?;
    if how == 3 {
        world.sync(machine)?;
    }
    Ok(())
}

/// Dies in the middle of a visit's report with photos on the page, while the agent probes and syncs.
fn crash_of_page(world: &mut World, machine: &mut Machine, is_power_cut: bool) -> Result<()> {
    let saves = world.seed.below(SAVES_MAX) + 1;
    let chance = Seed::of(world.seed.draw());
    let mut page = Page::open(machine, chance)?;
    if !world.knows_pages() {
        world.measure(&mut page)?;
    }
    let trap = world.freeze();
    world.arm(&mut page, saves, trap);
    world.write(&mut page, saves)?;
    world.restart(machine, is_power_cut)?;
    world.recover(machine)
}

fn disk_full(world: &mut World, machine: &mut Machine) -> Result<()> {
    let used = machine.volume.disk().used();
    let kept = if world.seed.below(2) == 0 { RESERVE_BYTES } else { 0 };
    let room = world.seed.below(ROOM_BYTES_MAX);
    machine.volume.disk().set_capacity(used.saturating_sub(kept) + room);
    let before = machine.volume.gate().full_count();
    let saves = SAVES_MAX + world.seed.below(SAVES_MAX);
    let is_cut = world.seed.below(2) == 0;
    if is_cut {
        let trap = world.freeze();
        world.arm(machine, saves, trap);
    }
    for _ in 0..saves {
        match world.save(machine)? {
            Saved::Died => break,
            Saved::Refused(why) => {
                ensure!(FULL_WORDS.iter().any(|words| why.contains(words)), "a full disk is told so: {why}");
                world.proofs.add("saves refused on a full disk", 1);
            }
            Saved::Answered(_) => world.proofs.add("saves answered on a full disk", 1),
        }
    }
    let full = machine.volume.gate().full_count() - before;
    world.proofs.add("changes refused by a full disk", full);
    if is_cut {
        world.restart(machine, true)?;
        // Still full: it may refuse, it may not forget.
        world.write(machine, 1)?;
    }
    machine.volume.disk().set_capacity(PLENTY_BYTES);
    machine.volume.gate().disarm();
    world.recover(machine)
}

fn disk_error(world: &mut World, machine: &mut Machine) -> Result<()> {
    let saves = world.seed.below(SAVES_MAX) + 1;
    world.arm(machine, saves, Trap::Fail);
    world.write(machine, saves)?;
    world.proofs.add("changes that failed", u64::from(machine.volume.gate().has_failed()));
    machine.volume.gate().disarm();
    // What was answered was synced: a cut takes none of it.
    world.restart(machine, true)?;
    world.recover(machine)
}

fn clock(world: &mut World, machine: &mut Machine) -> Result<()> {
    let years = |world: &mut World| {
        let seconds = (world.seed.below(YEARS_MAX) + 1) as i64 * YEAR_S;
        if world.seed.below(2) == 0 { seconds } else { -seconds }
    };
    let first = years(world);
    let is_running = world.seed.below(2) == 0;
    if is_running {
        machine.start(&["run"])?;
        world.write(machine, 1)?;
    }
    machine.clock.step(first)?;
    world.write(machine, 2)?;
    world.sync(machine)?;
    machine.clock.step(years(world))?;
    world.write(machine, 1)?;
    if is_running {
        ensure!(machine.is_running()?, "run ended when the clock was stepped: {}", machine.run_log());
    }
    let trap = world.freeze();
    world.arm(machine, 1, trap);
    world.write(machine, 1)?;
    world.restart(machine, true)?;
    world.recover(machine)?;
    world.sync(machine)?;
    Ok(())
}

fn copy(world: &mut World, machine: &mut Machine) -> Result<()> {
    world.write(machine, 1)?;
    let name = format!("copy-{}", world.point);
    world.twofold.insert(machine.name.clone());
    let mut other = world.bare(&name, machine.volume.image().copy())?;
    (other.customer, other.lines) = (machine.customer.clone(), machine.lines.clone());
    let before = moves(&other)?;
    for _ in 0..2 {
        let saves = world.seed.below(SAVES_MAX) + 1;
        let trap = world.freeze();
        world.arm(&mut other, saves, trap);
        world.write(&mut other, saves)?;
        world.restart(&mut other, true)?;
        world.recover(&mut other)?;
        world.save_surely(machine)?;
        if world.seed.below(2) == 0 {
            world.sync(machine)?;
        }
    }
    world.drain(&mut other)?;
    count_epochs(world, &other, before)?;
    world.sync(machine)?;
    world.check(machine)
}

fn restore(world: &mut World, machine: &mut Machine, image: &mut Disk) -> Result<()> {
    world.write(machine, 1)?;
    let is_sent = world.seed.below(3) > 0 && world.sync(machine)?;
    machine.die()?;
    let old = std::mem::replace(image, machine.volume.image());
    // The whole disk as it was, or its files copied back.
    let is_whole = is_sent && world.seed.below(2) == 0;
    machine.volume.put_back(if is_whole { old } else { old.copy() })?;
    world.twofold.insert(machine.name.clone());
    let held = machine.held().unwrap_or_default();
    let before = moves(machine)?;
    world.ledger.replaced(&machine.name, &held);
    world.recover(machine)?;
    world.sync(machine)?;
    count_epochs(world, machine, before)?;
    world.proofs.add("old disks put back", 1);
    // The next one goes back into the numbering that goes on now, or into the one that just ended.
    if world.seed.below(3) > 0 {
        *image = machine.volume.image();
    }
    Ok(())
}

fn upgrade(world: &mut World) -> Result<()> {
    let name = format!("upgraded-{}", world.point);
    let (disk, given) = golden::disk(world)?;
    world.ledger.give(given);
    let mut machine = world.bare(&name, disk)?;
    (machine.customer, machine.lines) = ("C-upgraded".to_owned(), vec!["L-SAMPLE".to_owned()]);
    let trap = world.freeze();
    world.arm(&mut machine, 2, trap);
    world.write(&mut machine, 1)?;
    let is_power_cut = world.seed.below(3) > 0;
    world.restart(&mut machine, is_power_cut)?;
    world.recover(&mut machine)?;
    world.drain(&mut machine)?;
    world.proofs.add("old journals taken over", 1);
    Ok(())
}

fn net(world: &mut World, machine: &mut Machine, is_answer: bool) -> Result<()> {
    let saves = world.seed.below(SAVES_MAX) + 1;
    world.write(machine, saves)?;
    let weather = match (is_answer, world.seed.below(4)) {
        (true, _) => Weather::AnswerLost { burst: world.seed.below(4) + 2 },
        (false, 0) => Weather::Away,
        (false, _) => Weather::CutUp { burst: world.seed.below(4) + 2, after_bytes: world.seed.below(1_500) },
    };
    machine.net.set(weather);
    // Mostly it does not live to try again.
    if world.seed.below(4) > 0 || weather == Weather::Away {
        let after = Duration::from_micros(SYNC_US_MAX + world.seed.below(SYNC_US_MAX));
        machine.command_killed(&["sync", "--quiet"], Some(after))?.no_damage()?;
        world.restart(machine, true)?;
    } else {
        world.sync(machine)?;
    }
    world.recover(machine)?;
    world.sync(machine)?;
    Ok(())
}

fn server_killed(world: &mut World, machine: &mut Machine) -> Result<()> {
    world.write(machine, SAVES_MAX)?;
    world.note_metrics()?;
    machine.start(&["sync", "--quiet"])?;
    std::thread::sleep(Duration::from_micros(world.seed.below(SYNC_US_MAX)));
    world.server.kill()?;
    world.proofs.add("kills of the server", 1);
    world.write(machine, 1)?;
    world.server.launch()?;
    world.server.wait_ready(BOUND)?;
    machine.die()?;
    world.restart(machine, false)?;
    world.recover(machine)?;
    world.sync(machine)?;
    Ok(())
}

/// Adds the numberings that a journal began, beyond the `before` it had, because its database had moved.
fn count_epochs(world: &mut World, machine: &Machine, before: usize) -> Result<()> {
    let begun = moves(machine)?.saturating_sub(before);
    world.proofs.add("epochs begun after a copy or a restore", begun as u64);
    Ok(())
}

/// The numberings in a journal that are not its first.
fn moves(machine: &Machine) -> Result<usize> {
    let reasons = machine.epochs().with_context(|| machine.name.clone())?;
    Ok(reasons.iter().filter(|why| why.as_str() != "new database").count())
}
