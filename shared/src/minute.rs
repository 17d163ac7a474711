//! One minute of all the agent's lines, laid out by column: what is kept of the samples.
//!
//! A line without any sample in the minute is left out: nothing is known about it. Times are those of the
//! probes' *sending*, so a minute is closed only a while after its end ([`GRACE_MS`]), when its last losses
//! are known.

mod accumulate;
mod codec;

use thiserror::Error;

pub use accumulate::{GRACE_MS, MAX_OPEN_MINUTES, MinuteAccumulator};
pub use codec::{MAX_DECODED_BYTES, MAX_ENCODED_BYTES};

use crate::time::{MINUTE_MS, UnixMs};

/// Lines in one block at most.
pub const MAX_LINES: usize = 20_000;
/// Bytes in a line's code at most.
pub const MAX_CODE_BYTES: usize = 128;

/// One minute of all the agent's lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinuteBlock {
    minute_at: UnixMs,
    lines: Vec<LineMinute>,
}

/// One minute of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineMinute {
    /// The line's code.
    pub line: String,
    /// Judged probes: answered or lost. Those that were not sent are not among them.
    pub sent: u32,
    /// Lost ones among them; never more than `sent`.
    pub lost: u32,
    /// Answers that came after their probe had been counted as lost.
    pub late: u32,
    /// Probes that never left the agent.
    pub not_sent: u32,
    /// Losses in a row at most, within this minute; never more than `lost`.
    pub longest_run: u32,
    /// Round trips; present when a probe was answered.
    pub rtt: Option<RttSummary>,
}

/// Round trips of one line's answered probes in one minute, in microseconds; `min ≤ avg ≤ max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RttSummary {
    /// The shortest.
    pub min_us: u32,
    /// The mean, rounded down.
    pub avg_us: u32,
    /// The longest.
    pub max_us: u32,
    /// Mean absolute difference between the round trips of consecutive answered probes, rounded down; zero
    /// with a single answer. Losses in between are skipped.
    pub jitter_us: u32,
}

/// A block that contradicts itself or can't be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MinuteError {
    /// More lines than [`MAX_LINES`].
    #[error("{0} lines; at most {MAX_LINES}")]
    TooManyLines(u64),
    /// The time is no whole minute.
    #[error("{0} ms is not the start of a minute")]
    NotAMinute(i64),
    /// A code that is empty, too long, not in order, or there twice.
    #[error("line {0} has a bad code or is out of order")]
    Code(usize),
    /// Figures that can't be.
    #[error("the figures of line {0} contradict each other")]
    Figures(usize),
    /// The bytes end too early, or go on.
    #[error("the block is cut off or too long")]
    Length,
    /// A version that this program does not know.
    #[error("version {0} of the block is not known")]
    Version(u8),
    /// Not zstd, or larger than allowed.
    #[error("the block can't be decompressed within {MAX_DECODED_BYTES} bytes")]
    Compression,
}

impl MinuteBlock {
    /// Puts the lines in order and checks them.
    ///
    /// # Errors
    /// When there are too many lines, a code is bad or there twice, or figures contradict each other.
    pub fn new(minute_at: UnixMs, mut lines: Vec<LineMinute>) -> Result<Self, MinuteError> {
        lines.sort_unstable_by(|a, b| a.line.cmp(&b.line));
        let block = Self { minute_at, lines };
        block.check()?;
        Ok(block)
    }

    /// The start of the minute.
    #[must_use]
    pub const fn minute_at(&self) -> UnixMs {
        self.minute_at
    }

    /// The lines, by code.
    #[must_use]
    pub fn lines(&self) -> &[LineMinute] {
        &self.lines
    }

    /// The block as bytes: columns, compressed.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads [`MinuteBlock::encode`]'s bytes. Bounded in memory whatever they are.
    ///
    /// # Errors
    /// Says what is wrong with them.
    pub fn decode(bytes: &[u8]) -> Result<Self, MinuteError> {
        let block = codec::decode(bytes)?;
        block.check()?;
        Ok(block)
    }

    fn check(&self) -> Result<(), MinuteError> {
        if self.lines.len() > MAX_LINES {
            return Err(MinuteError::TooManyLines(self.lines.len() as u64));
        }
        if self.minute_at.0.rem_euclid(MINUTE_MS) != 0 {
            return Err(MinuteError::NotAMinute(self.minute_at.0));
        }
        for (index, line) in self.lines.iter().enumerate() {
            let in_order = index == 0 || self.lines[index - 1].line < line.line;
            if line.line.is_empty() || line.line.len() > MAX_CODE_BYTES || !in_order {
                return Err(MinuteError::Code(index));
            }
            if !line.is_consistent() {
                return Err(MinuteError::Figures(index));
            }
        }
        Ok(())
    }
}

impl LineMinute {
    fn is_consistent(&self) -> bool {
        self.lost <= self.sent
            && self.longest_run <= self.lost
            && (self.longest_run > 0) == (self.lost > 0)
            && self.rtt.is_some() == (self.sent > self.lost)
            && self.rtt.is_none_or(|r| r.min_us <= r.avg_us && r.avg_us <= r.max_us)
    }
}
