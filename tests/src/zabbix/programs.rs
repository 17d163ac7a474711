//! Where its programs and the texts of its tables are.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::bench::peers_folder;

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
        let programs = Self { root: peers_folder()? };
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
