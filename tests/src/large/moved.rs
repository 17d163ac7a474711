//! What the server wrote, as it would have written it of the same life at another time and on another line. Ids, codes and
//! moments keep their lengths, so that they are changed in place; what else a row holds stays as it is.

use anyhow::{Context, Result, bail};
use uuid::Uuid;

/// What is between these is a moment, in UTC milliseconds; durations are far shorter.
const MOMENTS: std::ops::Range<i64> = 1_400_000_000_000..2_200_000_000_000;
/// Lines of a customer.
const LINES_OF_CUSTOMER: i64 = super::LINES_OF_CUSTOMER as i64;

/// How far something is moved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    /// Back in time.
    pub earlier_ms: i64,
    /// Along the lines.
    pub lines: i64,
}

impl Move {
    /// An id: they begin with a moment.
    pub fn id(self, id: &mut [u8]) {
        let mut ms = [0; 8];
        ms[2..].copy_from_slice(&id[..6]);
        let ms = i64::from_be_bytes(ms) - self.earlier_ms;
        id[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
    }

    /// The code of a line or a customer; any other word stays as it is.
    pub fn code(self, code: &mut [u8]) {
        let by = match (code.first(), code.get(1), code.len()) {
            (Some(b'L'), Some(b'-'), 8) => self.lines,
            (Some(b'C'), Some(b'-'), 7) => self.lines / LINES_OF_CUSTOMER,
            _ => return,
        };
        let digits = &mut code[2..];
        let Some(n) = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<i64>().ok()) else {
            return;
        };
        let moved = format!("{:0width$}", n + by, width = digits.len());
        digits.copy_from_slice(moved.as_bytes());
    }

    /// Which of its kind a promise is: it may begin with an id.
    pub fn period(self, period: &str) -> String {
        let id = period.get(..32).and_then(|id| Uuid::try_parse(id).ok());
        let Some(id) = id else { return period.to_owned() };
        let mut bytes = *id.as_bytes();
        self.id(&mut bytes);
        format!("{}{}", Uuid::from_bytes(bytes).simple(), &period[32..])
    }

    /// MessagePack: its ids, codes and moments, one value after the other.
    pub fn packed(self, bytes: &mut [u8]) -> Result<()> {
        let mut at = 0;
        while at < bytes.len() {
            at += self.value(&mut bytes[at..]).with_context(|| format!("at byte {at}"))?;
        }
        Ok(())
    }

    /// The value that begins here; how many bytes it has, without those that it holds.
    fn value(self, bytes: &mut [u8]) -> Result<usize> {
        let number = |bytes: &[u8], width: usize| {
            let digits = bytes.get(1..=width).context("it is cut off")?;
            Ok::<_, anyhow::Error>(digits.iter().fold(0_usize, |n, digit| n << 8 | usize::from(*digit)))
        };
        let (head, body) = match bytes[0] {
            0x00..=0x7f | 0x80..=0x9f | 0xc0..=0xc3 | 0xe0..=0xff => (1, 0),
            short @ 0xa0..=0xbf => (1, usize::from(short & 0x1f)),
            wide @ (0xc4..=0xc6 | 0xd9..=0xdb) => {
                let width = match wide {
                    0xc4 | 0xd9 => 1,
                    0xc5 | 0xda => 2,
                    _ => 4,
                };
                (1 + width, number(bytes, width)?)
            }
            0xcc | 0xd0 => (2, 0),
            0xcd | 0xd1 | 0xdc | 0xde => (3, 0),
            0xca | 0xce | 0xd2 | 0xdd | 0xdf => (5, 0),
            0xcb | 0xcf | 0xd3 => (9, 0),
            other => bail!("{other:#x} is nothing that the server writes"),
        };
        let all = bytes.get_mut(..head + body).context("it is cut off")?;
        match all[0] {
            0xcf | 0xd3 => {
                let moment = i64::from_be_bytes(all[1..9].try_into()?);
                if MOMENTS.contains(&moment) {
                    all[1..9].copy_from_slice(&(moment - self.earlier_ms).to_be_bytes());
                }
            }
            0xc4 if body == 16 => self.id(&mut all[head..]),
            0xa0..=0xbf => self.code(&mut all[head..]),
            _ => {}
        }
        Ok(head + body)
    }
}

#[cfg(test)]
mod tests {
    use linewatch_shared::time::UnixMs;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Row {
        id: Uuid,
        line: String,
        customer: String,
        note: String,
        at: Option<UnixMs>,
        lasted_ms: i64,
        list: Vec<(bool, f64, UnixMs)>,
    }

    #[test]
    fn a_row_is_that_of_an_earlier_life_on_another_line() {
        let at = |ms| UnixMs(1_700_000_000_000 + ms);
        let id = |at: UnixMs| Uuid::from_u64_pair((at.0 as u64) << 16 | 0x7abc, 42);
        let row = |shift: i64, line: &str, customer: &str| Row {
            id: id(at(shift)),
            line: line.to_owned(),
            customer: customer.to_owned(),
            note: "L-00 C-".repeat(10),
            at: Some(at(7 + shift)),
            lasted_ms: 86_400_000_000,
            list: vec![(true, 0.5, at(9 + shift))],
        };
        let mut bytes = rmp_serde::to_vec_named(&row(0, "L-000019", "C-00000")).unwrap();
        let by = Move { earlier_ms: 5_000, lines: 1_000 };
        by.packed(&mut bytes).unwrap();
        let moved: Row = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!(moved, row(-5_000, "L-001019", "C-00050"));
        let period = format!("{}+3", id(at(0)).simple());
        assert_eq!(by.period(&period), format!("{}+3", id(at(-5_000)).simple()));
        assert_eq!(by.period("first"), "first");
    }
}
