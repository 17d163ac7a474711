//! `check`: every mistake of the configuration, the packs and the calendars, with file, line and reason.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use linewatch_shared::rules::Pack;
use linewatch_shared::time::UnixMs;

use super::admin::plural;
use super::{Desk, out};
use crate::app::AppError;
use crate::app::packs::PackSet;
use crate::app::packs::preview::{self, PackPreview};
use crate::app::packs::ways::unknown_ways;
use crate::config::Settings;

pub(super) fn check(config: &Path, says_fine: bool, now: UnixMs) -> anyhow::Result<()> {
    let mut mistakes = Vec::new();
    // Packs are checked too when the rest of the configuration has mistakes.
    let settings = Settings::load(config).map_err(|found| mistakes.extend(found)).ok();
    let packs_dir = match &settings {
        Some(settings) => settings.packs_dir.clone(),
        None => Settings::packs_dir_of(config),
    };
    let packs = PackSet::load(packs_dir.as_deref()).map_err(|found| mistakes.extend(found));
    if let (Ok(packs), Some(settings)) = (&packs, &settings) {
        mistakes.extend(unknown_ways(packs, settings));
    }
    for mistake in &mistakes {
        out::line(mistake);
    }
    match packs {
        Ok(packs) if mistakes.is_empty() => {
            for warning in packs.warnings(now).iter().filter(|_| says_fine) {
                out::line(format_args!("warning: {warning}"));
            }
            if says_fine {
                out::line(format_args!("{} is fine; packs: {}", config.display(), packs.names()));
            }
            Ok(())
        }
        _ => bail!("{} to correct", plural(mistakes.len(), "mistake")),
    }
}

/// Which open promises a pack would move. Nothing is changed.
pub(super) async fn preview(config: &Path, file: &Path, json: bool) -> anyhow::Result<()> {
    let desk = Desk::open(Settings::load(config).map_err(AppError::Mistakes)?).await?;
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let pack = match Pack::parse_with(&text, &file.display().to_string(), desk.packs.calendars()) {
        Ok(pack) => Arc::new(pack),
        Err(mistakes) => {
            for mistake in &mistakes {
                out::line(mistake);
            }
            bail!("{} to correct", plural(mistakes.len(), "mistake"))
        }
    };
    let found = preview::preview(&desk.db, &desk.packs, pack, desk.now()).await?;
    if json {
        return out::json(&found);
    }
    say(&found);
    Ok(())
}

fn say(found: &PackPreview) {
    let PackPreview { pack, version, in_force, faults, matters, moved_count, .. } = found;
    let in_force = in_force.as_deref().unwrap_or("nothing");
    let open = format!("{} and {} open", plural(*faults, "fault"), plural(*matters, "matter"));
    out::line(format_args!("{pack} {version} instead of {in_force}: {open} under it"));
    for note in &found.notes {
        out::line(format_args!("note: {note}"));
    }
    for moved in &found.moved {
        let due = |due: &Option<String>| due.clone().unwrap_or_else(|| "not promised".to_owned());
        let (from, to, overdue) =
            (due(&moved.from), due(&moved.to), if moved.overdue { " (overdue)" } else { "" });
        let (subject, line) = (moved.subject, moved.line.as_deref().unwrap_or("-"));
        out::line(format_args!(
            "{subject} {} line {line} customer {} {}: {} {from} -> {to}{overdue}",
            moved.id, moved.customer, moved.tier, moved.kind
        ));
    }
    for unfit in &found.unfit {
        out::line(format_args!("{} {} cannot be re-rated: {}", unfit.subject, unfit.id, unfit.reason));
    }
    let more = moved_count - found.moved.len();
    let more = if more > 0 { format!(", {more} of them not listed") } else { String::new() };
    out::line(format_args!("{} would move{more}", plural(*moved_count, "promise")));
}
