//! How fast to probe: those in doubt and those who are asked about them faster than usual.

use super::engine::{Detector, Slot, WAIT_EVERY_MS};
use super::evidence::{Effect, Moment};
use super::uplink::AnchorRole;
use crate::time::MonoMs;

impl Detector {
    /// Says again which targets are to be probed faster than usual; for a prober that was set up anew.
    pub fn repeat_intervals(&self, out: &mut Vec<Effect>) {
        let lines = self.lines.iter().filter(|l| l.fast).map(|l| (l.target, l.spec.interval_ms));
        let anchors = self.anchors.iter().filter(|a| a.fast).map(|a| (a.target, a.spec.interval_ms));
        out.extend(lines.chain(anchors).map(|(target, own)| Effect::SetInterval {
            target,
            interval_ms: self.config.fast_interval_ms(own),
        }));
    }

    /// Starts waiting for confirmation of a line's loss.
    pub(super) fn wait(&mut self, index: usize, now: Moment, out: &mut Vec<Effect>) {
        let deadline = MonoMs(now.mono.0 + i64::from(self.config.confirm_timeout_ms));
        if !self.lines[index].wait_until(deadline) {
            return;
        }
        if self.waiting.len() > 2 * self.lines.len() {
            self.drop_settled();
        }
        self.waiting.push(self.lines[index].target);
        self.next_look = self.next_look.min(MonoMs(now.mono.0 + WAIT_EVERY_MS));
        self.pace_anchors(out);
    }

    pub(super) fn drop_settled(&mut self) {
        let (slots, lines) = (&self.slots, &self.lines);
        self.waiting.retain(|&target| match slots.get(target as usize) {
            Some(&Slot::Line(index)) => lines[index as usize].waits_until().is_some(),
            _ => false,
        });
        self.waiting.sort_unstable();
        self.waiting.dedup();
    }

    /// Asks for faster probing of a line in doubt, and for its own interval after it.
    pub(super) fn pace(&mut self, index: usize, out: &mut Vec<Effect>) {
        let line = &mut self.lines[index];
        let wants = line.wants_fast(&self.config);
        if wants == line.fast || (wants && self.fast_lines >= self.config.fast_lines) {
            return;
        }
        line.fast = wants;
        let own = line.spec.interval_ms;
        let interval_ms = if wants { self.config.fast_interval_ms(own) } else { own };
        self.fast_lines = if wants { self.fast_lines + 1 } else { self.fast_lines - 1 };
        out.push(Effect::SetInterval { target: line.target, interval_ms });
    }

    /// Asks for faster probing of those who are waited for.
    pub(super) fn pace_anchors(&mut self, out: &mut Vec<Effect>) {
        for at in 0..self.anchors.len() {
            let wants = match self.anchors[at].spec.role {
                AnchorRole::Gateway | AnchorRole::Outside => !self.waiting.is_empty(),
                AnchorRole::OtherMethod { line } => match self.slot(line) {
                    Slot::Line(index) => self.lines[index as usize].waits_until().is_some(),
                    _ => false,
                },
            };
            let anchor = &mut self.anchors[at];
            if wants != anchor.fast {
                anchor.fast = wants;
                let own = anchor.spec.interval_ms;
                let interval_ms = if wants { self.config.fast_interval_ms(own) } else { own };
                out.push(Effect::SetInterval { target: anchor.target, interval_ms });
            }
        }
    }
}
