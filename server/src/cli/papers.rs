//! `linewatch-server papers`: the papers of the monthly service-quality meeting, into a file or to standard output.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;

use super::Desk;
use super::report::{WHO, form_of, parse_form, parse_lang, put};
use crate::app::desk;
use crate::app::papers::{Making, Which, publish};
use crate::app::report::period::{Period, PeriodKind};
use crate::report::words::Lang;
use crate::report::{Form, papers::render};

/// Which papers. Without a month: the last full one.
#[derive(Debug, Args)]
pub(super) struct PapersArgs {
    /// The month, such as 2026-10.
    #[arg(long, value_name = "YYYY-MM")]
    month: Option<String>,
    /// A kept copy; the one that was approved last where it is left out, else made now.
    #[arg(long, value_name = "N", conflicts_with = "new")]
    copy: Option<i64>,
    /// Made now, even where a copy was approved.
    #[arg(long)]
    new: bool,
    /// json, xlsx or pdf; what --out ends with, or json.
    #[arg(long, value_parser = parse_form)]
    format: Option<Form>,
    /// The same as --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// zh or en.
    #[arg(long, default_value = "zh", value_parser = parse_lang)]
    lang: Lang,
    /// The file to write; standard output for JSON where it is left out.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) async fn run(desk: &Desk, args: PapersArgs) -> anyhow::Result<()> {
    let form = form_of(args.format.or(args.json.then_some(Form::Json)), args.out.as_deref());
    if form == Form::Csv {
        bail!("papers are many tables: take json, xlsx or pdf");
    }
    if args.out.is_none() && !form.is_text() {
        bail!("a {} file is not for the terminal: say --out FILE", form.name());
    }
    let rules = desk.settings.sample_rules();
    let now = desk.now();
    let month = match &args.month {
        None => Period::last_full(PeriodKind::Month, rules.zone, now),
        Some(text) => Period::parse(PeriodKind::Month, text)
            .with_context(|| format!("\"{text}\" is no month, such as {}", PeriodKind::Month.example()))?,
    };
    let which = match args.copy {
        Some(number) => Which::Copy(number),
        None if args.new => Which::Fresh,
        None => Which::Current,
    };
    let inner =
        desk::Desk { packs: Arc::default(), summary_day: desk.settings.summary_day, ..desk::Desk::default() };
    let making = Making { month, rules, now };
    let view = publish(&desk.db, &inner, (making, which), (WHO, form.name())).await?;
    put(args.out.as_deref(), &render(&view, form, args.lang)?)
}
