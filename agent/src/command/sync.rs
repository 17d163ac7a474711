//! `sync`: everything, now, with a progress bar.

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::open_journal;
use crate::config::Config;
use crate::enroll::Identity;
use crate::journal::{LaneView, lane_views};
use crate::out;
use crate::run::link;
use crate::sync::session::{Session, Step};

/// Failures in a row after which the command gives up; the running agent never does.
const FAILURES_MAX: u32 = 3;

/// Arguments of `sync`.
#[derive(Clone, Copy, Debug, Args)]
pub struct SyncArgs {
    /// No progress bar
    #[arg(long, short)]
    quiet: bool,
}

/// Sends everything; returns when all is acknowledged.
///
/// # Errors
/// When the agent is not enrolled, or the server is not reached.
pub fn sync(config: &Config, args: SyncArgs) -> anyhow::Result<()> {
    let Some(identity) = Identity::load(&config.data_dir)? else {
        bail!("this agent is not enrolled: use `linewatch-agent enroll URL --token TOKEN`");
    };
    let journal = open_journal(config)?;
    let unsent = || -> anyhow::Result<u64> {
        let (_, views) = journal.read_blocking(lane_views)?;
        Ok(views.iter().map(LaneView::unsent).sum())
    };
    let total = unsent()?;
    let bar = ProgressBar::with_draw_target(
        Some(total.max(1)),
        if args.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() },
    );
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} records, {elapsed}")?);
    let runtime = super::runtime(1)?;
    runtime
        .block_on(async {
            let mut session =
                Session::new(journal.clone(), identity.client(journal.vault())?, link::chance()).await?;
            let status = session.status();
            let mut failures = 0;
            loop {
                let step = session.step().await?;
                let left = unsent()?;
                bar.set_length(total.max(left).max(1));
                bar.set_position(total.max(left) - left);
                let (connected, trouble) = {
                    let status = status.borrow();
                    (status.connected, status.trouble.clone())
                };
                match step {
                    Step::Did if trouble.is_some() => {
                        failures += 1;
                        if failures == FAILURES_MAX {
                            bar.abandon();
                            let reason = trouble.unwrap_or_default();
                            return Err(anyhow::anyhow!(
                                "{reason}; {} unsent, kept here",
                                out::records(left)
                            ));
                        }
                    }
                    Step::Did => failures = 0,
                    Step::Wait(_) if connected && left == 0 => return Ok(()),
                    Step::Wait(until) => {
                        let wait_ms = (until.0 - journal.scribe().reading().mono.0).max(0);
                        tokio::time::sleep(std::time::Duration::from_millis(wait_ms.unsigned_abs())).await;
                    }
                }
            }
        })
        .with_context(|| format!("sync with {}", identity.server))?;
    bar.finish_and_clear();
    out::line(&format!("everything is at {} ({} sent)", identity.server, out::records(total)))?;
    Ok(())
}
