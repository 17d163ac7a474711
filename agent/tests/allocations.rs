//! What is taken from the allocator while lines are probed: something for each batch that is handed on, nothing for a
//! packet and nothing for a sample.
#![expect(unsafe_code, reason = "the allocator is counted by standing in front of the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use linewatch_agent::clock::BootClock;
use linewatch_agent::probe::{Batch, Prober, TargetConfig};
use tokio::sync::mpsc;
use tokio::time::timeout;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise about `layout`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise: `memory` is from `alloc` with this layout.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_bytes: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise, as above.
        unsafe { System.realloc(memory, layout, new_bytes) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const PATIENCE: Duration = Duration::from_mins(1);
/// The new batch's room, and what the channel takes for it now and then.
const FOR_A_BATCH: u64 = 4;
/// Tables that grow for the last time after the warm-up.
const ONCE: u64 = 16;

/// Batches and samples until there are `wanted` samples.
async fn take(batches: &mut mpsc::Receiver<Batch>, wanted: usize) -> (u64, usize) {
    let (mut count, mut samples) = (0, 0);
    while samples < wanted {
        let Ok(Some(batch)) = timeout(PATIENCE, batches.recv()).await else {
            panic!("the prober stood still")
        };
        count += 1;
        samples += batch.samples.len();
    }
    (count, samples)
}

/// One test alone in this program: whatever else ran would be counted, too.
#[test]
fn allocations_grow_with_batches_and_not_with_samples() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for targets in [50, 2_000] {
            let (sink, mut batches) = mpsc::channel(64);
            let prober = Prober::start(Arc::new(BootClock), sink).unwrap();
            let all = (0..targets).map(|target| TargetConfig {
                target,
                spec: format!("icmp://{}", Ipv4Addr::from(0x7f01_0001 + target)).parse().unwrap(),
                interval_ms: 100,
                timeout_ms: 200,
                phase_key: u64::from(target),
            });
            prober.set_targets(all.collect()).unwrap();
            take(&mut batches, 10 * targets as usize).await;
            let before = ALLOCATIONS.load(Ordering::Relaxed);
            let (count, samples) = take(&mut batches, 20 * targets as usize).await;
            let taken = ALLOCATIONS.load(Ordering::Relaxed) - before;
            let most = count * FOR_A_BATCH + ONCE;
            assert!(
                taken <= most,
                "{targets} targets: {taken} allocations, {samples} samples, {count} batches"
            );
        }
    });
}
