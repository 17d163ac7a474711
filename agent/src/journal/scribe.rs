//! Writes down what happened: gives each record its id, boot and times.

use std::sync::{Arc, Mutex, PoisonError};

use linewatch_shared::facts::{Body, Reading, Record, When};
use linewatch_shared::time::{Clock, UnixMs};
use uuid::{ContextV7, Timestamp, Uuid};

/// Makes records. Cheap to clone.
#[derive(Clone)]
pub struct Scribe {
    clock: Arc<dyn Clock>,
    boot: Uuid,
    /// Keeps ids of one millisecond in the order in which they were made.
    ids: Arc<Mutex<ContextV7>>,
}

impl Scribe {
    /// For this boot of the device.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, boot: Uuid) -> Self {
        Self { clock, boot, ids: Arc::new(Mutex::new(ContextV7::new())) }
    }

    /// Both clocks, read together.
    #[must_use]
    pub fn reading(&self) -> Reading {
        Reading { wall: self.clock.now(), mono: self.clock.mono() }
    }

    /// The wall clock.
    #[must_use]
    pub fn now(&self) -> UnixMs {
        self.clock.now()
    }

    /// The boot in which monotonic times count.
    #[must_use]
    pub const fn boot(&self) -> Uuid {
        self.boot
    }

    /// A record that is written down now.
    #[must_use]
    pub fn record(&self, occurred: When, by: Option<String>, body: Body) -> Record {
        let written = self.reading();
        Record { id: self.id(written.wall), boot: self.boot, written, occurred, by, body }
    }

    /// A record of something that happens now.
    #[must_use]
    pub fn now_record(&self, body: Body) -> Record {
        self.record(When::Machine(self.reading()), None, body)
    }

    /// An id for something that begins now and becomes a record later.
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        self.id(self.now())
    }

    fn id(&self, wall: UnixMs) -> Uuid {
        let ms = wall.0.max(0).cast_unsigned();
        let nanos = u32::try_from(ms % 1_000 * 1_000_000).unwrap_or(0);
        let context = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        Uuid::new_v7(Timestamp::from_unix(&*context, ms / 1_000, nanos))
    }
}
