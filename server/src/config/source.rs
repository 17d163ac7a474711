//! Where a setting comes from: a flat list of `section.key` with a place for each, from the file and
//! then from the environment. What nobody asked for is a mistake.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;

use linewatch_shared::rules::{Mistake, line_and_column};
use toml::de::{DeTable, DeValue};

use super::Secret;

const PREFIX: &str = "LINEWATCH_";

#[derive(Clone)]
enum Place {
    /// Of the key, and of the value.
    File { key: Range<usize>, value: Range<usize> },
    /// The variable's name.
    Environment(String),
}

enum Raw {
    Text(String),
    List(Vec<String>),
    Other(&'static str),
    /// True or false.
    Flag(bool),
}

pub(super) struct Source {
    name: String,
    text: String,
    entries: BTreeMap<String, (Raw, Place)>,
    /// Sections of the file, to report those that nothing was read from.
    sections: BTreeMap<String, Range<usize>>,
    asked: BTreeSet<String>,
    mistakes: Vec<Mistake>,
}

impl Source {
    pub(super) fn new(text: &str, name: &str, env: Vec<(String, String)>) -> Self {
        let mut source = Self {
            name: name.to_owned(),
            text: text.to_owned(),
            entries: BTreeMap::new(),
            sections: BTreeMap::new(),
            asked: BTreeSet::new(),
            mistakes: Vec::new(),
        };
        match DeTable::parse(text) {
            Ok(table) => source.add_tables("", table.get_ref()),
            Err(e) => source.mistake_at(e.span().map(|s| s.start), "", e.message()),
        }
        for (variable, value) in env {
            if let Some(key) = variable.strip_prefix(PREFIX) {
                let key = key.to_lowercase().replace("__", ".");
                source.entries.insert(key, (Raw::Text(value), Place::Environment(variable)));
            }
        }
        source
    }

    /// Tables within tables are sections of their own: `[channels.duty]`.
    fn add_tables(&mut self, section: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = if section.is_empty() {
                key.get_ref().to_string()
            } else {
                format!("{section}.{}", key.get_ref())
            };
            match value.get_ref().as_table() {
                None => {
                    let place = Place::File { key: key.span(), value: value.span() };
                    self.entries.insert(name, (raw(value.get_ref()), place));
                }
                Some(inner) => {
                    let only_tables =
                        !inner.is_empty() && inner.values().all(|value| value.get_ref().as_table().is_some());
                    self.add_tables(&name, inner);
                    if !only_tables {
                        self.sections.insert(name, key.span());
                    }
                }
            }
        }
    }

    /// Whether a key is there that nobody asked for yet.
    pub(super) fn is_given(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The names of the sections within a section, such as those of `[channels.NAME]`.
    pub(super) fn names_in(&self, section: &str) -> Vec<String> {
        let within = |key: &String| {
            let rest = key.strip_prefix(section)?.strip_prefix('.')?;
            rest.split_once('.').map(|(name, _)| name.to_owned())
        };
        let names: BTreeSet<String> = self.entries.keys().filter_map(within).collect();
        names.into_iter().collect()
    }

    fn take(&mut self, key: &str) -> Option<(Raw, Place)> {
        self.asked.insert(key.to_owned());
        self.entries.remove(key)
    }

    /// A text or number that `read` understands.
    pub(super) fn parsed<T>(&mut self, key: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let (raw, place) = self.take(key)?;
        let result = match raw {
            Raw::Text(text) => read(&text),
            Raw::List(_) => Err("must be one text, not a list".into()),
            Raw::Flag(_) => Err("must be a text in quotes, not true or false".into()),
            Raw::Other(kind) => Err(format!("must be a text in quotes, not {kind}")),
        };
        result.map_err(|reason| self.mistake_in(&place, key, reason)).ok()
    }

    /// True or false; a variable of the environment spells it.
    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        let (raw, place) = self.take(key)?;
        match raw {
            Raw::Flag(flag) => Some(flag),
            Raw::Text(text) if matches!(place, Place::Environment(_)) && text == "true" => Some(true),
            Raw::Text(text) if matches!(place, Place::Environment(_)) && text == "false" => Some(false),
            _ => {
                self.mistake_in(&place, key, "must be true or false, without quotes".into());
                None
            }
        }
    }

    pub(super) fn path(&mut self, key: &str) -> Option<PathBuf> {
        self.parsed(
            key,
            |text| if text.is_empty() { Err("must not be empty".into()) } else { Ok(text.into()) },
        )
    }

    pub(super) fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        self.parsed(key, |text| {
            let found = choices.iter().find(|(name, _)| *name == text);
            found.map(|(_, value)| *value).ok_or_else(|| {
                let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
                format!("\"{text}\" is not one of: {}", names.join(", "))
            })
        })
    }

    pub(super) fn list(&mut self, key: &str) -> Option<Vec<String>> {
        let (raw, place) = self.take(key)?;
        match raw {
            Raw::List(list) => Some(list),
            Raw::Text(text) if matches!(place, Place::Environment(_)) => Some(
                text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect(),
            ),
            _ => {
                self.mistake_in(&place, key, "must be a list of texts, such as [\"a\", \"b\"]".into());
                None
            }
        }
    }

    /// A secret, given as it is or by the name of a file that holds it.
    pub(super) fn secret(&mut self, key: &str) -> Option<Secret> {
        let file_key = format!("{key}_file");
        let both = self.entries.contains_key(key) && self.entries.contains_key(&file_key);
        let given = self.parsed(key, |text| Ok(Secret::new(text.to_owned())));
        let read = self.parsed(&file_key, |file| {
            let text = std::fs::read_to_string(file).map_err(|e| format!("{file}: {e}"))?;
            Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
        });
        if both {
            self.mistake(key, "give either the secret or the file that holds it, not both");
        }
        given.or(read)
    }

    /// A mistake that has no value of its own to point at.
    pub(super) fn mistake(&mut self, key: &str, reason: &str) {
        let section = key.rsplit_once('.').and_then(|(section, _)| self.sections.get(section));
        self.mistake_at(section.map(|span| span.start), key, reason);
    }

    fn mistake_in(&mut self, place: &Place, key: &str, reason: String) {
        match place {
            Place::File { value, .. } => self.mistake_at(Some(value.start), key, &reason),
            Place::Environment(variable) => self.mistakes.push(Mistake {
                file: "environment".into(),
                line: 0,
                column: 0,
                key: variable.clone(),
                reason,
            }),
        }
    }

    fn mistake_at(&mut self, offset: Option<usize>, key: &str, reason: &str) {
        let (line, column) = offset.map_or((0, 0), |offset| line_and_column(&self.text, offset));
        let (file, key, reason) = (self.name.clone(), key.to_owned(), reason.to_owned());
        self.mistakes.push(Mistake { file, line, column, key, reason });
    }

    /// Reports what was not asked for, and everything found so far.
    pub(super) fn finish(mut self) -> Result<(), Vec<Mistake>> {
        let known: BTreeSet<String> =
            self.asked.iter().filter_map(|key| Some(key.rsplit_once('.')?.0.to_owned())).collect();
        for (section, span) in std::mem::take(&mut self.sections) {
            if !known.contains(&section) {
                let names: Vec<&str> = known.iter().map(String::as_str).collect();
                let reason = format!("unknown section; known: {}", names.join(", "));
                self.mistake_at(Some(span.start), &section, &reason);
            }
        }
        for (key, (_, place)) in std::mem::take(&mut self.entries) {
            let section = key.rsplit_once('.').map(|(section, _)| section);
            match place {
                Place::File { key: span, .. } if section.is_none_or(|s| known.contains(s)) => {
                    let reason = self.unknown(section);
                    self.mistake_at(Some(span.start), &key, &reason);
                }
                // Other programs of ours share the prefix.
                Place::Environment(_) if section.is_some_and(|s| known.contains(s)) => {
                    let reason = self.unknown(section);
                    self.mistake_in(&place, &key, reason);
                }
                _ => {}
            }
        }
        self.mistakes.sort_by_key(|m| (m.line, m.column));
        if self.mistakes.is_empty() { Ok(()) } else { Err(self.mistakes) }
    }

    fn unknown(&self, section: Option<&str>) -> String {
        let in_section = |key: &&String| key.rsplit_once('.').map(|(s, _)| s) == section;
        let names: Vec<&str> =
            self.asked.iter().filter(in_section).map(|key| key.rsplit('.').next().unwrap_or(key)).collect();
        let place = section.map_or_else(|| "here".to_owned(), |s| format!("in [{s}]"));
        format!("unknown key; known {place}: {}", names.join(", "))
    }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Raw::Text(number.as_str().to_owned()),
        DeValue::Array(items) => {
            let texts: Option<Vec<String>> =
                items.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect();
            texts.map_or(Raw::Other("a list of something else than texts"), Raw::List)
        }
        DeValue::Integer(_) => Raw::Other("a number in another base"),
        DeValue::Float(_) => Raw::Other("a number with a point"),
        DeValue::Boolean(flag) => Raw::Flag(*flag),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}
