//! The agent's configuration: a TOML file of one line or more, and the environment over it.
//!
//! `LINEWATCH_DATA_DIR` sets `data_dir`, `LINEWATCH_UI__LISTEN` sets `listen` in `[ui]`, and so on.
//! Nothing is guessed: an unknown key or a wrong value is an error with its place.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use linewatch_shared::probe_url::ProbeSpec;
use serde::Deserialize;

use crate::vault::VaultConfig;

/// Where the local status is served unless the file says otherwise.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8090);
/// What a variable of the environment begins with.
const PREFIX: &str = "LINEWATCH_";
/// The longest configuration file, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// The most outside anchors.
pub const ANCHORS_MAX: usize = 8;
/// The most by which probes are slowed on battery.
pub const SLOWER_MAX: u32 = 60;

/// What the agent is told by its file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the journal and the identity are kept.
    pub data_dir: PathBuf,
    /// The local status page.
    #[serde(default)]
    pub ui: Ui,
    /// Logging.
    #[serde(default)]
    pub log: Log,
    /// Probing.
    #[serde(default)]
    pub probe: Probe,
    /// Where the key comes from that the data is sealed with.
    #[serde(default)]
    pub vault: VaultConfig,
}

/// The local status page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ui {
    /// A loopback address and port.
    pub listen: SocketAddr,
}

impl Default for Ui {
    fn default() -> Self {
        Self { listen: DEFAULT_LISTEN }
    }
}

/// Logging.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// How a line is written.
    pub format: LogFormat,
    /// Which lines are written: a level, or directives such as `info,linewatch_agent=debug`.
    pub level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Probing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Probe {
    /// Outside hosts that tell a dead uplink from a dead line: probe URLs, such as `icmp://192.0.2.1`.
    pub anchors: Vec<String>,
    /// By how much longer the times between probes are while the machine runs on its battery: 1 for not at all.
    pub slower_on_battery: u32,
}

impl Default for Probe {
    fn default() -> Self {
        Self { anchors: Vec::new(), slower_on_battery: 1 }
    }
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something in the file is wrong.
    #[error("{path}:{line}: {reason}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1 on.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Something in the environment is wrong.
    #[error("{name}: {reason}")]
    Environment {
        /// Which variable.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

impl Config {
    /// Reads the file and lays the environment over it.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn load(
        path: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let read = |source| ConfigError::Read { path: path.to_owned(), source };
        let size = std::fs::metadata(path).map_err(read)?.len();
        if size > FILE_BYTES_MAX {
            return Err(read(std::io::Error::other("the file is longer than 1 MiB")));
        }
        let text = std::fs::read_to_string(path).map_err(read)?;
        Self::parse(path, &text, environment)
    }

    fn parse(
        path: &Path,
        text: &str,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let at = |offset: usize, reason: String| ConfigError::File {
            path: path.to_owned(),
            line: text[..offset.min(text.len())].matches('\n').count() + 1,
            reason,
        };
        let of_toml = |error: toml::de::Error| {
            at(error.span().map_or(0, |span| span.start), error.message().trim().to_owned())
        };
        let mut table: toml::Table = text.parse().map_err(of_toml)?;
        let overrides: Vec<(String, String)> = environment.filter(|(name, _)| is_ours(name)).collect();
        if !overrides.is_empty() {
            // The file alone is judged first, so that its mistakes are told with their lines.
            if table.contains_key("data_dir") {
                toml::from_str::<Self>(text).map_err(of_toml)?;
            }
            for (name, value) in &overrides {
                set(&mut table, name, value)?;
            }
            let config = table.try_into::<Self>().map_err(|error| ConfigError::Environment {
                name: overrides.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "),
                reason: error.message().trim().to_owned(),
            })?;
            return config.checked().map_err(|(key, reason)| at(find(text, key), reason));
        }
        let config: Self = toml::from_str(text).map_err(of_toml)?;
        config.checked().map_err(|(key, reason)| at(find(text, key), reason))
    }

    /// What the types alone do not say.
    fn checked(self) -> Result<Self, (&'static str, String)> {
        if self.data_dir.as_os_str().is_empty() {
            return Err(("data_dir", "data_dir is empty".to_owned()));
        }
        if !self.ui.listen.ip().is_loopback() {
            let reason = format!("ui.listen: {} is not a loopback address", self.ui.listen.ip());
            return Err(("listen", reason));
        }
        if self.probe.anchors.len() > ANCHORS_MAX {
            return Err(("anchors", format!("probe.anchors: more than {ANCHORS_MAX}")));
        }
        if !(1..=SLOWER_MAX).contains(&self.probe.slower_on_battery) {
            let reason = format!("probe.slower_on_battery: 1 (not at all) to {SLOWER_MAX}");
            return Err(("slower_on_battery", reason));
        }
        for anchor in &self.probe.anchors {
            if let Err(error) = anchor.parse::<ProbeSpec>() {
                return Err(("anchors", format!("probe.anchors: {anchor}: {error}")));
            }
        }
        if let Err(error) = self.log.level.parse::<tracing_subscriber::EnvFilter>() {
            return Err(("level", format!("log.level: {error}")));
        }
        Ok(self)
    }
}

/// Where a key is written, for the line of an error.
fn find(text: &str, key: &str) -> usize {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with(key) {
            return at;
        }
        at += line.len();
    }
    0
}

/// Whether a variable sets a key of ours: top-level keys by their names, others by section.
fn is_ours(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|rest| rest == "DATA_DIR" || rest.contains("__"))
}

/// Sets one key of the environment in the file's table.
fn set(table: &mut toml::Table, name: &str, value: &str) -> Result<(), ConfigError> {
    let path = name[PREFIX.len()..].to_lowercase();
    let mut keys: Vec<&str> = path.split("__").collect();
    let wrong = |reason: String| ConfigError::Environment { name: name.to_owned(), reason };
    let Some(last) = keys.pop().filter(|key| !key.is_empty()) else {
        return Err(wrong("names no key".to_owned()));
    };
    let mut at = table;
    for key in keys {
        let entry = at.entry(key).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        at = entry.as_table_mut().ok_or_else(|| wrong(format!("{key} is not a section")))?;
    }
    // An array, true and false are written as in the file; anything else is a text.
    let parsed = if let Ok(value) = value.parse::<bool>() {
        toml::Value::Boolean(value)
    } else if value.trim_start().starts_with('[') {
        let document: toml::Table = format!("value = {value}")
            .parse()
            .map_err(|error: toml::de::Error| wrong(error.message().to_owned()))?;
        document.get("value").cloned().unwrap_or(toml::Value::String(value.to_owned()))
    } else {
        toml::Value::String(value.to_owned())
    };
    at.insert(last.to_owned(), parsed);
    Ok(())
}

#[cfg(test)]
mod tests;
