//! `linewatch-server assessment`: what the figures of a year leave of a fee, into a file or to standard output.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use linewatch_shared::time::UnixMs;

use super::Desk;
use super::report::{WHO, form_of, parse_form, parse_lang, put};
use crate::app::assessment::{Subject, publish};
use crate::app::report::period::{Period, PeriodKind};
use crate::report::words::Lang;
use crate::report::{Form, assessment::render};
use crate::store::packs::PackCache;

/// Whom to assess, and over what.
#[derive(Debug, Args)]
pub(super) struct AssessmentArgs {
    /// A year, such as 2026; the running one where nothing is said.
    #[arg(long, value_name = "YYYY", conflicts_with_all = ["quarter", "month"])]
    year: Option<String>,
    /// As it would be of a quarter, such as 2026-Q4.
    #[arg(long, value_name = "YYYY-Qn", conflicts_with = "month")]
    quarter: Option<String>,
    /// As it would be of a month, such as 2026-10.
    #[arg(long, value_name = "YYYY-MM")]
    month: Option<String>,
    /// A customer's code: its pack's assessment.
    #[arg(long, value_name = "CODE", required_unless_present = "contractor", conflicts_with = "contractor")]
    customer: Option<String>,
    /// A contractor's code: what it maintains.
    #[arg(long, value_name = "CODE")]
    contractor: Option<String>,
    /// json, csv, xlsx or pdf; what --out ends with, or json.
    #[arg(long, value_parser = parse_form)]
    format: Option<Form>,
    /// The same as --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// zh or en.
    #[arg(long, default_value = "zh", value_parser = parse_lang)]
    lang: Lang,
    /// The file to write; standard output for JSON and CSV where it is left out.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) async fn run(desk: &Desk, args: AssessmentArgs) -> anyhow::Result<()> {
    let period = period(&args, desk)?;
    let form = form_of(args.format.or(args.json.then_some(Form::Json)), args.out.as_deref());
    if args.out.is_none() && !form.is_text() {
        bail!("a {} file is not for the terminal: say --out FILE", form.name());
    }
    let subject = match (args.customer, args.contractor) {
        (Some(code), _) => Subject::Customer(code),
        (None, Some(code)) => Subject::Contractor(code),
        (None, None) => bail!("say whom to assess: --customer or --contractor"),
    };
    let packs = std::sync::Arc::new(PackCache::default());
    let view = publish(&desk.db, &packs, (subject, period), (WHO, form.name()), desk.now()).await?;
    put(args.out.as_deref(), &render(&view, form, args.lang)?)
}

fn period(args: &AssessmentArgs, desk: &Desk) -> anyhow::Result<Period> {
    let (kind, text) = match (&args.year, &args.quarter, &args.month) {
        (_, Some(text), _) => (PeriodKind::Quarter, text),
        (.., Some(text)) => (PeriodKind::Month, text),
        (Some(text), ..) => (PeriodKind::Year, text),
        (None, None, None) => return running_year(desk).context("there is no pack, and so no time zone"),
    };
    Period::parse(kind, text)
        .with_context(|| format!("\"{text}\" is no {}, such as {}", kind.name(), kind.example()))
}

/// The year that it is in every zone of the packs.
fn running_year(desk: &Desk) -> Option<Period> {
    let now: UnixMs = desk.now();
    desk.packs.iter().map(|loaded| Period::containing(PeriodKind::Year, loaded.pack.time_zone, now)).min()
}
