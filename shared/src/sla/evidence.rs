//! Several agents may watch one line. The owning agent decides; another counts only while the owner's
//! state is unknown. Unknown between two downs stays down: only a known state ends another.

use crate::detector::LineState;

/// What each agent says of the line.
#[derive(Clone, Debug, Default)]
pub struct Vantages {
    /// Agent and state, the one that changed last at the end.
    states: Vec<(String, LineState)>,
    known: Option<LineState>,
}

impl Vantages {
    /// What was said before the first fact, the oldest first.
    pub fn new(before: &[(String, LineState)], owner: &str) -> Self {
        let mut vantages = Self::default();
        for (agent, state) in before {
            vantages.change(agent, *state, owner);
        }
        vantages
    }

    /// Takes in a change; answers the line's new state when it is known and another than before.
    pub fn change(&mut self, agent: &str, state: LineState, owner: &str) -> Option<LineState> {
        self.states.retain(|(name, _)| name != agent);
        self.states.push((agent.to_owned(), state));
        let now = self.effective(owner);
        if now == LineState::Unknown || self.known == Some(now) {
            return None;
        }
        self.known = Some(now);
        self.known
    }

    /// The line's state at the moment, unknown included.
    pub fn effective(&self, owner: &str) -> LineState {
        let known = |own: bool| {
            self.states
                .iter()
                .rev()
                .filter(|(agent, _)| (agent == owner) == own)
                .map(|(_, state)| *state)
                .find(|state| *state != LineState::Unknown)
        };
        known(true).or_else(|| known(false)).unwrap_or(LineState::Unknown)
    }

    /// The last state that was known.
    pub const fn last_known(&self) -> Option<LineState> {
        self.known
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use LineState::{Down, Unknown, Up};

    #[test]
    fn the_owner_decides_and_unknown_ends_nothing() {
        let mut vantages = Vantages::default();
        assert_eq!(vantages.change("own", Up, "own"), Some(Up));
        assert_eq!(vantages.change("other", Down, "own"), None);
        assert_eq!(vantages.change("own", Unknown, "own"), Some(Down), "the other one counts now");
        assert_eq!(vantages.change("other", Unknown, "own"), None);
        assert_eq!(vantages.change("own", Down, "own"), None, "unknown between two downs stays down");
        assert_eq!(vantages.change("own", Up, "own"), Some(Up));
    }
}
