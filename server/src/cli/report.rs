//! `linewatch-server report`: figures of a month, quarter or year into a file or to standard output.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::Desk;
use crate::app::report::group::Group;
use crate::app::report::period::{Period, PeriodKind};
use crate::app::report::publish;
use crate::report::words::Lang;
use crate::report::{Form, render};
use crate::store::packs::PackCache;

/// Who takes reports by this command, in the audit trail.
pub(super) const WHO: &str = "command line";

/// What to report. Without a period: the last full month, quarter or year.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// A month, such as 2026-10; the last full one where no value is given.
    #[arg(long, value_name = "YYYY-MM", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["quarter", "year"])]
    month: Option<String>,
    /// A quarter, such as 2026-Q4; the last full one where no value is given.
    #[arg(long, value_name = "YYYY-Qn", num_args = 0..=1, default_missing_value = "", conflicts_with = "year")]
    quarter: Option<String>,
    /// A year, such as 2026; the last full one where no value is given.
    #[arg(long, value_name = "YYYY", num_args = 0..=1, default_missing_value = "")]
    year: Option<String>,
    /// json, csv, xlsx or pdf; what --out ends with, or json.
    #[arg(long, value_parser = parse_form)]
    format: Option<Form>,
    /// The same as --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// What JSON and CSV are grouped by: tier, customer, manager, technician, contractor, region, cause, class or line.
    #[arg(long, default_value = "tier", value_parser = parse_group)]
    group: Group,
    /// zh or en.
    #[arg(long, default_value = "zh", value_parser = parse_lang)]
    lang: Lang,
    /// The file to write; standard output for JSON and CSV where it is left out.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn parse_form(text: &str) -> Result<Form, String> {
    Form::from_name(text).ok_or_else(|| format!("one of {}", Form::ALL.map(Form::name).join(", ")))
}

fn parse_group(text: &str) -> Result<Group, String> {
    Group::from_name(text).ok_or_else(|| format!("one of {}", Group::ALL.map(Group::name).join(", ")))
}

pub(super) fn parse_lang(text: &str) -> Result<Lang, String> {
    Lang::from_name(text).ok_or_else(|| "one of zh, en".to_owned())
}

pub(super) async fn run(desk: &Desk, args: ReportArgs) -> anyhow::Result<()> {
    let period = period(desk, &args)?;
    let form = form_of(args.format.or(args.json.then_some(Form::Json)), args.out.as_deref());
    if args.out.is_none() && !form.is_text() {
        bail!("a {} file is not for the terminal: say --out FILE", form.name());
    }
    let packs = std::sync::Arc::new(PackCache::default());
    let published =
        publish(&desk.db, &packs, (period, desk.settings.sample_rules()), WHO, form.name(), desk.now())
            .await?;
    let bytes = render(&published, args.group, form, args.lang)?;
    put(args.out.as_deref(), &bytes)
}

/// Writes to a file, or to standard output.
pub(super) fn put(out: Option<&Path>, bytes: &[u8]) -> anyhow::Result<()> {
    match out {
        Some(file) => write(file, bytes)?,
        // That nobody reads any more is no error.
        None => drop(std::io::stdout().write_all(bytes)),
    }
    Ok(())
}

/// The form that was asked for, else the one that the file's name ends with.
pub(super) fn form_of(asked: Option<Form>, out: Option<&Path>) -> Form {
    let extension = out.and_then(Path::extension).and_then(|extension| extension.to_str());
    asked.or_else(|| extension.and_then(Form::from_name)).unwrap_or_default()
}

fn period(desk: &Desk, args: &ReportArgs) -> anyhow::Result<Period> {
    let (kind, text) = match (&args.month, &args.quarter, &args.year) {
        (Some(text), ..) => (PeriodKind::Month, text.as_str()),
        (_, Some(text), _) => (PeriodKind::Quarter, text.as_str()),
        (.., Some(text)) => (PeriodKind::Year, text.as_str()),
        (None, None, None) => (PeriodKind::Month, ""),
    };
    if text.is_empty() {
        // Over in every zone of the packs.
        let zones = desk.packs.iter().map(|loaded| loaded.pack.time_zone);
        let last = zones.map(|zone| Period::last_full(kind, zone, desk.now())).min();
        return last.context("there is no pack, and so no time zone");
    }
    Period::parse(kind, text)
        .with_context(|| format!("\"{text}\" is no {}, such as {}", kind.name(), kind.example()))
}

fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    // Beside it first: a report is never there by half.
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let written = std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, file));
    written.with_context(|| file.display().to_string())
}
