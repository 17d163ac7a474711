//! Lines that hang on one node and go down together: one cause, found from their faults.
//!
//! The faults of a node, in the order of their starts, form a chain while each starts within the pack's time of the
//! one before. Where enough lines were out at one moment the chain has a parent: its first fault. Every fault
//! keeps its own clocks.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::fault::Fault;
use super::interval::Interval;
use crate::time::UnixMs;

/// A fault of the node, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its id.
    pub id: Uuid,
    /// Its line.
    pub line: String,
    /// When it started.
    pub started_at: UnixMs,
    /// Stretches without service.
    pub outage: Vec<Interval>,
}

impl Peer {
    /// A fault in which service was out; none for another.
    #[must_use]
    pub fn of(fault: &Fault) -> Option<Self> {
        let outage = fault.outage.clone();
        (!outage.is_empty()).then(|| Self {
            id: fault.id,
            line: fault.line.clone(),
            started_at: fault.started_at,
            outage,
        })
    }

    fn is_out(&self, at: UnixMs) -> bool {
        self.outage.iter().any(|outage| outage.contains(at))
    }
}

/// Faults of one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The first fault's id: the cause goes by it.
    pub id: Uuid,
    /// The faults, the first one among them, in the order of their starts.
    pub children: Vec<Uuid>,
    /// How many lines they are of.
    pub lines: usize,
}

/// The causes that faults of one node have in common, in the order of their starts.
#[must_use]
pub fn parents(mut peers: Vec<Peer>, within_ms: i64, at_least: u32) -> Vec<Parent> {
    peers.sort_by_key(|peer| (peer.started_at, peer.id));
    peers.dedup_by_key(|peer| peer.id);
    peers
        .chunk_by(|one, next| next.started_at.since(one.started_at) <= within_ms)
        .filter_map(|chain| parent(chain, at_least))
        .collect()
}

fn parent(chain: &[Peer], at_least: u32) -> Option<Parent> {
    // The most lines are out at the start of one of the outages.
    let starts = chain.iter().flat_map(|peer| peer.outage.iter().map(|outage| outage.from));
    let out_together = |at: UnixMs| -> usize {
        chain.iter().filter(|peer| peer.is_out(at)).map(|peer| &peer.line).collect::<BTreeSet<_>>().len()
    };
    let starts: BTreeSet<UnixMs> = starts.collect();
    starts.into_iter().find(|at| out_together(*at) >= at_least.max(2) as usize)?;
    let lines: BTreeSet<&String> = chain.iter().map(|peer| &peer.line).collect();
    Some(Parent {
        id: chain.first()?.id,
        children: chain.iter().map(|peer| peer.id).collect(),
        lines: lines.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(id: u128, line: &str, from: i64, to: i64) -> Peer {
        let outage = vec![Interval { from: UnixMs(from), to: Some(UnixMs(to)) }];
        Peer { id: Uuid::from_u128(id), line: line.to_owned(), started_at: UnixMs(from), outage }
    }

    fn found(peers: &[Peer]) -> Vec<(u128, Vec<u128>)> {
        let ids = |parent: Parent| {
            (parent.id.as_u128(), parent.children.iter().map(Uuid::as_u128).collect::<Vec<_>>())
        };
        parents(peers.to_vec(), 5, 2).into_iter().map(ids).collect()
    }

    #[test]
    fn lines_that_go_down_together_have_one_cause() {
        let peers = [peer(3, "c", 9, 40), peer(1, "a", 0, 30), peer(2, "b", 4, 30), peer(4, "d", 15, 40)];
        assert_eq!(found(&peers), [(1, vec![1, 2, 3])], "each within five of the one before");
        let mut reversed = peers.to_vec();
        reversed.reverse();
        assert_eq!(found(&reversed), found(&peers), "in any order");
    }

    #[test]
    fn one_after_the_other_or_the_same_line_again_is_no_common_cause() {
        assert_eq!(found(&[peer(1, "a", 0, 2), peer(2, "b", 3, 9)]), [], "never out together");
        assert_eq!(found(&[peer(1, "a", 0, 9), peer(2, "a", 3, 9)]), [], "one line");
        assert_eq!(found(&[peer(1, "a", 0, 9), peer(2, "b", 6, 9)]), [], "too far apart");
        assert_eq!(found(&[peer(1, "a", 0, 9)]), []);
    }
}
