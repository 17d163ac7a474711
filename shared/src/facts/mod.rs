//! Facts: what happened, as a device or a person recorded it. Facts are added, never changed.
//!
//! A [`Record`] is a fact as it is journalled and sent. Its bytes (MessagePack, [`Record::to_bytes`])
//! are what is hashed; the stream's epoch and number are outside them, so that a record keeps its
//! identity when a copied database renumbers it.

mod diagnosis;
mod fault;
mod opened;
mod part;
mod visit;

pub use diagnosis::{Diagnosis, FINDINGS_MAX, Finding, Grade};
pub use fault::{Callback, Channel, LineChange, Reopening, Report, Step, StepKind};
pub use opened::{Deed, Opened};
pub use part::{CAPTION_CHARS_MAX, CHUNK_BYTES_MAX, Media, PART_BYTES_MAX, PARTS_MAX, Part, PartRole, Place};
pub use visit::{FormName, Promised, VISIT_CLASSES, VISIT_ITEMS_MAX, Visit};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::health::Health;
use crate::time::{MonoMs, UnixMs};

/// The lanes of a stream; each is numbered without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Line states, reports, steps, clock facts: sent first, in order.
    Fault,
    /// Visits and what else a desk writes down: in order.
    Desk,
    /// Minute blocks and health: in any order, newest first.
    Summary,
}

impl Lane {
    /// Every lane, in the order of sending.
    pub const ALL: [Self; 3] = [Self::Fault, Self::Desk, Self::Summary];

    /// The lane's name in the protocol and in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Desk => "desk",
            Self::Summary => "summary",
        }
    }

    /// Reads [`Lane::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.name() == name)
    }
}

/// A reading of a device's two clocks, taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The wall clock, as wrong as it may be.
    pub wall: UnixMs,
    /// The monotonic clock of this boot.
    pub mono: MonoMs,
}

/// When a fact happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Stamped by the device: corrected from its clock facts.
    Machine(Reading),
    /// Typed by a person, who meant that very time: never shifted.
    Typed(UnixMs),
}

impl When {
    /// The wall time as recorded, uncorrected.
    #[must_use]
    pub const fn raw(self) -> UnixMs {
        match self {
            Self::Machine(reading) => reading.wall,
            Self::Typed(at) => at,
        }
    }
}

/// One journalled fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Time-ordered (`UUIDv7`); never changes.
    pub id: Uuid,
    /// The boot of the device in which it was written; monotonic times compare only within one.
    pub boot: Uuid,
    /// When it was written down.
    pub written: Reading,
    /// When it happened.
    pub occurred: When,
    /// Who wrote it, where a person did: a name as the device knows it.
    pub by: Option<String>,
    /// What happened.
    pub body: Body,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "records are read one by one, and few are held at a time")]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// A line changed state.
    Line(LineChange),
    /// A person reported a fault.
    Report(Report),
    /// A step of a fault.
    Step(Step),
    /// The device's clocks beside the server's.
    Clock(ClockFact),
    /// How the device itself fares.
    Health(Health),
    /// One minute of all the agent's lines ([`crate::minute::MinuteBlock`], encoded).
    Minute(#[serde(with = "serde_bytes")] Vec<u8>),
    /// A visit report.
    Visit(Visit),
    /// A complaint, request or defect that was taken in on site.
    Opened(Opened),
    /// A step of a matter.
    Deed(Deed),
    /// What a device found out about a line.
    Diagnosis(Diagnosis),
    /// A summary that was given up when the disk was full; its minute is unknown.
    Tombstone,
}

impl Body {
    /// The lane in which such a record travels.
    #[must_use]
    pub const fn lane(&self) -> Lane {
        match self {
            Self::Line(_) | Self::Report(_) | Self::Step(_) | Self::Clock(_) => Lane::Fault,
            Self::Visit(_) | Self::Opened(_) | Self::Deed(_) | Self::Diagnosis(_) => Lane::Desk,
            Self::Health(_) | Self::Minute(_) | Self::Tombstone => Lane::Summary,
        }
    }
}

/// The device's clocks and the server's, read in one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockFact {
    /// The device's clocks in the middle of the exchange.
    pub device: Reading,
    /// The server's clock in its answer.
    pub server: UnixMs,
    /// How long the exchange took, in milliseconds: the bound of the error.
    pub round_trip_ms: u32,
}

impl ClockFact {
    /// What must be added to the device's wall time to get the server's, in milliseconds.
    #[must_use]
    pub const fn offset_ms(&self) -> i64 {
        self.server.since(self.device.wall)
    }
}

impl Record {
    /// The bytes that are stored, hashed and sent.
    ///
    /// # Errors
    /// Never for records made by this program; the type is that of the encoder.
    pub fn to_bytes(&self) -> Result<Vec<u8>, rmp_serde::encode::Error> {
        rmp_serde::to_vec_named(self)
    }

    /// Reads bytes from outside: scanned for depth, counts and lengths before they are decoded.
    ///
    /// # Errors
    /// When the bytes are not a record that this version can read; they are then kept as they are.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, crate::wire::DecodeError> {
        crate::wire::decode(bytes)
    }
}
