//! Whose fault is it: the line's, or the agent's own side?
//!
//! An uplink is one of the agent's interfaces with the gateway behind it. Its anchors (the gateway, and
//! addresses outside) are probed all the time, every 1 to 5 s, so that an answer is at hand when a line
//! loses its probes. [`verdict`] is the table; the rest collects what each witness said about exactly the
//! time of the loss.

use super::config::DetectorConfig;
use super::evidence::{Confirmation, Heard, Moment, Witness};
use super::recent::Recent;
use super::slices::AnswerSlices;
use crate::sample::{NotSentCause, Outcome, Sample};
use crate::time::MonoMs;

/// What an anchor is to the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnchorRole {
    /// The next hop on the agent's own side.
    Gateway,
    /// An address outside that does not depend on the lines.
    Outside,
    /// Another way of asking one line: the far end's router, or another protocol.
    OtherMethod {
        /// The line's target number.
        line: u32,
    },
}

/// How an anchor is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnchorSpec {
    /// What it is.
    pub role: AnchorRole,
    /// Its ordinary interval, 1 to 5 s.
    pub interval_ms: u32,
    /// The interface by which its probes leave.
    pub uplink: u8,
}

/// A target that is probed to be asked about lines.
#[derive(Clone, Debug)]
pub struct Anchor {
    pub target: u32,
    pub spec: AnchorSpec,
    pub fast: bool,
    recent: Recent,
    last_answer: Option<MonoMs>,
    not_sent: Option<MonoMs>,
}

/// A question about one line's loss.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// When its first lost probe was sent.
    pub onset: MonoMs,
    /// From then on an answer means something.
    pub from: MonoMs,
    /// When its newest lost probe was sent: an answer to a later probe may mean that the trouble is over.
    pub to: MonoMs,
    /// Waited long enough.
    pub expired: bool,
}

impl Anchor {
    pub fn new(target: u32, spec: AnchorSpec) -> Self {
        Self { target, spec, fast: false, recent: Recent::EMPTY, last_answer: None, not_sent: None }
    }

    /// Takes a sample of its own.
    pub fn note(&mut self, sample: &Sample) {
        let mono = sample.sent_mono;
        match sample.outcome {
            Outcome::Answered { .. } => {
                self.recent.insert(mono, false);
                self.last_answer = self.last_answer.max(Some(mono));
            }
            Outcome::Lost(_) => {
                self.recent.insert(mono, true);
            }
            Outcome::NotSent(NotSentCause::NoCarrier | NotSentCause::NoRoute) => self.not_sent = Some(mono),
            Outcome::NotSent(_) => {}
        }
    }

    /// Whether it never answers although lines do.
    fn is_mute(&self, uplink: &Uplink, config: &DetectorConfig) -> bool {
        match (self.last_answer, uplink.line_answer) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(own), Some(line)) => line.0 - own.0 > i64::from(config.anchor_memory_ms),
        }
    }

    fn heard(&self, question: &Question, config: &DetectorConfig) -> Heard {
        if self.recent.answered_between(question.from, question.to) {
            return Heard::Answer;
        }
        if self.not_sent.is_some_and(|mono| mono >= question.onset) {
            return Heard::Silent;
        }
        let answered_after = self.last_answer.is_some_and(|mono| mono > question.to);
        let losses = self.recent.lost_since(question.onset);
        if !answered_after && losses >= usize::from(config.anchor_losses) {
            return Heard::Silent;
        }
        if question.expired { Heard::Nobody } else { Heard::Pending }
    }
}

/// One interface of the agent's and what is known about it.
#[derive(Clone, Debug, Default)]
pub struct Uplink {
    /// Its carrier is gone.
    pub carrier_down: bool,
    /// Since when gateway, anchors and lines are silent together.
    pub cut: Option<Moment>,
    /// When the newest answered probe of a line was sent.
    pub line_answer: Option<MonoMs>,
    /// In which slices of time a line behind the gateway answered.
    pub answers: AnswerSlices,
    /// How the lines stood at the last count.
    pub census: Census,
}

/// How many lines could have answered, and how many are losing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Census {
    /// When it was taken.
    pub taken: Option<MonoMs>,
    /// Lines behind the gateway with samples that are not down.
    pub lines: u32,
    /// Those among them whose newest probe was lost.
    pub losing: u32,
}

impl Uplink {
    /// What the other lines say. The asking line is one of the losing.
    fn siblings(&self, question: &Question) -> Heard {
        if self.answers.any_within(question.from, question.to) {
            Heard::Answer
        } else if self.census.lines <= 1 {
            Heard::Nobody
        } else if self.census.losing >= self.census.lines {
            Heard::Silent
        } else if question.expired {
            Heard::Nobody
        } else {
            Heard::Pending
        }
    }

    /// Asks everyone who could know.
    pub fn ask(
        &self,
        anchors: &[Anchor],
        line: u32,
        on_link: bool,
        q: &Question,
        config: &DetectorConfig,
    ) -> Heards {
        let of = |wanted: fn(AnchorRole, u32) -> bool, may_be_mute: bool| {
            let asked = anchors.iter().filter(|a| wanted(a.spec.role, line));
            join(asked.filter(|a| !may_be_mute || !a.is_mute(self, config)).map(|a| a.heard(q, config)))
        };
        let other_method = of(|role, line| role == AnchorRole::OtherMethod { line }, false);
        if on_link {
            return Heards { other_method, ..Heards::NOBODY };
        }
        Heards {
            other_method,
            gateway: of(|role, _| role == AnchorRole::Gateway, true),
            outside: of(|role, _| role == AnchorRole::Outside, true),
            siblings: self.siblings(q),
        }
    }
}

/// Any answer counts; silence only when all are silent.
fn join(all: impl Iterator<Item = Heard>) -> Heard {
    let mut sum = Heard::Nobody;
    for heard in all {
        sum = match (sum, heard) {
            (Heard::Answer, _) | (_, Heard::Answer) => Heard::Answer,
            (Heard::Pending, _) | (_, Heard::Pending) => Heard::Pending,
            (Heard::Silent, _) | (_, Heard::Silent) => Heard::Silent,
            (Heard::Nobody, Heard::Nobody) => Heard::Nobody,
        };
    }
    sum
}

/// What each kind of witness said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heards {
    pub other_method: Heard,
    pub gateway: Heard,
    pub outside: Heard,
    pub siblings: Heard,
}

impl Heards {
    pub const NOBODY: Self = Self {
        other_method: Heard::Nobody,
        gateway: Heard::Nobody,
        outside: Heard::Nobody,
        siblings: Heard::Nobody,
    };

    /// Those who exist, for the evidence.
    pub fn confirmations(self, carrier_down: bool) -> Vec<Confirmation> {
        let carrier = if carrier_down { Heard::Silent } else { Heard::Nobody };
        [
            (Witness::Carrier, carrier),
            (Witness::Gateway, self.gateway),
            (Witness::Outside, self.outside),
            (Witness::OtherMethod, self.other_method),
            (Witness::Siblings, self.siblings),
        ]
        .into_iter()
        .filter(|&(_, heard)| heard != Heard::Nobody)
        .map(|(by, heard)| Confirmation { by, heard })
        .collect()
    }
}

/// Whose trouble it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The line's.
    Line,
    /// The agent's own side: nothing can be said about the line.
    OwnUplink,
    /// Nobody's: the line carries traffic, only this probe is not answered.
    Carries,
    /// Not known yet.
    Wait,
}

/// The table. `cut` is true when carrier or route is gone on the agent's own side.
///
/// | own side cut | other method | gateway or outside | gateway, outside | siblings | verdict |
/// | --- | --- | --- | --- | --- | --- |
/// | yes | | | | | own uplink |
/// | no | answers | | | | carries |
/// | no | | one answers | | | line |
/// | no | | anyone pending | | | wait |
/// | no | | | both silent | | own uplink |
/// | no | | | one silent, the other not there | answer / pending / else | line / wait / own uplink |
/// | no | | | neither there | silent / pending / else | own uplink / wait / line |
pub fn verdict(cut: bool, heard: Heards) -> Verdict {
    use Heard::{Answer, Nobody, Pending, Silent};
    if cut {
        return Verdict::OwnUplink;
    }
    match (heard.other_method, heard.gateway, heard.outside, heard.siblings) {
        (Answer, ..) => Verdict::Carries,
        (_, Answer, _, _) | (_, _, Answer, _) => Verdict::Line,
        (Pending, ..) | (_, Pending, _, _) | (_, _, Pending, _) => Verdict::Wait,
        (_, Silent, Silent, _) => Verdict::OwnUplink,
        (.., Pending) => Verdict::Wait,
        (_, Silent, Nobody, Answer) | (_, Nobody, Silent, Answer) => Verdict::Line,
        (_, Silent, Nobody, _) | (_, Nobody, Silent, _) | (_, Nobody, Nobody, Silent) => Verdict::OwnUplink,
        (_, Nobody, Nobody, _) => Verdict::Line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_for_every_combination() {
        use Heard::{Answer, Nobody, Pending, Silent};
        for gateway in [Answer, Silent, Pending, Nobody] {
            for outside in [Answer, Silent, Pending, Nobody] {
                for siblings in [Answer, Silent, Pending, Nobody] {
                    let heard = Heards { gateway, outside, siblings, other_method: Nobody };
                    assert_eq!(verdict(true, heard), Verdict::OwnUplink);
                    let found = verdict(false, heard);
                    let answered = gateway == Answer || outside == Answer;
                    let silent = [gateway, outside].contains(&Silent);
                    if answered {
                        assert_eq!(found, Verdict::Line, "{heard:?}");
                    } else if found == Verdict::OwnUplink {
                        assert!(silent || siblings == Silent, "blamed on nothing: {heard:?}");
                    } else if found == Verdict::Line {
                        let known = siblings == Answer && !(gateway == Silent && outside == Silent);
                        assert!(known || !silent, "{heard:?}");
                    }
                    let carries = Heards { other_method: Answer, ..heard };
                    assert_eq!(verdict(false, carries), Verdict::Carries);
                }
            }
        }
        assert_eq!(verdict(false, Heards::NOBODY), Verdict::Line);
    }
}
