//! A block as bytes.
//!
//! ```text
//! version: 1 byte
//! zstd frame of
//!   minute: varint (zigzag)            minutes since 1970
//!   count: varint
//!   codes: for each line, bytes shared with the line before (varint), bytes that follow (varint), these
//!   columns, one after the other, each with a varint for each line:
//!     sent (zigzag difference to the line before), lost, late, not_sent, longest_run
//!     of lines with an answer: min_us, avg_us - min_us, max_us - avg_us,
//!       jitter_us - (avg_us - min_us) (wrapping, zigzag)
//! ```
//!
//! Jitter is near the mean's distance from the shortest, so their difference is small. The round-trip columns are stored in planes (all lowest bytes, then all second ones …) because their low
//! bytes are noise and their high bytes are not.

use super::{LineMinute, MAX_CODE_BYTES, MAX_LINES, MinuteBlock, MinuteError, RttSummary};
use crate::time::{MINUTE_MS, UnixMs};

const VERSION: u8 = 1;
const LEVEL: i32 = 3;
/// What one line takes at most before compression: its code with two lengths, and nine figures.
const LINE_BYTES: usize = MAX_CODE_BYTES + 4 + 9 * 5;
/// Bytes of a block at most before compression.
pub const MAX_DECODED_BYTES: usize = 32 + MAX_LINES * LINE_BYTES;
/// Bytes of a block at most.
pub const MAX_ENCODED_BYTES: usize = MAX_DECODED_BYTES + MAX_DECODED_BYTES / 128 + 64;

pub fn encode(block: &MinuteBlock) -> Vec<u8> {
    let mut raw = Vec::with_capacity(64 + block.lines.len() * 24);
    put(&mut raw, zigzag(block.minute_at.0 / MINUTE_MS));
    put(&mut raw, block.lines.len() as u64);
    put_codes(&mut raw, &block.lines);
    let mut before = 0;
    for line in &block.lines {
        put(&mut raw, zigzag(i64::from(line.sent) - before));
        before = i64::from(line.sent);
    }
    for figure in COUNTS {
        block.lines.iter().for_each(|line| put(&mut raw, u64::from(figure(line))));
    }
    let answered: Vec<RttSummary> = block.lines.iter().filter_map(|line| line.rtt).collect();
    for figure in ROUND_TRIPS {
        let column: Vec<u32> = answered.iter().map(|&rtt| figure(rtt)).collect();
        put_planes(&mut raw, &column);
    }
    let mut bytes = vec![VERSION];
    // Compressing into memory has no way to fail; were there one, an empty frame would be refused on reading.
    bytes.extend(zstd::bulk::compress(&raw, LEVEL).unwrap_or_default());
    bytes
}

const COUNTS: [fn(&LineMinute) -> u32; 4] = [|l| l.lost, |l| l.late, |l| l.not_sent, |l| l.longest_run];

const ROUND_TRIPS: [fn(RttSummary) -> u32; 4] = [
    |r| r.min_us,
    |r| r.avg_us - r.min_us,
    |r| r.max_us - r.avg_us,
    |r| fold_jitter(r.jitter_us, r.avg_us - r.min_us),
];

const fn fold_jitter(jitter_us: u32, above_min_us: u32) -> u32 {
    let difference = jitter_us.wrapping_sub(above_min_us) as i32;
    (difference << 1 ^ difference >> 31) as u32
}

const fn unfold_jitter(folded: u32, above_min_us: u32) -> u32 {
    let difference = (folded >> 1) as i32 ^ -((folded & 1) as i32);
    above_min_us.wrapping_add(difference as u32)
}

pub fn decode(bytes: &[u8]) -> Result<MinuteBlock, MinuteError> {
    let (&version, frame) = bytes.split_first().ok_or(MinuteError::Length)?;
    if version != VERSION {
        return Err(MinuteError::Version(version));
    }
    if frame.len() > MAX_ENCODED_BYTES {
        return Err(MinuteError::Compression);
    }
    let raw = zstd::bulk::decompress(frame, MAX_DECODED_BYTES).map_err(|_| MinuteError::Compression)?;
    let mut reader = Reader { rest: &raw };
    let minute = unzigzag(reader.number()?);
    let minute_at = minute.checked_mul(MINUTE_MS).ok_or(MinuteError::NotAMinute(minute))?;
    let count = reader.number()?;
    if count > MAX_LINES as u64 {
        return Err(MinuteError::TooManyLines(count));
    }
    let mut lines = reader.codes(count as usize)?;
    reader.counts(&mut lines)?;
    reader.round_trips(&mut lines)?;
    if !reader.rest.is_empty() {
        return Err(MinuteError::Length);
    }
    Ok(MinuteBlock { minute_at: UnixMs(minute_at), lines })
}

fn put_codes(raw: &mut Vec<u8>, lines: &[LineMinute]) {
    let mut before: &[u8] = &[];
    for line in lines {
        let code = line.line.as_bytes();
        let shared = code.iter().zip(before).take_while(|(a, b)| a == b).count();
        put(raw, shared as u64);
        put(raw, (code.len() - shared) as u64);
        raw.extend_from_slice(&code[shared..]);
        before = code;
    }
}

/// How many planes there are (1 byte), then all lowest bytes, all second ones, and so on.
fn put_planes(raw: &mut Vec<u8>, column: &[u32]) {
    let widest = column.iter().copied().max().unwrap_or(0);
    let planes = (4 - widest.leading_zeros() as usize / 8).max(1);
    raw.push(planes as u8);
    for plane in 0..planes {
        raw.extend(column.iter().map(|value| value.to_le_bytes()[plane]));
    }
}

fn put(raw: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        raw.push(value as u8 | 0x80);
        value >>= 7;
    }
    raw.push(value as u8);
}

const fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], MinuteError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(MinuteError::Length)?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u64, MinuteError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.bytes(1)?[0];
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(MinuteError::Length);
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(MinuteError::Length)
    }

    fn codes(&mut self, count: usize) -> Result<Vec<LineMinute>, MinuteError> {
        let mut lines = Vec::new();
        let mut code = Vec::with_capacity(MAX_CODE_BYTES);
        for index in 0..count {
            let shared = self.number()?;
            let more = self.number()?;
            if shared > code.len() as u64 || shared.saturating_add(more) > MAX_CODE_BYTES as u64 {
                return Err(MinuteError::Code(index));
            }
            code.truncate(shared as usize);
            code.extend_from_slice(self.bytes(more as usize)?);
            let line = std::str::from_utf8(&code).map_err(|_| MinuteError::Code(index))?.to_owned();
            lines.push(LineMinute {
                line,
                sent: 0,
                lost: 0,
                late: 0,
                not_sent: 0,
                longest_run: 0,
                rtt: None,
            });
        }
        Ok(lines)
    }

    fn counts(&mut self, lines: &mut [LineMinute]) -> Result<(), MinuteError> {
        let mut before = 0_i64;
        for (index, line) in lines.iter_mut().enumerate() {
            before = before.checked_add(unzigzag(self.number()?)).ok_or(MinuteError::Figures(index))?;
            line.sent = u32::try_from(before).map_err(|_| MinuteError::Figures(index))?;
        }
        let fields: [fn(&mut LineMinute) -> &mut u32; 4] =
            [|l| &mut l.lost, |l| &mut l.late, |l| &mut l.not_sent, |l| &mut l.longest_run];
        for field in fields {
            for (index, line) in lines.iter_mut().enumerate() {
                let value = u32::try_from(self.number()?).map_err(|_| MinuteError::Figures(index))?;
                *field(line) = value;
            }
        }
        Ok(())
    }

    fn round_trips(&mut self, lines: &mut [LineMinute]) -> Result<(), MinuteError> {
        let answered: Vec<usize> = (0..lines.len()).filter(|&i| lines[i].sent > lines[i].lost).collect();
        let [min, above_min, above_avg, jitter] = [
            self.planes(answered.len())?,
            self.planes(answered.len())?,
            self.planes(answered.len())?,
            self.planes(answered.len())?,
        ];
        for (at, &index) in answered.iter().enumerate() {
            let avg = min[at].checked_add(above_min[at]);
            let max = avg.and_then(|avg| avg.checked_add(above_avg[at]));
            let (Some(avg_us), Some(max_us)) = (avg, max) else {
                return Err(MinuteError::Figures(index));
            };
            let jitter_us = unfold_jitter(jitter[at], above_min[at]);
            lines[index].rtt = Some(RttSummary { min_us: min[at], avg_us, max_us, jitter_us });
        }
        Ok(())
    }

    fn planes(&mut self, count: usize) -> Result<Vec<u32>, MinuteError> {
        let planes = self.bytes(1)?[0];
        if !(1..=4).contains(&planes) {
            return Err(MinuteError::Length);
        }
        let mut column = vec![0_u32; count];
        for plane in 0..planes {
            let bytes = self.bytes(count)?;
            column.iter_mut().zip(bytes).for_each(|(value, &b)| *value |= u32::from(b) << (8 * plane));
        }
        Ok(column)
    }
}
