//! The demo: a small desk with real programs, lines that really can be cut, and the story of one fault.
//!
//! Everything that it makes is inside a private folder, in namespaces with names of its own, or a child
//! process; guards remove all of it, however the story ends.

mod lines;
mod narrator;
mod stage;
mod story;

pub use lines::{LINES, Lines};
pub use narrator::Narrator;
pub use stage::{PASSWORD, Stage, StageOptions, USER};
pub use story::{Measured, play, see_a_cut};

/// The part of every allowance that the demo's limits keep of a real pack's: seconds, not hours.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// `restore_within` of the AAA tier, in seconds. The others get twice and four times as long.
    pub restore_s: u32,
    /// `feedback_every` of every tier, in seconds.
    pub feedback_s: u32,
    /// How long a person may look between two steps, in seconds.
    pub look_s: u32,
}

impl Pace {
    /// Played once.
    pub const ONCE: Self = Self { restore_s: 30, feedback_s: 40, look_s: 0 };
    /// For people who watch.
    pub const WATCH: Self = Self { restore_s: 30, feedback_s: 60, look_s: 6 };
    /// For tests.
    pub const TEST: Self = Self { restore_s: 12, feedback_s: 30, look_s: 0 };

    /// The pack.
    #[must_use]
    pub fn pack(self) -> String {
        let head = "# Sample limits, short enough to be watched.\n\
            [pack]\nname = \"demo\"\nversion = \"1\"\ntime_zone = \"Asia/Shanghai\"\ncalendar = \"24x7\"\n"
            .to_owned();
        let mut text = vec![head];
        let tiers = [
            ("AAA", "金牌", "Gold", 1, 4),
            ("AA", "银牌", "Silver", 2, 6),
            ("standard", "普通", "Standard", 4, 10),
        ];
        for (name, zh, en, times, faults) in tiers {
            text.push(format!(
                "\n[[tier]]\nname = \"{name}\"\nlabel = {{ zh = \"{zh}\", en = \"{en}\" }}\n\
                 restore_within = \"{}s\"\nrepair_within = \"1h\"\nfeedback_every = \"{}s\"\n\
                 callback_within = \"1h\"\nfaults_per_year_below = {faults}\n\
                 interruption_per_year_at_most = \"{}m\"\nvisit_every = \"30d\"\nwarn_at = [0.5, 0.8]\n",
                self.restore_s * times,
                self.feedback_s,
                times * 10,
            ));
        }
        text.concat()
    }
}
