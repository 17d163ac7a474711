//! Puts the papers together: nothing is counted here that a report, an assessment or a list has not counted.

use linewatch_shared::rules::Label;
use linewatch_shared::time::UnixMs;

use super::PapersError;
use super::content::{
    ComplaintClass, Complaints, ContractorStanding, LateChange, Listed, PaperFigure, Papers, RiskyCustomer,
    WatchedLine, Worst,
};
use super::walked::walked;
use crate::app::assessment::{AssessmentError, Subject, assess};
use crate::app::desk::Desk;
use crate::app::quality::SampleRules;
use crate::app::report::figure::{Figure, Figures};
use crate::app::report::group::Group;
use crate::app::report::history::{Learnt, VERSIONS_MAX, sha256};
use crate::app::report::make::{Entry, Report, book, make};
use crate::app::report::period::Period;
use crate::app::report::ratio::Ratio;
use crate::app::{desk_owes, risks};
use crate::db::Tx;
use crate::store::report::{customers, made};
use crate::store::{contractors, shift};

/// Customers or lines of one ranking.
const WORST_MAX: usize = 10;
/// Lines near a limit.
const WATCHED_MAX: usize = 40;
/// Contractors: each takes a report of its own.
const CONTRACTORS_MAX: usize = 20;
/// Customers at risk.
const RISKS_MAX: usize = 20;
/// Changes of earlier months.
const LATE_MAX: usize = 40;
/// Months before that are looked at for late changes.
const MONTHS_BACK: u32 = 12;

/// The figures, shares and means that a meeting looks at, by their names in reports.
const SHOWN: [&str; 34] = [
    "faults",
    "restoration_rate",
    "restoration_missed",
    "restoration_mean_ms",
    "feedback_rate",
    "feedback_missed",
    "repair_rate",
    "repair_missed",
    "satisfied_rate",
    "missed",
    "exempted",
    "interruption_ms",
    "availability_ppm",
    "repeat_near",
    "repeat_reached",
    "interruption_over",
    "complaints",
    "requests",
    "defects",
    "matter_answer_rate",
    "resolution_rate",
    "matters_missed",
    "visits_done",
    "visit_rate",
    "patrols_done",
    "patrol_rate",
    "samples_drawn",
    "samples_checked",
    "samples_good_rate",
    "sample_points_mean",
    "calls_offered",
    "calls_answered_rate",
    "calls_within_20s_rate",
    "call_days_wanting",
];

/// What papers are made with.
#[derive(Clone, Copy, Debug)]
pub struct Making {
    /// The month.
    pub month: Period,
    /// How samples are drawn; its zone is the desk's.
    pub rules: SampleRules,
    /// As of when.
    pub now: UnixMs,
}

/// The reports that the papers are made of.
pub(super) struct Reports {
    pub(super) this: Report,
    month_before: Option<Report>,
    year_before: Option<Report>,
}

impl Reports {
    /// Makes them. Months before the desk began have none.
    pub(super) fn make(desk: &Desk, tx: &mut Tx<'_>, making: Making) -> Result<Self, PapersError> {
        let begun_at = shift::begun_at(tx)?;
        let mut earlier = |months: u32| {
            let Some(month) = making.month.months_before(months) else { return Ok(None) };
            if begun_at.is_none_or(|at| at >= month.bounds(making.rules.zone).1) {
                return Ok(None);
            }
            report(desk, tx, Making { month, ..making }).map(Some)
        };
        let (month_before, year_before) = (earlier(1)?, earlier(12)?);
        Ok(Self { this: report(desk, tx, making)?, month_before, year_before })
    }
}

fn report(desk: &Desk, tx: &mut Tx<'_>, making: Making) -> Result<Report, PapersError> {
    let book = book(&desk.packs, tx, (making.month, making.rules), making.now)?;
    Ok(make(tx, &book, making.month, &mut Learnt::default())?)
}

/// The papers, without what people wrote.
pub(super) fn papers(desk: &Desk, tx: &mut Tx<'_>, making: Making) -> Result<Papers, PapersError> {
    let reports = Reports::make(desk, tx, making)?;
    let report = &reports.this;
    let walked = walked(desk, tx, making)?;
    let mut decisions = walked.decisions;
    for notice in desk_owes::notices(desk, tx, making.rules.zone, making.now)? {
        // That these papers are not approved yet goes without saying.
        if notice.kind == desk_owes::ROTA {
            decisions.push(super::content::OwedDecision {
                kind: notice.kind,
                subject: None,
                of: notice.month,
                customer: String::new(),
                due_at: Some(notice.due_at),
                count: 1,
            });
        }
    }
    let by_missed = |group| worst(report, group, |f| f.get(Figure::Missed) + f.get(Figure::MattersMissed));
    let by_time = |group| worst(report, group, |f| f.get(Figure::InterruptionMs));
    Ok(Papers {
        month: making.month.to_string(),
        time_zone: making.rules.zone.name().to_owned(),
        complete: report.complete,
        report_sha256: sha256(report)?,
        figures: figures(&reports),
        customers_by_missed: by_missed(Group::Customer),
        customers_by_interruption: by_time(Group::Customer),
        lines_by_missed: by_missed(Group::Line),
        lines_by_interruption: by_time(Group::Line),
        lines_to_watch: to_watch(report),
        missed: walked.missed,
        missed_count: report.total.get(Figure::Missed) + report.total.get(Figure::MattersMissed),
        exemptions: walked.exemptions,
        complaints: complaints(tx, &reports)?,
        grave: walked.grave,
        samples: walked.samples,
        contractors: standings(desk, tx, report, making)?,
        risks: at_risk(desk, tx, making.now)?,
        late: late(tx, making)?,
        decisions: Listed::first(decisions, super::walked::ITEMS_MAX),
    })
}

/// A figure, a share or a mean by its name; none where it is not known.
fn value(report: &Report, name: &str) -> Option<i64> {
    match Figure::from_name(name) {
        Some(figure) => report.total.known(figure),
        None => Ratio::from_name(name)?.rounded(&report.total),
    }
}

/// The shown figures of a report: name and value.
pub(super) fn values(report: &Report) -> impl Iterator<Item = (&'static str, Option<i64>)> {
    SHOWN.into_iter().map(|name| (name, value(report, name)))
}

fn figures(reports: &Reports) -> Vec<PaperFigure> {
    let earlier = |report: &Option<Report>, name| report.as_ref().and_then(|report| value(report, name));
    let figure = |(name, value): (&'static str, Option<i64>)| PaperFigure {
        name: name.to_owned(),
        value,
        month_before: earlier(&reports.month_before, name),
        year_before: earlier(&reports.year_before, name),
    };
    values(&reports.this).map(figure).collect()
}

fn worst(report: &Report, group: Group, by: impl Fn(&Figures) -> i64) -> Listed<Worst> {
    let mut entries: Vec<&Entry> = report.of(group).iter().filter(|entry| by(&entry.figures) > 0).collect();
    entries.sort_by_key(|entry| (std::cmp::Reverse(by(&entry.figures)), entry.key.clone()));
    let worst = |entry: &&Entry| Worst {
        code: entry.key.clone(),
        customer: entry.place.as_ref().map_or_else(|| entry.key.clone(), |place| place.customer.clone()),
        name: String::new(),
        faults: entry.figures.get(Figure::Faults),
        missed: entry.figures.get(Figure::Missed) + entry.figures.get(Figure::MattersMissed),
        interruption_ms: entry.figures.get(Figure::InterruptionMs),
    };
    Listed::first(entries.iter().map(worst).collect(), WORST_MAX)
}

fn to_watch(report: &Report) -> Listed<WatchedLine> {
    let watched = |entry: &&Entry| {
        let over = [Figure::RepeatNear, Figure::RepeatReached, Figure::InterruptionOver];
        over.iter().any(|figure| entry.figures.get(*figure) > 0)
    };
    let line = |entry: &Entry| {
        let year = entry.year.unwrap_or_default();
        let place = entry.place.as_ref();
        WatchedLine {
            line: entry.key.clone(),
            customer: place.map(|place| place.customer.clone()).unwrap_or_default(),
            tier: place.map(|place| place.tier.clone()).unwrap_or_default(),
            faults: year.faults,
            faults_limit: year.faults_limit,
            interruption_ms: year.interruption_ms,
            interruption_limit_ms: year.interruption_limit_ms,
        }
    };
    Listed::first(report.of(Group::Line).iter().filter(watched).map(line).collect(), WATCHED_MAX)
}

fn complaints(tx: &mut Tx<'_>, reports: &Reports) -> Result<Complaints, PapersError> {
    let opened = |report: &Report, key: &str| {
        let entry = report.of(Group::Class).iter().find(|entry| entry.key == key);
        entry.map_or(0, |entry| entry.figures.get(Figure::Complaints))
    };
    let class = |entry: &Entry| {
        let before = reports.month_before.as_ref().map(|report| opened(report, &entry.key));
        ComplaintClass {
            class: entry.key.clone(),
            label: entry.label.clone(),
            opened: entry.figures.get(Figure::Complaints),
            month_before: before,
            answers_missed: entry.figures.get(Figure::MatterAnswerMissed),
            resolved: entry.figures.get(Figure::RequestKept),
            resolutions_missed: entry.figures.get(Figure::RequestMissed),
        }
    };
    let classes = reports.this.of(Group::Class).iter().map(class);
    let classes = classes.filter(|class| class.opened > 0 || class.month_before.is_some_and(|n| n > 0));
    let customers = customers(tx)?.len() as i64;
    let complaints = reports.this.total.get(Figure::Complaints);
    Ok(Complaints {
        classes: classes.collect(),
        customers,
        per_100_customers_centi: (customers > 0)
            .then(|| (complaints * 20_000 + customers) / (customers * 2).max(1)),
    })
}

/// Contractors with what their work of the month reaches, the lowest first.
fn standings(
    desk: &Desk,
    tx: &mut Tx<'_>,
    report: &Report,
    making: Making,
) -> Result<Listed<ContractorStanding>, PapersError> {
    let known = contractors::names(tx)?;
    let more = known.len().saturating_sub(CONTRACTORS_MAX);
    let mut items = Vec::new();
    for (code, name) in known.into_iter().take(CONTRACTORS_MAX) {
        let subject = Subject::Contractor(code.clone());
        let assessed = match assess(&desk.packs, tx, &subject, making.month, making.now) {
            Ok(assessed) => Some(assessed),
            Err(AssessmentError::NoAssessment(_)) => None,
            Err(AssessmentError::Report(error)) => return Err(error.into()),
            Err(error) => return Err(PapersError::Assessment(error.to_string())),
        };
        let entry = report.of(Group::Contractor).iter().find(|entry| entry.key == code);
        let count = |figure| entry.map_or(0, |entry| entry.figures.get(figure));
        let counted = assessed.as_ref().filter(|a| a.figures.iter().any(|f| f.points_centi.is_some()));
        let lost = |a: &crate::app::assessment::AssessmentView| -> Vec<Label> {
            let lost = a.figures.iter().filter(|figure| figure.lost_centi.is_some_and(|lost| lost > 0));
            lost.map(|figure| figure.label.clone()).collect()
        };
        items.push(ContractorStanding {
            contractor: code,
            name,
            faults: count(Figure::Faults),
            missed: count(Figure::Missed) + count(Figure::MattersMissed),
            reached_ppm: counted.map(|assessed| assessed.reached_ppm),
            lost: counted.map(lost).unwrap_or_default(),
        });
    }
    items.sort_by_key(|item| (item.reached_ppm.is_none(), item.reached_ppm, item.contractor.clone()));
    Ok(Listed { items, more })
}

fn at_risk(desk: &Desk, tx: &mut Tx<'_>, now: UnixMs) -> Result<Listed<RiskyCustomer>, PapersError> {
    // How many there are beyond would take looking at all of them: so far it is counted.
    let found =
        risks::list(desk, tx, (&crate::store::scope::Scope::Everything, None), "", RISKS_MAX * 10, now)?;
    let risky = |risk: risks::AtRisk| RiskyCustomer {
        customer: risk.customer,
        name: String::new(),
        manager: risk.manager,
        reasons: risk.reasons.iter().map(|reason| (reason.kind.to_owned(), reason.count)).collect(),
        visit_proposed_by: risk.visit.and_then(|visit| visit.proposed_by),
    };
    Ok(Listed::first(found.into_iter().map(risky).collect(), RISKS_MAX))
}

/// What was found changed of earlier months since the month began, as their reports were taken again.
fn late(tx: &mut Tx<'_>, making: Making) -> Result<Listed<LateChange>, PapersError> {
    let (since, _) = making.month.bounds(making.rules.zone);
    let mut changes = Vec::new();
    for back in 1..=MONTHS_BACK {
        let Some(month) = making.month.months_before(back) else { continue };
        for version in made(tx, month.kind().name(), &month.to_string(), VERSIONS_MAX)? {
            if version.made_at < since {
                continue;
            }
            let all: Vec<crate::app::report::history::Change> = serde_json::from_str(&version.changes)
                .map_err(|e| crate::db::DbError::Data(e.to_string()))?;
            changes.extend(all.into_iter().filter(|change| change.group == "total").map(|change| {
                LateChange {
                    month: month.to_string(),
                    figure: change.figure,
                    before: change.before,
                    after: change.after,
                    learnt_at: change.learnt_at,
                }
            }));
        }
    }
    Ok(Listed::first(changes, LATE_MAX))
}
