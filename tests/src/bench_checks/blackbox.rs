//! `blackbox_exporter`, run by hand as nobody's in particular, and those who ask it for probes as its Prometheus would:
//! over a few connections that stay open.

use std::fs::{self, Permissions};
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::Kind;
use crate::harness::{BOUND, block_on, eventually, free_port, is_root};

const CONFIG: &str = "modules:
  tcp: { prober: tcp, timeout: 1s, tcp: { preferred_ip_protocol: ip4 } }
  http: { prober: http, timeout: 1s, http: { preferred_ip_protocol: ip4, follow_redirects: false } }
";
/// Nobody, who has nothing.
const NOBODY: [&str; 3] = ["--reuid=nobody", "--regid=nogroup", "--clear-groups"];
/// Who ask, each on a connection of its own.
const ASKING: u32 = 16;
const SUCCESS: &str = "\nprobe_success 1\n";

/// The running program; it ends with this value.
pub struct Blackbox {
    child: Child,
    address: String,
}

impl Blackbox {
    /// Starts `program` with three lines of configuration in `folder`.
    ///
    /// # Errors
    /// When it does not answer in time.
    pub fn start(program: &Path, folder: &Path) -> Result<Self> {
        let config = folder.join("blackbox.yml");
        fs::write(&config, CONFIG)?;
        fs::set_permissions(folder, Permissions::from_mode(0o755))?;
        let address = format!("127.0.0.1:{}", free_port(IpAddr::V4(Ipv4Addr::LOCALHOST))?);
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if is_root() {
            command.args(NOBODY);
        }
        command.arg("--").arg(program).arg("--config.file").arg(&config).args(["--log.level", "error"]);
        command.args(["--web.listen-address", &address]).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().with_context(|| program.display().to_string())?;
        let this = Self { child, address };
        let health = format!("http://{}/-/healthy", this.address);
        eventually(BOUND, "blackbox_exporter answers", || {
            let healthy = block_on(async { reqwest::get(&health).await?.error_for_status() });
            healthy.map(|_| Some(())).map_err(Into::into)
        })?;
        Ok(this)
    }

    /// Its process.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Has `target` probed so many times a second until told to end.
    pub(super) fn ask(&self, kind: Kind, target: &str, per_second: f64) -> Result<Asking> {
        let module = kind.to_string().to_lowercase();
        let url = format!("http://{}/probe?module={module}&target={target}", self.address);
        let counts = Arc::new(Counts::default());
        let every = Duration::from_secs_f64(f64::from(ASKING) / per_second);
        let mut askers = JoinSet::new();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        for nth in 0..ASKING {
            let begin = every * nth / ASKING;
            askers.spawn_on(ask(url.clone(), (begin, every), Arc::clone(&counts)), runtime.handle());
        }
        Ok(Asking { counts, askers, runtime })
    }
}

impl Drop for Blackbox {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Default)]
struct Counts {
    done: AtomicU64,
    stop: AtomicBool,
}

/// Those who ask.
pub(super) struct Asking {
    counts: Arc<Counts>,
    askers: JoinSet<Result<()>>,
    runtime: tokio::runtime::Runtime,
}

impl Asking {
    /// Probes answered so far.
    pub(super) fn done(&self) -> u64 {
        self.counts.done.load(Ordering::Relaxed)
    }

    /// Ends it; an error if one probe had no success.
    pub(super) fn end(mut self) -> Result<()> {
        self.counts.stop.store(true, Ordering::Relaxed);
        self.runtime.block_on(async {
            while let Some(ended) = self.askers.join_next().await {
                ended.map_err(|_| anyhow!("who asks panicked"))??;
            }
            Ok(())
        })
    }
}

async fn ask(url: String, (begin, every): (Duration, Duration), counts: Arc<Counts>) -> Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    tokio::time::sleep(begin).await;
    let mut turns = interval(every);
    turns.set_missed_tick_behavior(MissedTickBehavior::Burst);
    while !counts.stop.load(Ordering::Relaxed) {
        turns.tick().await;
        let text = client.get(&url).send().await?.error_for_status()?.text().await?;
        ensure!(text.contains(SUCCESS), "a probe without success: {text}");
        counts.done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
