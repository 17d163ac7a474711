//! What becomes of a request.

use crate::harness::Seed;

/// What happens to one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives, and so does its answer.
    Fine,
    /// It never arrives.
    Lost,
    /// It arrives; the answer does not.
    AnswerLost,
    /// It arrives when its sender has long given it up.
    Late,
    /// It arrives, and once more later.
    Twice,
}

/// The state of the network.
#[derive(Clone, Debug, Default)]
pub struct Weather {
    /// Exchanges of a hundred that something happens to.
    pub bad_percent: u64,
}

impl Weather {
    /// Draws an exchange's fate.
    pub const fn fate(&self, seed: &mut Seed) -> Fate {
        if seed.below(100) >= self.bad_percent {
            return Fate::Fine;
        }
        match seed.below(4) {
            0 => Fate::Lost,
            1 => Fate::AnswerLost,
            2 => Fate::Late,
            _ => Fate::Twice,
        }
    }
}
