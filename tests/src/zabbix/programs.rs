//! Where its programs and the texts of its tables are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Set where peers are to be measured, too.
const WANTED: &str = "BENCH_PEERS";
/// Below the folder of builds: the packages of proxy and server do not go together on one machine, so `scripts/setup.sh
/// peers` unpacks them there.
const UNPACKED: &str = "tools/peers";

/// Whether peers are to be measured, too.
#[must_use]
pub fn is_wanted() -> bool {
    std::env::var_os(WANTED).is_some_and(|value| value == "1")
}

/// The root of what was unpacked.
#[derive(Clone, Debug)]
pub struct Programs {
    root: PathBuf,
}

impl Programs {
    /// Looks for them.
    ///
    /// # Errors
    /// When they are not there.
    pub fn find() -> Result<Self> {
        let me = std::env::current_exe().context("where this program is")?;
        let root = me.parent().and_then(Path::parent).map(|target| target.join(UNPACKED));
        let programs = Self { root: root.context("where builds are")? };
        let is_there = programs.server().exists() && programs.proxy().exists();
        is_there.then_some(()).with_context(|| {
            format!("no Zabbix in {}: scripts/setup.sh peers puts it there", programs.root.display())
        })?;
        Ok(programs)
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> PathBuf {
        self.root.join("usr/sbin/zabbix_server")
    }

    /// The proxy.
    #[must_use]
    pub fn proxy(&self) -> PathBuf {
        self.root.join("usr/sbin/zabbix_proxy")
    }

    /// A compressed text of SQL for the server's database.
    pub(super) fn sql(&self, name: &str) -> PathBuf {
        self.root.join("usr/share/zabbix-server-pgsql").join(name)
    }
}
