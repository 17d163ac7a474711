//! Plays all points of a seed, and tells what came of it.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result, bail, ensure};

use super::disk::{Cut, Disk, Manners};
use super::kind::Kind;
use super::laptop::Saved;
use super::ledger::Verdict;
use super::machine::Machine;
use super::world::World;
use super::{clock, points, volume};
use crate::harness::{Folder, Seed, is_interrupted, mono_ms};

/// What a lying disk is written to, and how often its power goes.
const LIES: u64 = 4;
/// Losses and mistakes that are named one by one.
const NAMED_MAX: usize = 12;

/// What to play.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Chance.
    pub seed: u64,
    /// How many points.
    pub points: u64,
    /// This kind alone, for whoever looks for a mistake.
    pub only: Option<Kind>,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// Points played, by kind, and how long they took (ms).
    pub played: BTreeMap<Kind, (u64, i64)>,
    /// What really happened.
    pub proofs: BTreeMap<&'static str, u64>,
    /// What the judge found.
    pub verdict: Verdict,
    /// Losses that it found on the disk that lies.
    pub noticed_lies: usize,
    /// How long it took.
    pub took_ms: i64,
}

/// Plays; `tell` is given a line now and then.
///
/// # Errors
/// When the program broke its word, a fault did not happen, or the harness cannot play.
pub fn run(folder: &Folder, options: Options, mut tell: impl FnMut(&str)) -> Result<Outcome> {
    volume::check()?;
    clock::library()?;
    let began_ms = mono_ms();
    let mut seed = Seed::of(options.seed);
    let mut plan = Kind::plan(options.points, &mut seed);
    if let Some(kind) = options.only {
        plan = vec![kind; options.points as usize];
    }
    let mut world = World::new(folder, seed)?;
    let mut images: Vec<Disk> = world.machines.iter().map(|machine| machine.volume.image()).collect();
    let mut played = BTreeMap::new();
    for (point, kind) in (1..).zip(&plan) {
        world.point = point;
        let at = world.seed.below(world.machines.len() as u64) as usize;
        let mut machine = world.machines.remove(at);
        world.tell(&machine.name, kind.name());
        let point_ms = mono_ms();
        let result = points::play(&mut world, &mut machine, *kind, &mut images[at]);
        result.with_context(|| {
            format!(
                "SEED={} POINTS={}: point {point} ({}) on {}",
                options.seed,
                options.points,
                kind.name(),
                machine.name
            )
        })?;
        world.machines.insert(at, machine);
        let (count, took_ms) = played.entry(*kind).or_default();
        (*count, *took_ms) = (*count + 1, *took_ms + mono_ms() - point_ms);
        if point % 50 == 0 {
            let seconds = (mono_ms() - began_ms) / 1_000;
            tell(&format!(
                "{point} of {} points, {} records answered, {seconds} s",
                plan.len(),
                world.ledger.answered()
            ));
        }
        if is_interrupted() {
            bail!("interrupted");
        }
    }
    let noticed_lies = lie(&mut world).context("the disk that lies")?;
    let verdict = finish(&mut world)?;
    let outcome = Outcome {
        played,
        proofs: world.proofs.all().clone(),
        verdict,
        noticed_lies,
        took_ms: mono_ms() - began_ms,
    };
    Ok(outcome)
}

/// Everything is sent, and the server is looked at.
fn finish(world: &mut World) -> Result<Verdict> {
    for mut machine in std::mem::take(&mut world.machines) {
        world.drain(&mut machine)?;
    }
    world.note_counts();
    world.proofs.add("pictures of what was answered", world.ledger.pictures());
    world.note_metrics()?;
    world.note_server()?;
    world.ledger.judge(&world.at_server()?)
}

/// A disk whose `fsync` does nothing: what it answered must be found missing. Its book is its own.
fn lie(world: &mut World) -> Result<usize> {
    let mut machine = world.enrolled("liar")?;
    world.twofold.insert(machine.name.clone());
    let book = std::mem::take(&mut world.ledger);
    let played = lie_on(world, &mut machine);
    let lies = std::mem::replace(&mut world.ledger, book);
    played?;
    let before = world.at_server()?;
    let lost = lies.judge(&before)?.lost.len();
    ensure!(lost > 0, "a disk that forgets what it said it had synced was not noticed: the judge is blind");
    Ok(lost)
}

fn lie_on(world: &mut World, machine: &mut Machine) -> Result<()> {
    machine.volume.behave(Manners { are_names_lenient: false, is_lying: true });
    for _ in 0..LIES {
        // What is found there afterwards is nobody's promise.
        let saved = world.save(machine)?;
        ensure!(matches!(saved, Saved::Answered(_)), "a lying disk answers like another: {saved:?}");
        machine.restart(Cut::All)?;
    }
    machine.volume.behave(Manners { are_names_lenient: true, is_lying: false });
    machine.command(&["sync", "--quiet"])?;
    Ok(())
}

impl Outcome {
    /// The table that is printed.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::from("\nwhat was played                                    points  ms each\n");
        for (kind, (count, took_ms)) in &self.played {
            let each_ms = took_ms / (*count).max(1).cast_signed();
            let _ = writeln!(text, "  {:<46} {count:>8} {each_ms:>8}", kind.name());
        }
        text.push_str("what really happened                                times\n");
        for (what, count) in &self.proofs {
            let _ = writeln!(text, "  {what:<46} {count:>8}");
        }
        let verdict = &self.verdict;
        let rows = [
            ("attempted", verdict.attempted),
            ("answered", verdict.answered),
            ("answered and at the server", verdict.there),
            ("not answered, at the server all the same", verdict.unanswered_there),
            ("answered and lost", verdict.lost.len()),
            ("otherwise wrong", verdict.wrong.len()),
            ("losses noticed on the disk that lies", self.noticed_lies),
        ];
        text.push_str("records                                             count\n");
        for (what, count) in rows {
            let _ = writeln!(text, "  {what:<46} {count:>8}");
        }
        let _ = writeln!(text, "in {} s", self.took_ms / 1_000);
        text
    }

    /// Whether every word was kept and, of a whole matrix, every fault that was asked for happened.
    ///
    /// # Errors
    /// Names what is wrong.
    pub fn check(&self, is_whole: bool) -> Result<()> {
        let wrong: Vec<_> = self.verdict.lost.iter().map(|what| format!("lost: {what}")).collect();
        let wrong: Vec<_> =
            wrong.iter().chain(&self.verdict.wrong).take(NAMED_MAX).map(String::as_str).collect();
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        let expected = EXPECTED.iter().filter(|_| is_whole);
        let never: Vec<_> =
            expected.filter(|what| self.proofs.get(*what).is_none_or(|count| *count == 0)).collect();
        ensure!(never.is_empty(), "these faults never happened, so nothing is shown: {never:?}");
        Ok(())
    }
}

/// What must have happened in any run that counts.
const EXPECTED: [&str; 17] = [
    "crashes in the middle of a change of the disk",
    "unsynced pages lost",
    "pages torn between sectors",
    "changes refused by a full disk",
    "changes that failed",
    "clocks seen wrong by more than a day",
    "epochs begun after a copy or a restore",
    "old disks put back",
    "copies noticed by the server",
    "old journals taken over",
    "forks found with the server",
    "duplicates skipped",
    "batches cut in the middle",
    "answers lost",
    "kills of the server",
    "saves by the page",
    "pictures of what was answered",
];
