//! The reactor without sockets and without a clock: whose turn it is, what an answer means, what is lost.
//!
//! Samples of one target come out in the order in which its probes were sent.

use std::collections::HashMap;

use linewatch_shared::sample::{Late, LossCause, NotSentCause, Outcome, Sample};
use linewatch_shared::time::{MonoMs, UnixMs};

use super::cookie::{Cookie, Seal};
use super::moment::{Answer, NS_PER_MS, Now, Request};
use super::outstanding::{NONE, Outstanding, Probe};
use super::target::Place;
use crate::probe::stats::Counts;
use crate::probe::wheel::{TICK_MS, Wheel, tick_of};

const NS_PER_US: i64 = 1_000;
/// Most turns of one target that are told as overrun after a gap; the rest are only counted.
const MAX_OVERRUNS_TOLD: i64 = 8;
const SEQ_COUNT: usize = 1 << 16;
/// Oldest probe to which an answer is still late rather than unknown: well under the wrap of its 32-bit stamp.
const MAX_LATE_US: u32 = 600_000_000;

/// See the module's text.
pub struct Core {
    pub samples: Vec<Sample>,
    pub late: Vec<Late>,
    pub counts: Counts,
    pub(super) places: Vec<Place>,
    pub(super) by_id: HashMap<u32, u32>,
    pub(super) free_places: Vec<u32>,
    pub(super) turns: Wheel,
    pub(super) outstanding: Outstanding,
    seal: Seal,
    seq: u16,
    /// The probe that used a sequence number last: only a hint, for errors that quote no cookie.
    by_seq: Box<[u32]>,
    scratch: Vec<u32>,
    expired: Vec<u32>,
}

impl Core {
    pub fn new(now: Now) -> Self {
        let done_tick = now.mono_ms() / TICK_MS;
        Self {
            samples: Vec::new(),
            late: Vec::new(),
            counts: Counts::default(),
            places: Vec::new(),
            by_id: HashMap::new(),
            free_places: Vec::new(),
            turns: Wheel::new(done_tick),
            outstanding: Outstanding::new(done_tick),
            seal: Seal::new(),
            seq: 0,
            by_seq: vec![NONE; SEQ_COUNT].into_boxed_slice(),
            scratch: Vec::new(),
            expired: Vec::new(),
        }
    }

    /// Appends the places whose turn has come, those of one socket side by side. Turns missed by more than an
    /// interval are told as overrun.
    pub fn collect_due(&mut self, now: Now, due: &mut Vec<u32>) {
        let now_ms = now.mono_ms();
        self.turns.pop_due(now_ms / TICK_MS, due);
        for slot in due.iter().copied() {
            self.tell_missed(slot, now);
            let place = &mut self.places[slot as usize];
            let due_ms = place.due_ms;
            place.due_ms = place.turns.after(due_ms.max(now_ms));
            self.turns.insert(slot, tick_of(place.due_ms));
            self.counts.lateness.add(now.mono_ns - tick_of(due_ms) * TICK_MS * NS_PER_MS, now_ms);
        }
        let places = &self.places;
        due.sort_unstable_by_key(|slot| {
            let config = &places[*slot as usize].config;
            (config.ip.is_some_and(|ip| ip.is_ipv6()), config.options.df)
        });
    }

    /// Makes the request of a place whose turn it is. What cannot become a request is told as not sent.
    pub fn request(&mut self, slot: u32, now: Now) -> Option<Request> {
        let place = self.places.get_mut(slot as usize).filter(|p| p.live)?;
        let counter = place.next_counter();
        let at = (now.mono_ns, now.wall_ns / NS_PER_MS);
        let Some(index) = self.outstanding.add(&mut place.untold, slot, counter, at) else {
            self.tell_unrecorded(slot, now.mono_ms(), now, NotSentCause::Overrun);
            return None;
        };
        let Some(to) = place.config.ip else {
            self.resolve(index, slot, Outcome::NotSent(NotSentCause::NoRoute));
            return None;
        };
        let cookie = Cookie {
            slot,
            counter,
            index,
            sent_mono_us: (now.mono_ns / NS_PER_US) as u32,
            sent_at_ms: now.wall_ns / NS_PER_MS,
        };
        self.seq = self.seq.wrapping_add(1);
        self.by_seq[usize::from(self.seq)] = index;
        let options = place.config.options;
        Some(Request {
            to,
            ttl: options.ttl,
            dscp: options.dscp,
            df: options.df,
            pad_bytes: place.pad_bytes(),
            seq: self.seq,
            cookie: self.seal.write(&cookie),
            sent: Err(NotSentCause::Refused),
            index,
        })
    }

    /// Takes note of what became of a request at the network.
    pub fn sent(&mut self, request: &Request, now: Now) {
        let Some(slot) = self.outstanding.probe(request.index).map(|p| p.slot) else { return };
        match request.sent {
            Ok(sent_mono_ns) => {
                let timeout_ns = i64::from(self.places[slot as usize].config.timeout_ms) * NS_PER_MS;
                let deadline_tick = tick_of((sent_mono_ns + timeout_ns) / NS_PER_MS + 1);
                let sent_at_ms = now.wall_ms_at(sent_mono_ns / NS_PER_MS);
                self.outstanding.sent(request.index, sent_mono_ns, sent_at_ms, deadline_tick);
                self.counts.sent += 1;
            }
            Err(cause) => self.resolve(request.index, slot, Outcome::NotSent(cause)),
        }
    }

    /// Judges something that came back.
    pub fn answer(&mut self, answer: &Answer<'_>, now: Now) {
        let Some(cookie) = self.cookie_of(answer) else {
            self.counts.foreign += 1;
            return;
        };
        let place = &mut self.places[cookie.slot as usize];
        if let Some(probe) = self.outstanding.find(cookie.index, cookie.slot, cookie.counter).copied()
            && probe.outcome.is_none()
        {
            let rtt_us = rtt_us(answer.rx_mono_ns, probe.sent_mono_ns, now.mono_ns);
            self.first_answer(answer, &probe, cookie, rtt_us);
        } else if answer.reply && place.take_lost(cookie.counter) {
            let rtt_us = ((answer.rx_mono_ns / NS_PER_US) as u32).wrapping_sub(cookie.sent_mono_us);
            if rtt_us <= MAX_LATE_US {
                self.tell_late(&cookie, rtt_us);
            }
        } else {
            self.counts.duplicates += 1;
        }
    }

    /// Counts as lost whatever was not answered in time. `gap_ms` is for how long the reactor could not look:
    /// what it sent before a gap longer than the timeout (the machine slept) says nothing about the line.
    pub fn expire(&mut self, now: Now, gap_ms: i64) {
        let mut expired = std::mem::take(&mut self.expired);
        self.outstanding.expire(now.mono_ms() / TICK_MS, &mut self.scratch, &mut expired);
        for index in expired.drain(..) {
            let Some((slot, counter)) = self.outstanding.probe(index).map(|p| (p.slot, p.counter)) else {
                continue;
            };
            let place = &mut self.places[slot as usize];
            if gap_ms > i64::from(place.config.timeout_ms) {
                self.resolve(index, slot, Outcome::NotSent(NotSentCause::Overrun));
            } else {
                place.mark_lost(counter);
                self.resolve(index, slot, Outcome::Lost(LossCause::Timeout));
            }
        }
        self.expired = expired;
    }

    /// The moment (monotonic milliseconds) at which there may be something to do.
    pub fn next_wake_ms(&self) -> Option<i64> {
        let ticks = [self.turns.next_tick(), self.outstanding.next_tick()];
        ticks.into_iter().flatten().min().map(|tick| tick * TICK_MS)
    }

    fn first_answer(&mut self, answer: &Answer<'_>, probe: &Probe, cookie: Cookie, rtt_us: u32) {
        let place = &mut self.places[cookie.slot as usize];
        let timeout_us = u64::from(place.config.timeout_ms) * 1_000;
        if !answer.reply {
            place.mark_lost(probe.counter);
            self.resolve(cookie.index, probe.slot, Outcome::Lost(LossCause::Unreachable));
        } else if u64::from(rtt_us) > timeout_us {
            self.resolve(cookie.index, probe.slot, Outcome::Lost(LossCause::Timeout));
            self.tell_late(&cookie, rtt_us);
        } else {
            self.counts.received += 1;
            self.resolve(cookie.index, probe.slot, Outcome::Answered { rtt_us });
        }
    }

    /// The cookie of an answer that is ours and from whom it should be.
    fn cookie_of(&self, answer: &Answer<'_>) -> Option<Cookie> {
        let cookie = match self.seal.open(answer.payload) {
            Some(cookie) => cookie,
            None if answer.reply => return None,
            None => self.guess(answer.seq?)?,
        };
        let place = self.places.get(cookie.slot as usize).filter(|p| p.live)?;
        let known = self.counter_is_known(place, &cookie);
        (known && answer.peer.is_none_or(|peer| place.config.ip == Some(peer))).then_some(cookie)
    }

    fn counter_is_known(&self, place: &Place, cookie: &Cookie) -> bool {
        place.age(cookie.counter).is_some()
            || self.outstanding.find(cookie.index, cookie.slot, cookie.counter).is_some()
    }

    /// Which probe an error is about that quotes nothing but a sequence number.
    fn guess(&self, seq: u16) -> Option<Cookie> {
        let index = self.by_seq[usize::from(seq)];
        let probe = self.outstanding.probe(index)?;
        let sent_mono_us = (probe.sent_mono_ns / NS_PER_US) as u32;
        Some(Cookie {
            slot: probe.slot,
            counter: probe.counter,
            index,
            sent_mono_us,
            sent_at_ms: probe.sent_at_ms,
        })
    }

    fn tell_missed(&mut self, slot: u32, now: Now) {
        let place = &self.places[slot as usize];
        let (due_ms, interval_ms) = (place.due_ms, place.turns.interval_ms());
        let missed = place.turns.missed(due_ms, now.mono_ms());
        self.counts.count_overruns((missed - MAX_OVERRUNS_TOLD).max(0));
        for turn in 0..missed.min(MAX_OVERRUNS_TOLD) {
            let at_ms = due_ms + turn * interval_ms;
            let place = &mut self.places[slot as usize];
            let counter = place.next_counter();
            let at = (at_ms * NS_PER_MS, now.wall_ms_at(at_ms));
            match self.outstanding.add(&mut place.untold, slot, counter, at) {
                Some(index) => self.resolve(index, slot, Outcome::NotSent(NotSentCause::Overrun)),
                None => self.tell_unrecorded(slot, at_ms, now, NotSentCause::Overrun),
            }
        }
    }

    fn resolve(&mut self, index: u32, slot: u32, outcome: Outcome) {
        let (samples, counts) = (&mut self.samples, &mut self.counts);
        let place = &mut self.places[slot as usize];
        let target = place.config.id;
        self.outstanding.resolve(&mut place.untold, index, outcome, |probe| {
            let Some(outcome) = probe.outcome else { return };
            counts.count(outcome);
            samples.push(Sample {
                target,
                sent_at: UnixMs(probe.sent_at_ms),
                sent_mono: MonoMs(probe.sent_mono_ns / NS_PER_MS),
                outcome,
            });
        });
    }

    fn tell_unrecorded(&mut self, slot: u32, mono_ms: i64, now: Now, cause: NotSentCause) {
        let outcome = Outcome::NotSent(cause);
        self.counts.count(outcome);
        let target = self.places[slot as usize].config.id;
        let sent_at = UnixMs(now.wall_ms_at(mono_ms));
        self.samples.push(Sample { target, sent_at, sent_mono: MonoMs(mono_ms), outcome });
    }

    fn tell_late(&mut self, cookie: &Cookie, rtt_us: u32) {
        self.counts.late += 1;
        let target = self.places[cookie.slot as usize].config.id;
        self.late.push(Late { target, sent_at: UnixMs(cookie.sent_at_ms), rtt_us });
    }
}

/// Round trip from the kernel's stamp. A step of the wall clock between stamp and reading would make it negative
/// or longer than the time since sending: then that time, an upper bound, stands in for it.
fn rtt_us(rx_mono_ns: i64, sent_mono_ns: i64, now_mono_ns: i64) -> u32 {
    let most_ns = (now_mono_ns - sent_mono_ns).max(NS_PER_US);
    let rtt_ns = rx_mono_ns - sent_mono_ns;
    let rtt_ns = if (0..=most_ns).contains(&rtt_ns) { rtt_ns } else { most_ns };
    u32::try_from((rtt_ns / NS_PER_US).max(1)).unwrap_or(u32::MAX)
}
