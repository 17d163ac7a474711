//! Versions of what runs in benchmarks, for their page.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::postgres_program;
use crate::zabbix::Programs;

/// Name and version of each that is installed, in one line.
#[must_use]
pub fn versions() -> String {
    let zabbix = |pick: fn(&Programs) -> PathBuf| Programs::find().ok().map(|programs| pick(&programs));
    let asked = [
        ("PostgreSQL", postgres_program("postgres").ok(), "--version"),
        ("fping", Some("fping".into()), "--version"),
        ("blackbox exporter", Some("prometheus-blackbox-exporter".into()), "--version"),
        ("Zabbix proxy", zabbix(Programs::proxy), "--version"),
        ("Zabbix server", zabbix(Programs::server), "--version"),
    ];
    let mut all = vec![format!("SQLite {}", rusqlite::version())];
    for (name, program, word) in asked {
        let version = program.and_then(|program| version(&program, word));
        all.extend(version.map(|version| format!("{name} {version}")));
    }
    all.join(", ")
}

/// What a program says of itself: some say it on standard error.
fn version(program: &Path, word: &str) -> Option<String> {
    let out = Command::new(program).arg(word).output().ok()?;
    let said = [out.stdout, out.stderr].concat();
    first_version(&String::from_utf8_lossy(&said)).map(str::to_owned)
}

/// The first word that is a number with points in it.
fn first_version(said: &str) -> Option<&str> {
    let words = said.split_whitespace().map(|word| word.trim_end_matches([',', '.']));
    let mut numbers = words.filter(|word| word.contains('.'));
    numbers.find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_programs_say() {
        let said = [
            ("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", "15.14"),
            ("fping: Version 5.1\nfping: comments to a sample", "5.1"),
            ("zabbix_proxy (Zabbix) 6.0.14\nRevision 1a2b3c 6 February 2023", "6.0.14"),
            ("blackbox_exporter, version 0.23.0 (branch: debian/sid)", "0.23.0"),
        ];
        for (said, version) in said {
            assert_eq!(first_version(said), Some(version));
        }
        assert_eq!(first_version("no such program"), None);
    }
}
