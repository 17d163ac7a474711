//! Waiting for a condition, and the bridge to asynchronous libraries.

use std::future::Future;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use linewatch_agent::clock::BootClock;
use linewatch_shared::time::{Clock, UnixMs};
use tokio::runtime::Runtime;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

static RUNTIME: LazyLock<std::io::Result<Runtime>> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build());

/// Runs a future to its end on the harness's own runtime. Not from within another runtime.
///
/// # Panics
/// When the runtime cannot start: no test can go on without it.
pub fn block_on<F: Future>(future: F) -> F::Output {
    match &*RUNTIME {
        Ok(runtime) => runtime.block_on(future),
        Err(error) => panic!("the async runtime cannot start: {error}"),
    }
}

/// The machine's wall clock.
#[must_use]
pub fn now() -> UnixMs {
    BootClock.now()
}

/// The machine's monotonic clock, in milliseconds.
#[must_use]
pub fn mono_ms() -> i64 {
    BootClock.mono().0
}

/// Looks until there is something, at most for `bound`. A look that fails is tried again; its reason is
/// told when time is up.
///
/// # Errors
/// When the bound is reached or the person pressed Ctrl-C.
pub fn eventually<T>(bound: Duration, what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let bound_ms = i64::try_from(bound.as_millis()).unwrap_or(i64::MAX);
    let began_ms = mono_ms();
    loop {
        let reason = match look() {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if is_interrupted() {
            bail!("interrupted while waiting for: {what}");
        }
        if mono_ms() - began_ms > bound_ms {
            let reason = reason.map(|error| format!(" ({error:#})")).unwrap_or_default();
            return Err(anyhow!("not within {bound:?}: {what}{reason}"));
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Lets time pass, for a person to look.
///
/// # Errors
/// When the person pressed Ctrl-C.
pub fn pause(span: Duration) -> Result<()> {
    let until_ms = mono_ms() + i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    eventually(span * 2, "a pause", || Ok((mono_ms() >= until_ms).then_some(())))
}

/// Lets Ctrl-C and SIGTERM end every wait, so that guards clean up.
///
/// # Errors
/// When the handlers cannot be set.
pub fn interrupt_on_signals() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    block_on(async {
        for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
            let mut signals = signal(kind)?;
            tokio::spawn(async move {
                signals.recv().await;
                INTERRUPTED.store(true, Ordering::SeqCst);
            });
        }
        Ok(())
    })
}

/// Whether the person wants it to end.
#[must_use]
pub fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}
