//! What is measured at a point of a checklist, and within which range it is well.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::section::Section;

/// A number that was read off, in thousandths: exact, and the same on every machine. Written as `-18.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    thousandths: i64,
}

/// The largest reading, to either side of zero.
pub const READING_MAX: f64 = 1e9;
const THOUSAND: f64 = 1_000.0;

impl Reading {
    /// The reading that is nearest to a number; none beyond [`READING_MAX`].
    #[must_use]
    pub fn new(number: f64) -> Option<Self> {
        let is_one = number.is_finite() && number.abs() <= READING_MAX;
        is_one.then(|| Self { thousandths: (number * THOUSAND).round() as i64 })
    }

    /// As a number.
    #[must_use]
    pub fn number(self) -> f64 {
        self.thousandths as f64 / THOUSAND
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

impl Serialize for Reading {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(self.number())
    }
}

impl<'de> Deserialize<'de> for Reading {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(from)?;
        let limit =
            || serde::de::Error::custom(format!("a reading lies between -{READING_MAX} and {READING_MAX}"));
        Self::new(number).ok_or_else(limit)
    }
}

/// Within which a reading is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// In which it is measured, such as `dBm`.
    pub unit: String,
    /// The least that is well.
    pub at_least: Option<Reading>,
    /// The most that is well.
    pub at_most: Option<Reading>,
}

impl Range {
    /// Whether a reading is well.
    #[must_use]
    pub fn holds(&self, reading: Reading) -> bool {
        self.at_least.is_none_or(|least| least <= reading) && self.at_most.is_none_or(|most| reading <= most)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = &self.unit;
        match (self.at_least, self.at_most) {
            (Some(least), Some(most)) => write!(f, "{least} to {most} {unit}"),
            (Some(least), None) => write!(f, "at least {least} {unit}"),
            (None, Some(most)) => write!(f, "at most {most} {unit}"),
            (None, None) => write!(f, "any in {unit}"),
        }
    }
}

/// What is measured at a point, where its table says so.
pub fn read(item: &Section<'_>) -> Option<Range> {
    let unit = item.text("unit");
    let (at_least, at_most) = (item.number("at_least"), item.number("at_most"));
    let Some(unit) = unit else {
        for key in ["at_least", "at_most"].into_iter().filter(|key| item.has(key)) {
            item.wrong(key, "needs a unit, such as unit = \"dBm\"");
        }
        return None;
    };
    if at_least.zip(at_most).is_some_and(|(least, most)| least > most) {
        item.wrong("at_least", "is more than at_most");
    }
    Some(Range { unit: unit.to_owned(), at_least, at_most })
}
