//! `sync`: everything, now, with a progress bar.

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::open_journal;
use crate::config::Config;
use crate::enroll::{Identity, renewal};
use crate::field::parts;
use crate::journal::{LaneView, lane_views};
use crate::out;
use crate::run::link;
use crate::sync::session::{Session, Step};
use crate::vault::Vault;

/// Failures in a row after which the command gives up; the running agent never does.
const FAILURES_MAX: u32 = 3;
/// The longest pause after a failure that the command waits for: the server refuses this agent, or asks for patience.
const WAIT_MS_MAX: i64 = 60_000;

/// Waits for pictures that the server does not want, after which the command gives up.
const IN_VAIN_MAX: u32 = 2;

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
    let pictures = || -> anyhow::Result<u64> { Ok(journal.read_blocking(parts::left)?.parts) };
    let runtime = super::runtime(1)?;
    let identity = runtime.block_on(with_valid_certificate(config, identity, journal.vault()))?;
    let (total, total_pictures) = (unsent()?, pictures()?);
    let bar = ProgressBar::with_draw_target(
        Some(total.max(1)),
        if args.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() },
    );
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} records and pictures, {elapsed}")?);
    runtime
        .block_on(async {
            let mut session =
                Session::new(journal.clone(), identity.client(&config.data_dir, journal.vault())?, link::chance()).await?;
            let status = session.status();
            let (mut failures, mut in_vain) = (0, 0);
            loop {
                let step = session.step().await?;
                let (left, left_pictures) = (unsent()?, pictures()?);
                let (all, all_left) = (total.max(left) + total_pictures.max(left_pictures), left + left_pictures);
                bar.set_length(all.max(1));
                bar.set_position(all - all_left);
                let (connected, trouble) = {
                    let status = status.borrow();
                    (status.connected, status.trouble.clone())
                };
                match step {
                    Step::Did if trouble.is_some() => {
                        failures += 1;
                        if failures == FAILURES_MAX {
                            return Err(given_up(&bar, &trouble.unwrap_or_default(), left));
                        }
                    }
                    Step::Did => failures = 0,
                    Step::Wait(_) if connected && all_left == 0 => return Ok(()),
                    // Asked, and the server does not want them, or is too old to know of them.
                    Step::Wait(_) if connected && left == 0 && (in_vain == IN_VAIN_MAX || !session.sends_parts()) => {
                        bar.abandon();
                        bail!("{left_pictures} pictures of reports are not taken by the server yet; they are kept here");
                    }
                    Step::Wait(until) => {
                        let wait_ms = (until.0 - journal.scribe().reading().mono.0).max(0);
                        if let Some(reason) = trouble.filter(|_| wait_ms > WAIT_MS_MAX) {
                            return Err(given_up(&bar, &reason, left));
                        }
                        in_vain += u32::from(connected && left == 0);
                        tokio::time::sleep(std::time::Duration::from_millis(wait_ms.unsigned_abs())).await;
                    }
                }
            }
        })
        .with_context(|| format!("sync with {}", identity.server))?;
    bar.finish_and_clear();
    let sent = match total_pictures {
        0 => out::records(total),
        pictures => format!("{}, {pictures} pictures", out::records(total)),
    };
    out::line(&format!("everything is at {} ({sent} sent)", identity.server))?;
    Ok(())
}

/// With a new certificate where the server says that the stored one counts no more.
async fn with_valid_certificate(
    config: &Config,
    identity: Identity,
    vault: &Vault,
) -> anyhow::Result<Identity> {
    match identity.client(&config.data_dir, vault)?.whoami().await {
        Err(error) if error.is_over() => {}
        // Anything else is met, and told, by the conversation.
        _ => return Ok(identity),
    }
    let proved = renewal::prove(&config.data_dir, &identity, vault).await;
    proved.with_context(|| format!("a new certificate from {}", identity.server))?;
    Ok(Identity::load(&config.data_dir)?.unwrap_or(identity))
}

fn given_up(bar: &ProgressBar, reason: &str, left: u64) -> anyhow::Error {
    bar.abandon();
    anyhow::anyhow!("{reason}; {} unsent, kept here", out::records(left))
}
