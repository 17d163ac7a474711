//! `serve`: logs, signals, readiness.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::util::SubscriberInitExt;

use crate::boot::boot;
use crate::clock::SystemClock;
use crate::config::Settings;
use crate::log;

pub(super) async fn run(settings: Settings) -> anyhow::Result<()> {
    start_log(&settings)?;
    let shutdown = CancellationToken::new();
    let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let running = boot(settings, Arc::new(SystemClock::start()), shutdown.clone()).await?;
    notify_systemd(&[sd_notify::NotifyState::Ready]);
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("asked to end");
        notify_systemd(&[sd_notify::NotifyState::Stopping]);
        shutdown.cancel();
    });
    running.join().await?;
    tracing::info!("ended");
    Ok(())
}

fn notify_systemd(state: &[sd_notify::NotifyState<'_>]) {
    // Not started by systemd: nobody to tell.
    drop(sd_notify::notify(state));
}

fn start_log(settings: &Settings) -> anyhow::Result<()> {
    log::subscriber(&settings.log_level, settings.log_format, std::io::stderr)?.try_init()?;
    Ok(())
}
