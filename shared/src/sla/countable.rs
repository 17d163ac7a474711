//! The working time that counts towards the limits of one fault.

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::interval::{Interval, moment_spent, within};
use crate::rules::{Counts, Limit, Pack};
use crate::time::UnixMs;

/// Working time from the start of a fault on, as far as its limits need it. Empty where all of them run round the
/// clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Countable {
    /// Working days.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    days: Vec<Interval>,
    /// Business hours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hours: Vec<Interval>,
    /// Why some of it could not be counted: what is promised in it has no due time then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

impl Countable {
    /// What the fault's limits need, by the calendar of its pack.
    pub(super) fn of(fault: &Fault, pack: &Pack) -> Self {
        let tier = &fault.terms.tier;
        let paused_ms: i64 =
            fault.pauses.iter().map(|pause| pause.span.end(pause.span.from).since(pause.span.from)).sum();
        // The clock may have stood still between two failures, too.
        let stopped_ms = fault.clock.last().map_or(0, |run| run.from.since(fault.started_at).max(0));
        let mut needs = vec![
            (fault.started_at, Some(tier.restore_within()), paused_ms + stopped_ms),
            (fault.started_at, tier.answer_within, 0),
        ];
        needs.extend(fault.repairs.iter().map(|run| (run.from, tier.repair_within(), paused_ms)));
        needs.extend(fault.callbacks.iter().map(|run| (run.from, tier.callback_within(), 0)));
        // In the order of their beginnings, so that what is known already is never later than what is asked for.
        needs.sort_by_key(|(from, ..)| *from);
        let mut all = Self::default();
        for (from, limit, more_ms) in needs {
            all.need(limit, from, more_ms, pack);
        }
        all
    }

    /// Makes sure that so much time is there from a moment on.
    fn need(&mut self, limit: Option<Limit>, from: UnixMs, more_ms: i64, pack: &Pack) {
        let Some(limit) = limit.filter(|limit| limit.counts != Counts::Always) else { return };
        let limit = Limit { ms: limit.ms.saturating_add(more_ms), counts: limit.counts };
        if moment_spent(&self.from(limit.counts, from), limit.ms).is_some() {
            return;
        }
        let list = if limit.counts == Counts::WorkingDays { &mut self.days } else { &mut self.hours };
        match pack.countable(limit, from) {
            Ok(pieces) => {
                let end = list.last().and_then(|last| last.to);
                let beyond =
                    end.map_or_else(|| pieces.clone(), |end| within(&pieces, &[Interval::open(end)]));
                list.extend(beyond);
            }
            Err(reason) => self.missing = Some(reason),
        }
    }

    /// The time that counts from a moment on.
    pub(super) fn from(&self, counts: Counts, at: UnixMs) -> Vec<Interval> {
        let from = [Interval::open(at)];
        match counts {
            Counts::Always => from.to_vec(),
            Counts::WorkingDays => within(&from, &self.days),
            Counts::BusinessHours => within(&from, &self.hours),
        }
    }
}
