//! Which targets the reactor has, and how that changes while it runs.

use std::collections::HashSet;
use std::net::IpAddr;

use super::core::Core;
use super::moment::Now;
use super::outstanding::Untold;
use super::target::{IcmpTarget, Place};
use crate::probe::schedule::Turns;
use crate::probe::wheel::tick_of;

impl Core {
    /// Makes `targets` the whole set. Targets that stay as they are keep their turns and their probes under way.
    pub fn set_targets(&mut self, mut targets: Vec<IcmpTarget>, now: Now) {
        // Those whose turns come together get places side by side: fewer cache misses at each tick.
        let now_ms = now.mono_ms();
        targets.sort_by_cached_key(|t| Turns::new(t.interval_ms, t.phase_key).after(now_ms));
        let wanted: HashSet<u32> = targets.iter().map(|t| t.id).collect();
        let gone: Vec<u32> = self.by_id.keys().copied().filter(|id| !wanted.contains(id)).collect();
        for id in gone {
            self.remove(id);
        }
        for target in targets {
            if self.place_of(target.id).is_some_and(|place| place.stays(&target)) {
                self.set_interval(target.id, target.interval_ms, now);
            } else {
                self.remove(target.id);
                self.insert(target, now);
            }
        }
    }

    /// Changes one target's pace; an unknown target is left unknown.
    pub fn set_interval(&mut self, id: u32, interval_ms: u32, now: Now) {
        let Some(slot) = self.by_id.get(&id).copied() else { return };
        let place = &mut self.places[slot as usize];
        if place.config.interval_ms != interval_ms {
            place.set_interval(interval_ms, now.mono_ms());
            self.turns.insert(slot, tick_of(place.due_ms));
        }
    }

    /// Says where a named target is now. Probes under way to another address are forgotten.
    pub fn set_address(&mut self, id: u32, ip: IpAddr) {
        let Some(slot) = self.by_id.get(&id).copied() else { return };
        let place = &mut self.places[slot as usize];
        if place.config.ip != Some(ip) {
            self.outstanding.forget(&mut place.untold);
            place.first_counter = place.counter;
            place.config.ip = Some(ip);
        }
    }

    pub fn target_count(&self) -> usize {
        self.by_id.len()
    }

    fn place_of(&self, id: u32) -> Option<&Place> {
        self.by_id.get(&id).map(|slot| &self.places[*slot as usize])
    }

    fn insert(&mut self, target: IcmpTarget, now: Now) {
        let id = target.id;
        let slot = if let Some(slot) = self.free_places.pop() {
            let counter = self.places[slot as usize].counter;
            self.places[slot as usize] = Place::new(target, counter, now.mono_ms());
            slot
        } else {
            self.places.push(Place::new(target, 0, now.mono_ms()));
            self.places.len() as u32 - 1
        };
        self.by_id.insert(id, slot);
        self.turns.insert(slot, tick_of(self.places[slot as usize].due_ms));
    }

    fn remove(&mut self, id: u32) {
        let Some(slot) = self.by_id.remove(&id) else { return };
        let place = &mut self.places[slot as usize];
        self.outstanding.forget(&mut place.untold);
        place.live = false;
        place.untold = Untold::EMPTY;
        self.turns.remove(slot);
        self.free_places.push(slot);
    }
}
