//! The task around a [`Monitor`]: waits for samples, carrier events, requests and the next tick.

use std::sync::Arc;
use std::time::Duration;

use linewatch_shared::detector::{Moment, TargetError};
use linewatch_shared::time::Clock;
use tokio::sync::{mpsc, oneshot};

use super::{FactSink, LineView, Monitor, MonitorSet, NextHops, ProbeControl};
use crate::carrier::CarrierEvent;
use crate::probe::Batch;

/// Requests that may wait.
const MAX_WAITING_REQUESTS: usize = 16;
/// The longest sleep between two ticks: minutes are cut then, too.
const MAX_SLEEP_MS: i64 = 1_000;
const MIN_SLEEP_MS: i64 = 10;

enum Request {
    SetLines(MonitorSet, oneshot::Sender<Result<(), TargetError>>),
    Snapshot(oneshot::Sender<Vec<LineView>>),
}

/// What the monitor is fed with. A channel whose other side is gone is no longer listened to; the end of the
/// batches ends the task.
pub struct MonitorInputs {
    /// Samples from the prober.
    pub batches: mpsc::Receiver<Batch>,
    /// Carrier events; a channel without a sender where there are none.
    pub carrier: mpsc::Receiver<CarrierEvent>,
}

/// The monitor has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the monitor has ended")]
pub struct Ended;

/// Asks a running monitor.
#[derive(Clone)]
pub struct MonitorHandle {
    requests: mpsc::Sender<Request>,
}

impl MonitorHandle {
    /// Makes `set` everything that is watched, see [`Monitor::set_lines`].
    ///
    /// # Errors
    /// When the monitor has ended; inside, when a target can't be taken in.
    pub async fn set_lines(&self, set: MonitorSet) -> Result<Result<(), TargetError>, Ended> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request::SetLines(set, answer)).await.map_err(|_| Ended)?;
        answered.await.map_err(|_| Ended)
    }

    /// The lines as they are now, by code.
    ///
    /// # Errors
    /// When the monitor has ended.
    pub async fn snapshot(&self) -> Result<Vec<LineView>, Ended> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request::Snapshot(answer)).await.map_err(|_| Ended)?;
        answered.await.map_err(|_| Ended)
    }
}

impl<P: ProbeControl + 'static, S: FactSink + 'static> Monitor<P, S> {
    /// The handle and the task of a monitor. The task ends when the batches end, hands on the open minutes and
    /// gives the monitor's sink back.
    pub fn into_task(
        self,
        inputs: MonitorInputs,
        clock: Arc<dyn Clock>,
    ) -> (MonitorHandle, impl Future<Output = S> + Send) {
        let (requests, waiting) = mpsc::channel(MAX_WAITING_REQUESTS);
        (MonitorHandle { requests }, self.run(inputs, waiting, clock))
    }

    async fn run(
        mut self,
        inputs: MonitorInputs,
        mut requests: mpsc::Receiver<Request>,
        clock: Arc<dyn Clock>,
    ) -> S {
        let MonitorInputs { mut batches, mut carrier } = inputs;
        let now = || Moment { at: clock.now(), mono: clock.mono() };
        loop {
            let sleep_ms =
                self.next_wake().0.saturating_sub(clock.mono().0).clamp(MIN_SLEEP_MS, MAX_SLEEP_MS);
            tokio::select! {
                biased;
                Some(event) = carrier.recv() => self.on_carrier(&event, now()),
                batch = batches.recv() => match batch {
                    Some(batch) => self.on_batch(&batch, now()),
                    None => break,
                },
                Some(request) = requests.recv() => self.answer(request, now()),
                () = tokio::time::sleep(Duration::from_millis(sleep_ms.unsigned_abs())) => {}
            }
            if clock.mono() >= self.next_wake() {
                self.on_tick(now());
            }
        }
        self.finish();
        self.sink
    }

    fn answer(&mut self, request: Request, now: Moment) {
        // Who asked may have gone; that is no concern of the monitor's.
        match request {
            Request::SetLines(set, answer) => {
                let _ = answer.send(self.set_lines(set, &NextHops::read(), now));
            }
            Request::Snapshot(answer) => {
                let _ = answer.send(self.snapshot());
            }
        }
    }
}
