//! `serve`: logs, signals, readiness.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::boot::boot;
use crate::clock::SystemClock;
use crate::config::{LogFormat, Settings};

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
    let filter = EnvFilter::try_new(&settings.log_level)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.log_format {
        LogFormat::Text => builder.with_ansi(false).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}
