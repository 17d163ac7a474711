//! A timing wheel: which of many places is due at which tick. Insert, remove and pop are constant time.
//!
//! A place is in the wheel at most once. What is due more than one turn of the wheel ahead stays in its slot and
//! is passed over until its turn comes.

const SLOTS: usize = 1_024;
const NONE: u32 = u32::MAX;

/// One tick in milliseconds.
pub const TICK_MS: i64 = 10;

/// The first tick at or after a moment in milliseconds.
pub const fn tick_of(ms: i64) -> i64 {
    ms.div_euclid(TICK_MS) + if ms.rem_euclid(TICK_MS) == 0 { 0 } else { 1 }
}

#[derive(Clone, Copy)]
struct Link {
    prev: u32,
    next: u32,
    due_tick: i64,
    linked: bool,
}

/// See the module's text.
pub struct Wheel {
    heads: Box<[u32]>,
    links: Vec<Link>,
    done_tick: i64,
    len: usize,
}

impl Wheel {
    /// An empty wheel in which everything up to `done_tick` has been popped.
    pub fn new(done_tick: i64) -> Self {
        Self { heads: vec![NONE; SLOTS].into_boxed_slice(), links: Vec::new(), done_tick, len: 0 }
    }

    /// Puts `place` in, or moves it. What is due already comes with the next tick.
    pub fn insert(&mut self, place: u32, due_tick: i64) {
        self.remove(place);
        let index = place as usize;
        if index >= self.links.len() {
            self.links.resize(index + 1, Link { prev: NONE, next: NONE, due_tick: 0, linked: false });
        }
        let due_tick = due_tick.max(self.done_tick + 1);
        let slot = slot_of(due_tick);
        let next = self.heads[slot];
        self.links[index] = Link { prev: NONE, next, due_tick, linked: true };
        if next != NONE {
            self.links[next as usize].prev = place;
        }
        self.heads[slot] = place;
        self.len += 1;
    }

    /// Takes `place` out, if it is in.
    pub fn remove(&mut self, place: u32) {
        let Some(link) = self.links.get_mut(place as usize).filter(|l| l.linked) else { return };
        link.linked = false;
        let Link { prev, next, due_tick, .. } = *link;
        if prev == NONE {
            self.heads[slot_of(due_tick)] = next;
        } else {
            self.links[prev as usize].next = next;
        }
        if next != NONE {
            self.links[next as usize].prev = prev;
        }
        self.len -= 1;
    }

    /// Moves everything due up to `tick` to the end of `due`. After a long gap each slot is looked at once.
    pub fn pop_due(&mut self, tick: i64, due: &mut Vec<u32>) {
        let first = (self.done_tick + 1).max(tick - SLOTS as i64 + 1);
        for t in first..=tick {
            let mut place = self.heads[slot_of(t)];
            while place != NONE {
                let Link { next, due_tick, .. } = self.links[place as usize];
                if due_tick <= tick {
                    self.remove(place);
                    due.push(place);
                }
                place = next;
            }
        }
        self.done_tick = self.done_tick.max(tick);
    }

    /// The next tick at which something may be due. May be early by whole turns of the wheel, never late.
    pub fn next_tick(&self) -> Option<i64> {
        if self.len == 0 {
            return None;
        }
        (self.done_tick + 1..=self.done_tick + SLOTS as i64).find(|t| self.heads[slot_of(*t)] != NONE)
    }
}

fn slot_of(tick: i64) -> usize {
    tick.rem_euclid(SLOTS as i64) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ticks_round_up() {
        assert_eq!([0, 1, 9, 10, 11].map(tick_of), [0, 1, 1, 1, 2]);
    }

    #[test]
    fn what_is_due_comes_once() {
        let mut wheel = Wheel::new(0);
        wheel.insert(3, 5);
        wheel.insert(4, 5 + SLOTS as i64);
        wheel.insert(5, -7);
        let mut due = Vec::new();
        assert_eq!(wheel.next_tick(), Some(1));
        wheel.pop_due(5, &mut due);
        due.sort_unstable();
        assert_eq!(due, [3, 5]);
        wheel.pop_due(5 + SLOTS as i64, &mut due);
        assert_eq!(due, [3, 5, 4]);
        assert_eq!(wheel.next_tick(), None);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u32, i64),
        Remove(u32),
        Pop(i64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0..20_u32, 0..4_000_i64).prop_map(|(p, t)| Step::Insert(p, t)),
            (0..20_u32).prop_map(Step::Remove),
            (0..3_000_i64).prop_map(Step::Pop),
        ];
        proptest::collection::vec(step, 1..60)
    }

    proptest! {
        #[test]
        fn it_does_what_a_sorted_map_does(steps in steps()) {
            let (mut wheel, mut model, mut now) = (Wheel::new(0), BTreeMap::new(), 0);
            for step in steps {
                match step {
                    Step::Insert(place, ahead) => {
                        wheel.insert(place, now + ahead);
                        model.insert(place, (now + ahead).max(now + 1));
                    }
                    Step::Remove(place) => {
                        wheel.remove(place);
                        model.remove(&place);
                    }
                    Step::Pop(ahead) => {
                        now += ahead;
                        let mut due = Vec::new();
                        wheel.pop_due(now, &mut due);
                        due.sort_unstable();
                        let want: Vec<u32> = model.iter().filter(|(_, t)| **t <= now).map(|(p, _)| *p).collect();
                        model.retain(|_, t| *t > now);
                        prop_assert_eq!(due, want);
                    }
                }
                let soonest = model.values().min().copied();
                prop_assert_eq!(wheel.next_tick().is_some(), soonest.is_some());
                prop_assert!(wheel.next_tick() <= soonest || soonest.is_none());
            }
        }
    }
}
