//! The service-quality assessment of a customer's service or of a contractor's work: what of the contract's fee the
//! year's figures leave.
//!
//! Figures are those of reports, month by month, so that each opens to the same rows; points are given by the pack
//! (`[assessment]`). A promise belongs to the month in which it was decided, so that the months add up to the year.

mod score;

use std::sync::Arc;

use linewatch_shared::rules::{Assessment, CENTI, Label};
use linewatch_shared::time::UnixMs;
use serde::Serialize;
use serde_json::json;

use crate::app::packs::in_force;
use crate::app::report::ReportError;
use crate::app::report::book::{Book, Places};
use crate::app::report::figure::{Figure, Unit};
use crate::app::report::group::Group;
use crate::app::report::history::Learnt;
use crate::app::report::make::make;
use crate::app::report::period::Period;
use crate::app::report::rows::query_text;
use crate::app::report::service::kind_of;
use crate::app::{Action, audit};
use crate::db::{Db, DbError, Priority, Tx};
use crate::store::packs::PackCache;
use crate::store::{contractors, customers};
pub use score::Sums;

/// Who is assessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A customer's service, by code.
    Customer(String),
    /// A contractor's work on what it maintains, by code.
    Contractor(String),
}

impl Subject {
    /// What reports call its figures' group.
    #[must_use]
    pub const fn group(&self) -> Group {
        match self {
            Self::Customer(_) => Group::Customer,
            Self::Contractor(_) => Group::Contractor,
        }
    }

    /// Its code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Customer(code) | Self::Contractor(code) => code,
        }
    }
}

/// Why there is no assessment.
#[derive(Debug, thiserror::Error)]
pub enum AssessmentError {
    /// The figures could not be made.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The code is not known.
    #[error("there is no {0} with the code \"{1}\"")]
    Unknown(&'static str, String),
    /// Its pack has none.
    #[error("the pack \"{0}\" has no [assessment]")]
    NoAssessment(String),
}

impl AssessmentError {
    /// That there is nobody like this to assess.
    #[must_use]
    pub fn unknown(subject: &Subject) -> Self {
        match subject {
            Subject::Customer(code) => Self::Unknown("customer", code.clone()),
            Subject::Contractor(code) => Self::Unknown("contractor", code.clone()),
        }
    }
}

impl From<DbError> for AssessmentError {
    fn from(error: DbError) -> Self {
        Self::Report(error.into())
    }
}

/// Where the rows behind a figure are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RowLinks {
    /// Of what was kept.
    pub kept: Vec<String>,
    /// Of what was missed; of availability the lines, and from each its outages.
    pub missed: Vec<String>,
    /// Of what is exempt.
    pub exempt: Vec<String>,
}

/// One figure of an assessment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AssessedView {
    /// Its name in the pack.
    pub name: String,
    /// Its name for people.
    #[schema(value_type = Object)]
    pub label: Label,
    /// What is looked at, such as `restored_in_time`.
    pub figure: &'static str,
    /// What `owed`, `kept`, `missed` and `exempt` are: pieces, or milliseconds.
    pub unit: Unit,
    /// What was owed.
    pub owed: i64,
    /// What of that was kept.
    pub kept: i64,
    /// What was not.
    pub missed: i64,
    /// What was missed and does not count, because it is exempt.
    pub exempt: i64,
    /// The part that was kept, in millionths, rounded down; null where nothing was owed.
    pub kept_ppm: Option<u32>,
    /// From this part on it has all its points.
    pub full_at_ppm: u32,
    /// Up to this part it has none.
    pub zero_at_ppm: u32,
    /// The most points.
    pub weight: u32,
    /// Its points, in hundredths; null where nothing was owed: it is then left out with its weight.
    pub points_centi: Option<u32>,
    /// What is lost of its weight, in hundredths.
    pub lost_centi: Option<u32>,
    /// Its rows.
    pub rows: RowLinks,
}

/// How the assessment stood when a month ended, or stands in the running one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MonthView {
    /// `2026-10`.
    pub month: String,
    /// What was owed, kept and missed in it, figure by figure.
    pub sums: Vec<Sums>,
    /// The part of all points reached since the period began, in millionths.
    pub reached_ppm: u32,
    /// The part of the fee withheld for that, in millionths of the fee.
    pub withheld_ppm: u32,
}

/// An assessment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AssessmentView {
    /// `2026`, `2026-Q4` or `2026-10`.
    pub period: String,
    /// Whether it is the period over which the pack has the fee hang on the assessment.
    pub decides_fee: bool,
    /// Whether it is over; until then figures grow.
    pub complete: bool,
    /// As of when.
    pub as_of: String,
    /// The time zone that decides months and years.
    pub time_zone: &'static str,
    /// `customer` or `contractor`.
    pub subject: &'static str,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The pack whose assessment it is.
    pub pack: String,
    /// Its version.
    pub version: String,
    /// The part of the fee that hangs on it, in millionths.
    pub fee_part_ppm: u32,
    /// Its figures, in the pack's order.
    pub figures: Vec<AssessedView>,
    /// The part of all points that could be had which was reached, in millionths.
    pub reached_ppm: u32,
    /// What is left of that part of the fee, in millionths of the fee.
    pub left_ppm: u32,
    /// What is withheld, in millionths of the fee.
    pub withheld_ppm: u32,
    /// Month by month.
    pub months: Vec<MonthView>,
}

/// Assesses, and writes down who took it in which form.
///
/// # Errors
/// When the code is not known, its pack has no assessment, or the period lies ahead.
pub async fn publish(
    db: &Db,
    packs: &Arc<PackCache>,
    (subject, period): (Subject, Period),
    (who, form): (&str, &'static str),
    now: UnixMs,
) -> Result<AssessmentView, AssessmentError> {
    let packs = Arc::clone(packs);
    let view = db.read(move |tx| assess(&packs, tx, &subject, period, now)).await?;
    let (who, about) = (who.to_owned(), format!("assessment/{}/{}/{}", view.period, view.subject, view.code));
    let kept: Result<(), DbError> = db
        .write(Priority::Api, move |tx| {
            audit(tx, now.0, &who, Action::AssessmentExported, &about, Some(&json!({ "form": form })))
        })
        .await;
    kept?;
    Ok(view)
}

/// Who is assessed, by which pack.
struct Assessee {
    name: String,
    pack: String,
    /// The part of the fee (ppm), where its contract has one of its own.
    fee_part_ppm: Option<u32>,
}

fn assessee(tx: &mut Tx<'_>, subject: &Subject) -> Result<Assessee, AssessmentError> {
    match subject {
        Subject::Customer(code) => {
            let owners = customers::owners(tx, code)?;
            let owners = owners.ok_or_else(|| AssessmentError::Unknown("customer", code.clone()))?;
            Ok(Assessee { name: owners.name, pack: owners.pack, fee_part_ppm: None })
        }
        Subject::Contractor(code) => {
            let found = contractors::one(tx, code)?;
            let found = found.ok_or_else(|| AssessmentError::Unknown("contractor", code.clone()))?;
            Ok(Assessee { name: found.name, pack: found.pack, fee_part_ppm: found.fee_part_ppm })
        }
    }
}

/// Assesses as of a moment.
///
/// # Errors
/// Those of [`publish`].
pub fn assess(
    packs: &PackCache,
    tx: &mut Tx<'_>,
    subject: &Subject,
    period: Period,
    now: UnixMs,
) -> Result<AssessmentView, AssessmentError> {
    let Assessee { name, pack, fee_part_ppm } = assessee(tx, subject)?;
    let versions = packs.versions(tx)?;
    let none = || AssessmentError::NoAssessment(pack.clone());
    let zone = in_force(&versions, &pack, now).ok_or_else(none)?.time_zone;
    let (from, to) = period.bounds(zone);
    if from > now {
        return Err(ReportError::NotBegun(period).into());
    }
    let pack = in_force(&versions, &pack, now.min(to - 1)).ok_or_else(none)?;
    let mut assessment = pack.assessment.clone().ok_or_else(none)?;
    assessment.fee_part_ppm = fee_part_ppm.unwrap_or(assessment.fee_part_ppm);
    let assessment = &assessment;
    let places = Arc::new(Places::read(tx)?);
    let mut total = vec![Sums::default(); assessment.figures.len()];
    let mut months = Vec::new();
    for month in period.months().into_iter().filter(|month| month.bounds(zone).0 <= now) {
        let book = Book::new(month, &versions, Arc::clone(&places), now)
            .of_only(subject.group(), subject.code().to_owned());
        let report = make(tx, &book, month, &mut Learnt::default())?;
        let sums: Vec<Sums> = assessment
            .figures
            .iter()
            .map(|item| score::sums(item.figure, &report.total, &report.exempt))
            .collect();
        total.iter_mut().zip(&sums).for_each(|(total, month)| total.add(month));
        let standing = assessment.assess(&score::shares(assessment, &total));
        months.push(MonthView {
            month: month.to_string(),
            sums,
            reached_ppm: standing.reached_ppm,
            withheld_ppm: standing.withheld_ppm,
        });
    }
    let (reached_ppm, withheld_ppm) = months.last().map_or((0, 0), |m| (m.reached_ppm, m.withheld_ppm));
    Ok(AssessmentView {
        period: period.to_string(),
        decides_fee: kind_of(assessment.over) == period.kind(),
        complete: to <= now,
        as_of: to.min(now).to_rfc3339(),
        time_zone: zone.name(),
        subject: subject.group().name(),
        code: subject.code().to_owned(),
        name,
        pack: pack.name.clone(),
        version: pack.version.clone(),
        fee_part_ppm: assessment.fee_part_ppm,
        figures: figures(assessment, &total, subject, period),
        reached_ppm,
        left_ppm: assessment.fee_part_ppm - withheld_ppm,
        withheld_ppm,
        months,
    })
}

fn figures(assessment: &Assessment, total: &[Sums], subject: &Subject, period: Period) -> Vec<AssessedView> {
    let assessed = assessment.assess(&score::shares(assessment, total));
    let rows = |figures: &[Figure]| {
        let link = |figure: &Figure| {
            format!(
                "/api/v1/reports/{}/{period}/rows?figure={}&group={}&key={}",
                period.kind().name(),
                figure.name(),
                subject.group().name(),
                query_text(subject.code()),
            )
        };
        figures.iter().map(link).collect()
    };
    let items = assessment.figures.iter().zip(total).zip(assessed.points_centi);
    items
        .map(|((item, sums), (_, points_centi))| {
            let behind = score::behind(item.figure);
            AssessedView {
                name: item.name.clone(),
                label: item.label.clone(),
                figure: score::name(item.figure),
                unit: behind.unit,
                owed: sums.owed,
                kept: sums.kept,
                missed: sums.missed,
                exempt: sums.exempt,
                kept_ppm: sums.ppm(),
                full_at_ppm: item.full_at_ppm,
                zero_at_ppm: item.zero_at_ppm,
                weight: item.weight,
                points_centi,
                lost_centi: points_centi.map(|points| item.weight * CENTI - points),
                rows: RowLinks {
                    kept: rows(behind.kept),
                    missed: rows(behind.missed_rows),
                    exempt: rows(behind.exempt_rows),
                },
            }
        })
        .collect()
}
