//! `check`: every mistake of the configuration, the packs and the calendars, with file, line and reason.

use std::path::Path;

use anyhow::bail;
use linewatch_shared::time::UnixMs;

use super::admin::plural;
use super::out;
use crate::app::packs::PackSet;
use crate::config::Settings;

pub(super) fn check(config: &Path, now: UnixMs) -> anyhow::Result<()> {
    let mut mistakes = Vec::new();
    // Packs are checked too when the rest of the configuration has mistakes.
    let packs_dir = match Settings::load(config) {
        Ok(settings) => settings.packs_dir,
        Err(found) => {
            mistakes.extend(found);
            Settings::packs_dir_of(config)
        }
    };
    let packs = PackSet::load(packs_dir.as_deref()).map_err(|found| mistakes.extend(found));
    for mistake in &mistakes {
        out::line(mistake);
    }
    match packs {
        Ok(packs) if mistakes.is_empty() => {
            for warning in packs.warnings(now) {
                out::line(format_args!("warning: {warning}"));
            }
            out::line(format_args!("{} is fine; packs: {}", config.display(), packs.names()));
            Ok(())
        }
        _ => bail!("{} to correct", plural(mistakes.len(), "mistake")),
    }
}
