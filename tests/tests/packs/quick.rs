//! A shipped pack with limits of seconds.

use anyhow::{Context, Result, ensure};
use linewatch_shared::rules::SHIPPED;

/// Higher than every shipped one.
const VERSION: &str = "2999.1";

/// A copy of a shipped pack under its own name and a higher version: its sections, each as its lines.
pub struct Quick {
    name: &'static str,
    sections: Vec<Vec<String>>,
}

impl Quick {
    pub fn of(name: &'static str) -> Result<Self> {
        let file = format!("{name}.toml");
        let (_, text) = SHIPPED.iter().find(|(shipped, _)| *shipped == file).context(name)?;
        let mut sections = vec![Vec::new()];
        for line in text.lines() {
            if line.starts_with('[') {
                sections.push(Vec::new());
            }
            sections.last_mut().context("a section")?.push(line.to_owned());
        }
        let quick = Self { name, sections };
        quick.changed("[pack]", &[], &[("version", VERSION)])
    }

    /// Gives keys of every entry of a section that says `which` other values.
    pub fn with(self, section: &str, which: &[(&str, &str)], keys: &[(&str, &str)]) -> Result<Self> {
        self.changed(&format!("[[{section}]]"), which, keys)
    }

    fn changed(mut self, head: &str, which: &[(&str, &str)], keys: &[(&str, &str)]) -> Result<Self> {
        let mut found = 0;
        for section in
            self.sections.iter_mut().filter(|section| section.first().is_some_and(|line| line == head))
        {
            let says = |(key, value): &(&str, &str)| {
                let wanted = format!("{key} = \"{value}\"");
                section.iter().any(|line| line.starts_with(&wanted))
            };
            if !which.iter().all(says) {
                continue;
            }
            found += 1;
            for (key, value) in keys {
                section.retain(|line| !line.starts_with(&format!("{key} = ")));
                section.insert(1, format!("{key} = \"{value}\""));
            }
        }
        ensure!(found > 0, "{} has no {head} with {which:?}", self.name);
        Ok(self)
    }

    /// The file's name and text for `packs.dir`.
    pub fn file(&self) -> (String, String) {
        (format!("{}.toml", self.name), self.sections.concat().join("\n"))
    }
}
