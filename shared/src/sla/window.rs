//! Planned work: inside an announced window no fault is opened; what overruns its end opens one there.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::fact::{Event, Fact};
use super::service::Opening;
use crate::detector::LineState;
use crate::time::UnixMs;

/// The most windows that are joined into one stretch of work.
const JOINED_MAX: usize = 1_000;

/// A window of planned work on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its id.
    pub id: Uuid,
    /// When the work begins.
    pub from: UnixMs,
    /// When it ends: the first moment after it.
    pub to: UnixMs,
    /// When it was applied for in writing.
    pub applied_at: UnixMs,
    /// When the customers were told; none while they were not.
    pub announced_at: Option<UnixMs>,
}

impl Window {
    /// Why it exempts nothing, where it does not: unannounced work is a fault like any other.
    #[must_use]
    pub fn refusal(&self, notice_ms: i64) -> Option<&'static str> {
        match self.announced_at {
            _ if self.applied_at + notice_ms > self.from => Some("it was applied for too late"),
            None => Some("it was not announced to the customers"),
            Some(at) if at > self.from => Some("it was announced after its start"),
            Some(_) => None,
        }
    }

    fn contains(&self, at: UnixMs) -> bool {
        self.from <= at && at < self.to
    }
}

/// When the work that is under way at the moment ends; `windows` are those that exempt.
pub(super) fn end_of_work(windows: &[Window], at: UnixMs) -> Option<UnixMs> {
    let longest =
        |at: UnixMs| windows.iter().filter(|window| window.contains(at)).map(|window| window.to).max();
    let mut end = longest(at)?;
    for _ in 0..JOINED_MAX {
        match longest(end) {
            Some(later) => end = later,
            None => break,
        }
    }
    Some(end)
}

/// When the work began that is under way at the moment, or ends then.
pub(super) fn start_of_work(windows: &[Window], at: UnixMs) -> Option<UnixMs> {
    let reaching = |at: UnixMs| windows.iter().filter(move |window| window.from < at && at <= window.to);
    let under_way = windows.iter().filter(|window| window.contains(at)).map(|window| window.from).min();
    let mut start = under_way.or_else(|| reaching(at).map(|window| window.from).min())?;
    for _ in 0..JOINED_MAX {
        match reaching(start).map(|window| window.from).min() {
            Some(earlier) => start = earlier,
            None => break,
        }
    }
    Some(start)
}

/// Opening facts that fell into planned work.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// When the work ends.
    pub until: UnixMs,
    /// The facts, in fold order.
    pub facts: Vec<(Fact, Opening)>,
}

impl Held {
    /// Whether a fact comes after the work: what ends trouble at the very end of it overruns nothing.
    pub fn is_over(&self, fact: &Fact) -> bool {
        let ends = matches!(&fact.event, Event::Evidence { state: LineState::Up, .. });
        fact.occurred_at > self.until || (fact.occurred_at == self.until && !ends)
    }

    /// What overruns the work, as far as evidence says: nothing where the line is up.
    pub fn overrun(&self, line: LineState) -> Option<Opening> {
        match line {
            LineState::Up => None,
            LineState::Down => Some(Opening::Down),
            LineState::Degraded => Some(Opening::Degraded),
            LineState::Unknown => self.facts.first().map(|(_, opening)| *opening),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from: i64, to: i64) -> Window {
        let (from, to) = (UnixMs(from), UnixMs(to));
        Window { id: Uuid::nil(), from, to, applied_at: UnixMs(0), announced_at: Some(UnixMs(0)) }
    }

    #[test]
    fn windows_without_a_gap_are_one_stretch_of_work() {
        let windows = [window(10, 20), window(20, 30), window(25, 40), window(50, 60)];
        for (at, start, end) in [
            (9, None, None),
            (10, Some(10), Some(40)),
            (20, Some(10), Some(40)),
            (39, Some(10), Some(40)),
            (40, Some(10), None),
            (41, None, None),
            (55, Some(50), Some(60)),
        ] {
            assert_eq!(start_of_work(&windows, UnixMs(at)), start.map(UnixMs), "{at}");
            assert_eq!(end_of_work(&windows, UnixMs(at)), end.map(UnixMs), "{at}");
        }
    }
}
