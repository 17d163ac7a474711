//! The report for programs. Maps are in a fixed order, so that equal figures give equal bytes.

use std::collections::BTreeMap;

use linewatch_shared::rules::Label;
use linewatch_shared::time::UnixMs;
use serde::Serialize;

use crate::app::report::Published;
use crate::app::report::figure::{Figure, Figures, RowKind, Section, Unit};
use crate::app::report::group::Group;
use crate::app::report::history::Version;
use crate::app::report::make::Entry;
use crate::app::report::ratio::Ratio;
use crate::app::report::service::LineAvailability;
use crate::app::report::tally::LineYear;

/// What a figure is, and where its rows are.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FigureView {
    /// Its name.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    /// What it is counted from.
    pub section: Section,
    /// What its rows are.
    pub rows_are: RowKind,
    /// Where they are; add `&group=…&key=…` for those of one group.
    pub rows: String,
}

/// The period in one time zone.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ZoneView {
    /// The zone, of one or more packs.
    pub time_zone: &'static str,
    /// Its first moment.
    pub from: String,
    /// The first moment after it.
    pub to: String,
}

/// The figures of one group.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct GroupView {
    /// The group's key.
    pub key: String,
    /// Its name for people.
    #[schema(value_type = Object)]
    pub label: Label,
    /// Its figures, by name: pieces, points or milliseconds; null where none of it was drawn or checked. Those that are not
    /// counted in this grouping are left out.
    pub figures: BTreeMap<&'static str, Option<i64>>,
    /// Shares in thousandths, `availability_ppm` in millionths, mean points in hundredths, mean times in milliseconds, by name; null where there is nothing to divide by.
    pub ratios: BTreeMap<&'static str, Option<i64>>,
    /// Of a line: its customer's code.
    pub customer: Option<String>,
    /// Of a line: `pack/tier`.
    pub tier: Option<String>,
    /// Of a line: how it stands in its year.
    pub year: Option<LineYear>,
    /// Of a line: how it stands against its promised availability.
    pub availability: Option<LineAvailability>,
}

/// A report.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReportView {
    /// `month`, `quarter` or `year`.
    pub kind: &'static str,
    /// `2026-10`, `2026-Q4` or `2026`.
    pub period: String,
    /// What the period is, by time zone.
    pub zones: Vec<ZoneView>,
    /// Whether it is over; until then figures grow.
    pub complete: bool,
    /// As of when promises are judged.
    pub as_of: String,
    /// What each figure is.
    pub figures: Vec<FigureView>,
    /// The figures of everything, by name; null where nothing was imported, drawn or checked that they could be counted from.
    #[schema(value_type = Object)]
    pub total: Figures,
    /// Shares and mean times of everything.
    pub ratios: BTreeMap<&'static str, Option<i64>>,
    /// What `groups` are: `tier`, `customer`, `manager`, `technician`, `contractor`, `region`, `cause`, `class` or `line`.
    pub group: &'static str,
    /// The figures of each group.
    pub groups: Vec<GroupView>,
    /// SHA-256 of the figures of the whole, by tier and by customer.
    pub sha256: String,
    /// How the figures of a period that is over became what they are, the oldest first; the last version is this one.
    pub versions: Vec<Version>,
}

/// Makes the view of a report with one grouping.
#[must_use]
pub fn view(published: &Published, group: Group) -> ReportView {
    let report = &published.report;
    let (kind, period) = (report.period.kind().name(), report.period.to_string());
    let figure = |figure: &Figure| FigureView {
        name: figure.name(),
        unit: figure.unit(),
        section: figure.section(),
        rows_are: figure.rows(),
        rows: format!("/api/v1/reports/{kind}/{period}/rows?figure={}", figure.name()),
    };
    let zones = report.zones.iter().map(|(zone, span)| ZoneView {
        time_zone: zone,
        from: span.from.to_rfc3339(),
        to: span.to.to_rfc3339(),
    });
    ReportView {
        kind,
        zones: zones.collect(),
        complete: report.complete,
        as_of: UnixMs::to_rfc3339(report.until),
        figures: Figure::ALL.iter().map(figure).collect(),
        total: report.total.clone(),
        ratios: ratios(&report.total, |_| true),
        group: group.name(),
        groups: report.of(group).iter().map(|entry| group_view(group, entry)).collect(),
        sha256: published.sha256.clone(),
        versions: published.versions.clone(),
        period,
    }
}

fn ratios(figures: &Figures, shown: impl Fn(Section) -> bool) -> BTreeMap<&'static str, Option<i64>> {
    let shown = Ratio::ALL.iter().filter(|ratio| shown(ratio.section()));
    shown.map(|ratio| (ratio.name, ratio.rounded(figures))).collect()
}

fn group_view(group: Group, entry: &Entry) -> GroupView {
    let place = entry.place.as_ref();
    let counted = Figure::ALL.iter().filter(|figure| group.has(figure.section()));
    GroupView {
        key: entry.key.clone(),
        label: entry.label.clone(),
        figures: counted.map(|figure| (figure.name(), entry.figures.known(*figure))).collect(),
        ratios: ratios(&entry.figures, |section| group.has(section)),
        customer: place.map(|place| place.customer.clone()),
        tier: place.map(|place| place.tier.clone()),
        year: entry.year,
        availability: entry.availability.clone(),
    }
}
