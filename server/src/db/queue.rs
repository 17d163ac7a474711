//! The bounded queue in front of a database thread: three lanes, the more urgent one first.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{DbError, Priority};

/// Jobs that may wait in each lane; more callers wait outside, in order.
const LANE_CAPACITY: usize = 256;

/// What a thread of the queue does once. It owns its answer channel.
pub(super) type Job<C> = Box<dyn FnOnce(&mut C) + Send>;

struct Lanes<C> {
    jobs: [VecDeque<(Job<C>, OwnedSemaphorePermit)>; 3],
    closed: bool,
}

/// The queue. Its threads leave when it is closed and empty.
pub(super) struct Queue<C> {
    lanes: Mutex<Lanes<C>>,
    ready: Condvar,
    room: [Arc<Semaphore>; 3],
}

impl<C> Queue<C> {
    pub(super) fn new() -> Self {
        let room = || Arc::new(Semaphore::new(LANE_CAPACITY));
        Self {
            lanes: Mutex::new(Lanes {
                jobs: [VecDeque::new(), VecDeque::new(), VecDeque::new()],
                closed: false,
            }),
            ready: Condvar::new(),
            room: [room(), room(), room()],
        }
    }

    /// Waits for room in the lane, then adds the job.
    pub(super) async fn push(&self, priority: Priority, job: Job<C>) -> Result<(), DbError> {
        let lane = priority as usize;
        let permit = Arc::clone(&self.room[lane]).acquire_owned().await.map_err(|_| DbError::Closed)?;
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if lanes.closed {
            return Err(DbError::Closed);
        }
        lanes.jobs[lane].push_back((job, permit));
        drop(lanes);
        self.ready.notify_one();
        Ok(())
    }

    /// The next job, or `None` once the queue is closed and empty.
    pub(super) fn pop(&self) -> Option<Job<C>> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some((job, _permit)) = lanes.jobs.iter_mut().find_map(VecDeque::pop_front) {
                return Some(job);
            }
            if lanes.closed {
                return None;
            }
            lanes = self.ready.wait(lanes).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn close(&self) {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.ready.notify_all();
    }

    pub(super) fn lengths(&self) -> [usize; 3] {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        [lanes.jobs[0].len(), lanes.jobs[1].len(), lanes.jobs[2].len()]
    }
}
