//! The kinds of faults, and how often each is played.

use crate::harness::Seed;

/// What befalls a laptop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Its processes are killed in the middle of a change of the disk.
    Kill,
    /// Its power goes in the middle of a change of the disk.
    PowerCut,
    /// Its disk is full.
    DiskFull,
    /// Its disk fails once.
    DiskError,
    /// Its clock is set wrong by years.
    Clock,
    /// Its disk is copied to a second laptop.
    Copy,
    /// An old image of its disk is put back.
    Restore,
    /// The program is newer than its journal, which is full.
    Upgrade,
    /// Its net is away, or cut.
    NetCut,
    /// The server took its records, and the answer is lost.
    AnswerLost,
    /// The server is killed.
    ServerKilled,
}

impl Kind {
    /// Every kind with its share of each 60 points.
    pub const SHARES: [(Self, u64); 11] = [
        (Self::Kill, 13),
        (Self::PowerCut, 18),
        (Self::DiskFull, 6),
        (Self::DiskError, 4),
        (Self::Clock, 4),
        (Self::Copy, 2),
        (Self::Restore, 3),
        (Self::Upgrade, 3),
        (Self::NetCut, 3),
        (Self::AnswerLost, 3),
        (Self::ServerKilled, 1),
    ];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill -9",
            Self::PowerCut => "power cut",
            Self::DiskFull => "disk full",
            Self::DiskError => "disk error",
            Self::Clock => "clock stepped",
            Self::Copy => "disk copied",
            Self::Restore => "old disk restored",
            Self::Upgrade => "upgrade",
            Self::NetCut => "net cut",
            Self::AnswerLost => "answer lost",
            Self::ServerKilled => "server killed",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::SHARES.iter().map(|(kind, _)| *kind).find(|kind| kind.name() == name)
    }

    /// So many kinds, each by its share and at least once, in an order by chance.
    #[must_use]
    pub fn plan(points: u64, chance: &mut Seed) -> Vec<Self> {
        let whole: u64 = Self::SHARES.iter().map(|(_, share)| share).sum();
        let mut plan: Vec<Self> = Self::SHARES
            .iter()
            .flat_map(|(kind, share)| {
                let count = (points * share / whole).max(1);
                std::iter::repeat_n(*kind, usize::try_from(count).unwrap_or(1))
            })
            .collect();
        while (plan.len() as u64) < points {
            plan.push(Self::PowerCut);
        }
        for at in (1..plan.len()).rev() {
            plan.swap(at, chance.below(at as u64 + 1) as usize);
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_has_every_kind_and_the_same_order_for_a_seed() {
        let plan = |points| Kind::plan(points, &mut Seed::of(3));
        assert_eq!(plan(1_000), plan(1_000));
        assert_eq!(plan(1_000).len(), 1_000);
        for (kind, _) in Kind::SHARES {
            assert!(plan(1).contains(&kind) && plan(1_000).contains(&kind), "{kind:?}");
        }
    }
}
