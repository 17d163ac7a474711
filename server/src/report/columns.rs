//! The columns of a grouping's table on paper: fewer than there are figures, with headings of their own.

use super::assessment::points_text;
use super::page::{Align, BLACK, Ink, MARGIN, RED, WIDTH};
use super::table::{Cell, clock_text, share_text, time_share_text};
use super::words::{Lang, Words, one};
use crate::app::report::figure::{Figure, Figures};
use crate::app::report::group::Group;
use crate::app::report::ratio::Ratio;

/// The room between the margins.
pub(super) const INNER: f32 = WIDTH - 2.0 * MARGIN;
/// The width of a group's name.
const NAME_WIDTH: f32 = 150.0;

/// A table's columns: heading, width, alignment.
pub(super) type Layout = Vec<(String, f32, Align)>;

/// A column of a grouping's table: its short heading, a line for each line of it, and what it shows.
struct Column {
    heading: Words,
    value: fn(&Figures) -> Cell,
    /// Anything but nothing is bad.
    bad: bool,
}

const fn column(heading: Words, value: fn(&Figures) -> Cell, bad: bool) -> Column {
    Column { heading, value, bad }
}

/// The columns of what is counted by class.
const CLASS_COLUMNS: [Column; 11] = [
    column(("受理", "Opened"), |f| Cell::Count(f.get(Figure::Matters)), false),
    column(("答复\n及时率", "Answered\nin time"), |f| rate(f, 6), false),
    column(("答复\n超时", "Answers\nmissed"), |f| Cell::Count(f.get(Figure::MatterAnswerMissed)), true),
    column(("办结\n及时率", "Resolved\nin time"), |f| rate(f, 7), false),
    column(("办结\n超时", "Resolve\nmissed"), |f| Cell::Count(f.get(Figure::ResolutionMissed)), true),
    column(("告知\n超时", "Progress\nnot told"), |f| Cell::Count(f.get(Figure::ProgressMissed)), true),
    column(("走访\n及时率", "Visits\nin time"), |f| rate(f, 8), false),
    column(("走访\n超时", "Visits\nmissed"), |f| Cell::Count(f.get(Figure::VisitMissed)), true),
    column(("巡检\n及时率", "Patrols\nin time"), |f| rate(f, 9), false),
    column(("巡检\n超时", "Patrols\nmissed"), |f| Cell::Count(f.get(Figure::PatrolMissed)), true),
    column(("超时\n合计", "Missed\nin all"), |f| Cell::Count(f.get(Figure::MattersMissed)), true),
];

/// The columns of every other grouping.
const COLUMNS: [Column; 15] = [
    column(("故障数", "Faults"), |f| Cell::Count(f.get(Figure::Faults)), false),
    column(("恢复\n及时率", "Restored\nin time"), |f| rate(f, 0), false),
    column(("恢复\n超时", "Restore\nmissed"), |f| Cell::Count(f.get(Figure::RestorationMissed)), true),
    column(("平均恢复\n（净）", "Mean time\nto restore"), |f| rate(f, 5), false),
    column(("平均首次\n响应", "Mean first\nanswer"), |f| rate(f, 4), false),
    column(("反馈\n及时率", "Feedback\nkept"), |f| rate(f, 1), false),
    column(("反馈\n超时", "Feedback\nmissed"), |f| Cell::Count(f.get(Figure::FeedbackMissed)), true),
    column(("修复\n及时率", "Repairs\nin time"), |f| rate(f, 2), false),
    column(("回访\n满意率", "Callbacks\nsatisfied"), |f| rate(f, 3), false),
    column(("中断\n时长", "Inter-\nruption"), |f| Cell::Span(f.get(Figure::InterruptionMs)), false),
    column(("可用率", "Availa-\nbility"), |f| rate(f, 10), false),
    column(("重复\n临限", "Repeat\nnear"), |f| Cell::Count(f.get(Figure::RepeatNear)), false),
    column(("重复\n达限", "Repeat\nreached"), |f| Cell::Count(f.get(Figure::RepeatReached)), true),
    column(("中断\n超限", "Interr.\nover"), |f| Cell::Count(f.get(Figure::InterruptionOver)), true),
    column(("豁免", "Exempt"), |f| Cell::Count(f.get(Figure::Exempted)), false),
];

/// A ratio by its place in [`Ratio::ALL`].
pub(super) fn rate(figures: &Figures, ratio: usize) -> Cell {
    let Some(ratio) = Ratio::ALL.get(ratio) else { return Cell::Empty };
    Cell::ratio(ratio, figures)
}

/// A cell for people.
pub(super) fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Empty => "–".to_owned(),
        Cell::Text(text) => text.clone(),
        Cell::Count(count) => count.to_string(),
        Cell::Share(permille) => share_text(*permille),
        Cell::TimeShare(ppm) => time_share_text(*ppm),
        Cell::Points(centi) => points_text(*centi),
        Cell::Span(ms) => clock_text(*ms),
    }
}

const fn columns_of(group: Group) -> &'static [Column] {
    if matches!(group, Group::Class) { &CLASS_COLUMNS } else { &COLUMNS }
}

/// The columns of a grouping's table, after that of the group.
pub(super) fn figure_layout(group: Group, lang: Lang) -> Layout {
    let columns = columns_of(group);
    let width = (INNER - NAME_WIDTH) / columns.len() as f32;
    let mut layout: Layout = vec![(lang.pick(one(group)).to_owned(), NAME_WIDTH, Align::Left)];
    layout.extend(columns.iter().map(|c| (lang.pick(c.heading).to_owned(), width, Align::Right)));
    layout
}

/// A group's row.
pub(super) fn figure_cells(group: Group, name: String, figures: &Figures) -> Vec<(String, Ink)> {
    let mut cells = vec![(name, BLACK)];
    cells.extend(columns_of(group).iter().map(|column| {
        let cell = (column.value)(figures);
        let bad = column.bad && cell != Cell::Count(0);
        (shown(&cell), if bad { RED } else { BLACK })
    }));
    cells
}

// The page is wide enough for a name and every column.
const _: () = assert!(INNER - NAME_WIDTH > COLUMNS.len() as f32 * 40.0);
