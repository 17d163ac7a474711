//! A shipped pack with limits of seconds.

use anyhow::{Context, Result, ensure};
use linewatch_shared::rules::SHIPPED;
use toml::{Table, Value};

/// Higher than every shipped one.
const VERSION: &str = "2999.1";

/// A copy of a shipped pack under its own name and a higher version.
pub struct Quick {
    name: &'static str,
    table: Table,
}

impl Quick {
    pub fn of(name: &'static str) -> Result<Self> {
        let file = format!("{name}.toml");
        let (_, text) = SHIPPED.iter().find(|(shipped, _)| *shipped == file).context(name)?;
        let mut table: Table = text.parse()?;
        let pack = table.get_mut("pack").and_then(Value::as_table_mut).context("[pack]")?;
        pack.insert("version".to_owned(), VERSION.into());
        Ok(Self { name, table })
    }

    /// Gives keys of every entry of a section that says `which` other values.
    pub fn with(mut self, section: &str, which: &[(&str, &str)], keys: &[(&str, &str)]) -> Result<Self> {
        let entries = self.table.get_mut(section).and_then(Value::as_array_mut).context(section.to_owned())?;
        let mut found = 0;
        for entry in entries.iter_mut().filter_map(Value::as_table_mut) {
            let says = |(key, value): &(&str, &str)| entry.get(*key).and_then(Value::as_str) == Some(*value);
            if !which.iter().all(says) {
                continue;
            }
            found += 1;
            for (key, value) in keys {
                entry.insert((*key).to_owned(), (*value).into());
            }
        }
        ensure!(found > 0, "{} has no [[{section}]] with {which:?}", self.name);
        Ok(self)
    }

    /// The file's name and text for `packs.dir`.
    pub fn file(&self) -> Result<(String, String)> {
        Ok((format!("{}.toml", self.name), toml::to_string(&self.table)?))
    }
}
