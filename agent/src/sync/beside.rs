//! What is said beside the lanes to a server that understands it: open work is asked for now and then; parts of reports
//! follow when everything else has gone. Pure, like [`super::plan`].

use linewatch_shared::facts::CHUNK_BYTES_MAX;
use linewatch_shared::time::{MINUTE_MS, MonoMs, SECOND_MS};

/// Time between two looks at open work.
pub const WORK_MS: i64 = MINUTE_MS;
/// A part whose report the server does not know is asked for again after this.
const UNKNOWN_MS: i64 = MINUTE_MS;
/// What a chunk is to begin with, in bytes.
const CHUNK_BYTES: usize = 16 << 10;
/// The least that a chunk is.
const CHUNK_BYTES_MIN: usize = 4 << 10;
/// A chunk that took longer makes the next ones smaller: what a cut takes away has to be sent again.
const SLOW_MS: i64 = 4 * SECOND_MS;
/// One that was quicker makes them larger.
const QUICK_MS: i64 = SECOND_MS;

/// What to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Ask for the open work.
    Work,
    /// Ask how much of the parts the server has.
    Ask,
    /// Send a chunk of at most so many bytes.
    Chunk(usize),
}

/// Where this stands.
#[derive(Clone, Copy, Debug)]
pub struct Besides {
    level: u16,
    work_at: MonoMs,
    /// Whether it is known in this conversation how much of the parts the server has.
    asked: bool,
    /// Not before this, where the server knew none of them.
    parts_at: MonoMs,
    chunk_bytes: usize,
}

impl Default for Besides {
    /// Before the first conversation.
    fn default() -> Self {
        Self { level: 0, work_at: MonoMs(0), asked: false, parts_at: MonoMs(0), chunk_bytes: CHUNK_BYTES }
    }
}

impl Besides {
    /// A conversation begins.
    pub const fn on_hello(&mut self, now: MonoMs, level: u16) {
        *self = Self { level, work_at: now, asked: false, parts_at: now, chunk_bytes: self.chunk_bytes };
    }

    /// Whether the server takes parts of reports.
    #[must_use]
    pub const fn knows_parts(&self) -> bool {
        self.level >= 1
    }

    /// Whether the open work is to be asked for.
    #[must_use]
    pub const fn is_work_due(&self, now: MonoMs) -> bool {
        self.level >= 1 && now.0 >= self.work_at.0
    }

    /// What is to be said of parts, while some are left.
    #[must_use]
    pub const fn of_parts(&self, now: MonoMs) -> Option<Beside> {
        if self.level < 1 || now.0 < self.parts_at.0 {
            return None;
        }
        Some(if self.asked { Beside::Chunk(self.chunk_bytes) } else { Beside::Ask })
    }

    /// The next moment at which there is something to say.
    #[must_use]
    pub fn next_at(&self, parts_left: bool) -> Option<MonoMs> {
        (self.level >= 1).then(|| if parts_left { self.work_at.min(self.parts_at) } else { self.work_at })
    }

    /// The open work was told, or could not be.
    pub const fn on_work(&mut self, now: MonoMs) {
        self.work_at = MonoMs(now.0 + WORK_MS);
    }

    /// Somebody wants to see the open work now.
    pub const fn wish_work(&mut self, now: MonoMs) {
        self.work_at = now;
    }

    /// It is known how much the server has; `any_known`: whether it wants any of them.
    pub const fn on_asked(&mut self, now: MonoMs, any_known: bool) {
        self.asked = any_known;
        if !any_known {
            self.parts_at = MonoMs(now.0 + UNKNOWN_MS);
        }
    }

    /// What the server has of a part turned out to be another than was thought.
    pub const fn on_surprise(&mut self) {
        self.asked = false;
    }

    /// A chunk was taken after `took_ms`.
    pub fn on_chunk(&mut self, took_ms: i64) {
        if took_ms > SLOW_MS {
            self.chunk_bytes = (self.chunk_bytes / 2).max(CHUNK_BYTES_MIN);
        } else if took_ms < QUICK_MS {
            self.chunk_bytes = (self.chunk_bytes * 2).min(CHUNK_BYTES_MAX);
        }
    }

    /// Something failed on the way.
    pub fn on_failure(&mut self) {
        self.asked = false;
        self.chunk_bytes = (self.chunk_bytes / 2).max(CHUNK_BYTES_MIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_server_is_told_nothing_that_it_does_not_know() {
        let mut besides = Besides::default();
        besides.on_hello(MonoMs(5), 0);
        assert!(!besides.is_work_due(MonoMs(1_000_000)));
        assert_eq!(besides.of_parts(MonoMs(1_000_000)), None);
        assert_eq!(besides.next_at(true), None);
    }

    #[test]
    fn parts_are_asked_for_once_in_a_conversation_and_sent_in_chunks_that_fit_the_way() {
        let mut besides = Besides::default();
        besides.on_hello(MonoMs(0), 1);
        assert_eq!(besides.of_parts(MonoMs(0)), Some(Beside::Ask));
        besides.on_asked(MonoMs(0), false);
        assert_eq!(besides.of_parts(MonoMs(UNKNOWN_MS - 1)), None, "its report is not there yet");
        assert_eq!(besides.of_parts(MonoMs(UNKNOWN_MS)), Some(Beside::Ask));
        besides.on_asked(MonoMs(UNKNOWN_MS), true);
        assert_eq!(besides.of_parts(MonoMs(UNKNOWN_MS)), Some(Beside::Chunk(CHUNK_BYTES)));
        besides.on_chunk(100);
        assert_eq!(besides.of_parts(MonoMs(UNKNOWN_MS)), Some(Beside::Chunk(2 * CHUNK_BYTES)));
        for _ in 0..9 {
            besides.on_failure();
        }
        assert_eq!(
            besides.of_parts(MonoMs(UNKNOWN_MS)),
            Some(Beside::Ask),
            "the answer may be what was lost"
        );
        besides.on_asked(MonoMs(UNKNOWN_MS), true);
        assert_eq!(besides.of_parts(MonoMs(UNKNOWN_MS)), Some(Beside::Chunk(CHUNK_BYTES_MIN)));
    }

    #[test]
    fn open_work_is_looked_at_each_minute_and_when_somebody_wishes() {
        let mut besides = Besides::default();
        besides.on_hello(MonoMs(7), 1);
        assert!(besides.is_work_due(MonoMs(7)));
        besides.on_work(MonoMs(7));
        assert!(!besides.is_work_due(MonoMs(6 + WORK_MS)));
        assert_eq!(besides.next_at(false), Some(MonoMs(7 + WORK_MS)));
        besides.wish_work(MonoMs(9));
        assert!(besides.is_work_due(MonoMs(9)));
    }
}
