//! The packs in force: the shipped ones, and those of `packs.dir`, which replace them by name.
//!
//! Every version that was ever in force stays stored, because open faults keep the version they
//! started under. The same name and version with other content is refused. Calendars of working time are the shipped
//! ones, and those of `calendars` in `packs.dir`, which replace them by name.

mod in_force;
pub mod preview;
pub mod ways;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use linewatch_shared::calendar::Calendars;
use linewatch_shared::rules::{Mistake, Pack, SHIPPED};
use linewatch_shared::time::UnixMs;
use sha2::{Digest, Sha256};

pub(in crate::app) use in_force::{in_force, packs_in_force, packs_in_force_from};

use super::{Action, AppError, audit};
use crate::db::{Db, Priority, Tx};
use crate::store::packs::{self, NewVersion};
use crate::store::reference;

/// The most packs that can be in force.
const PACKS_MAX: usize = 256;
/// The folder of calendars in `packs.dir`.
const CALENDARS_DIR: &str = "calendars";
/// Who puts a pack into force: whoever wrote the file.
const BY_RULE: &str = "rule";
/// The largest file of a pack or a calendar, in bytes.
const PACK_BYTES_MAX: u64 = 1024 * 1024;

/// One pack, its text and where it came from.
#[derive(Clone, Debug)]
pub struct LoadedPack {
    /// Parsed.
    pub pack: Arc<Pack>,
    /// As written.
    pub text: String,
    /// The file, or `shipped:NAME.toml`.
    pub origin: String,
}

impl LoadedPack {
    /// SHA-256 of the text, in hex.
    pub fn sha256(&self) -> String {
        hex::encode(Sha256::digest(self.text.as_bytes()))
    }
}

/// The packs in force, by name.
#[derive(Clone, Debug, Default)]
pub struct PackSet {
    by_name: BTreeMap<String, LoadedPack>,
    calendars: Calendars,
}

impl PackSet {
    /// Reads the shipped packs, and every `*.toml` of `dir`.
    ///
    /// # Errors
    /// Every mistake in every file.
    pub fn load(dir: Option<&Path>) -> Result<Self, Vec<Mistake>> {
        let mut set = Self::default();
        let mut mistakes = Vec::new();
        if let Some(dir) = dir.map(|dir| dir.join(CALENDARS_DIR)).filter(|dir| dir.exists()) {
            for (text, origin) in read_dir(&dir, &mut mistakes) {
                let _: Option<()> =
                    set.calendars.add(&text, &origin).map_err(|found| mistakes.extend(found)).ok();
            }
        }
        for (file, text) in SHIPPED {
            set.add((*text).to_owned(), format!("shipped:{file}"), &mut mistakes);
        }
        let mut from_dir = Self { calendars: set.calendars.clone(), ..Self::default() };
        for (text, origin) in dir.map(|dir| read_dir(dir, &mut mistakes)).unwrap_or_default() {
            from_dir.add(text, origin, &mut mistakes);
        }
        set.by_name.append(&mut from_dir.by_name);
        if mistakes.is_empty() { Ok(set) } else { Err(mistakes) }
    }

    fn add(&mut self, text: String, origin: String, mistakes: &mut Vec<Mistake>) {
        match Pack::parse_with(&text, &origin, &self.calendars) {
            Ok(pack) => {
                let name = pack.name.clone();
                let loaded = LoadedPack { pack: Arc::new(pack), text, origin };
                if let Some(other) = self.by_name.get(&name) {
                    let reason = format!("a pack called \"{name}\" is also in {}", other.origin);
                    mistakes.push(mistake(Path::new(&loaded.origin), "pack.name", reason));
                    return;
                }
                self.by_name.insert(name, loaded);
            }
            Err(found) => mistakes.extend(found),
        }
    }

    /// The calendars at hand.
    pub fn calendars(&self) -> &Calendars {
        &self.calendars
    }

    /// What is to be said about calendars of packs in force that end soon, or have ended.
    pub fn warnings(&self, now: UnixMs) -> Vec<String> {
        let mut said: Vec<String> = self
            .iter()
            .filter_map(|loaded| loaded.pack.days.as_ref()?.warning(now, loaded.pack.time_zone))
            .collect();
        said.sort_unstable();
        said.dedup();
        said
    }

    /// The pack in force under that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Pack>> {
        self.by_name.get(name).map(|loaded| &loaded.pack)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &LoadedPack> {
        self.by_name.values()
    }

    /// Their names, for messages.
    pub fn names(&self) -> String {
        self.by_name.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// The `*.toml` files of a folder: text and name, by name.
fn read_dir(dir: &Path, mistakes: &mut Vec<Mistake>) -> Vec<(String, String)> {
    let listed = std::fs::read_dir(dir).and_then(|entries| {
        entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()
    });
    let mut files = match listed {
        Ok(files) => files,
        Err(e) => {
            mistakes.push(mistake(dir, "packs.dir", e.to_string()));
            return Vec::new();
        }
    };
    files.retain(|file| file.extension().is_some_and(|e| e == "toml"));
    files.sort();
    if files.len() > PACKS_MAX {
        mistakes.push(mistake(dir, "packs.dir", format!("holds more than {PACKS_MAX} files")));
        return Vec::new();
    }
    let mut texts = Vec::with_capacity(files.len());
    for file in files {
        if std::fs::metadata(&file).is_ok_and(|meta| meta.len() > PACK_BYTES_MAX) {
            mistakes.push(mistake(&file, "", format!("is larger than {PACK_BYTES_MAX} bytes")));
            continue;
        }
        match std::fs::read_to_string(&file) {
            Ok(text) => texts.push((text, file.display().to_string())),
            Err(e) => mistakes.push(mistake(&file, "", e.to_string())),
        }
    }
    texts
}

fn mistake(file: &Path, key: &str, reason: String) -> Mistake {
    Mistake { file: file.display().to_string(), line: 0, column: 0, key: key.into(), reason }
}

/// Keeps every version in force; what is new is told to the agents.
///
/// # Errors
/// When a stored version has other content, naming it.
pub async fn store(db: &Db, packs: &Arc<PackSet>, now_ms: i64) -> Result<(), AppError> {
    let packs = Arc::clone(packs);
    db.write(Priority::Api, move |tx| store_in(tx, &packs, now_ms)).await
}

fn store_in(tx: &mut Tx<'_>, set: &PackSet, now_ms: i64) -> Result<(), AppError> {
    tx.lock(&[packs::lock_key()])?;
    let mut added = Vec::new();
    for loaded in set.iter() {
        let (name, version) = (&loaded.pack.name, &loaded.pack.version);
        let sha256 = loaded.sha256();
        match packs::sha256(tx, name, version)? {
            Some(stored) if stored == sha256 => {}
            Some(_) => {
                let reason = format!(
                    "version \"{version}\" of the pack \"{name}\" was in force before with other content; \
                     raise the version"
                );
                let mistakes = vec![mistake(Path::new(&loaded.origin), "pack.version", reason)];
                return Err(AppError::Mistakes(mistakes));
            }
            None => {
                let text = &loaded.text;
                packs::insert(
                    tx,
                    &NewVersion { name, version, sha256: &sha256, text, valid_from_ms: now_ms },
                )?;
                let detail =
                    serde_json::json!({ "version": version, "sha256": sha256, "from": loaded.origin });
                audit(tx, now_ms, BY_RULE, Action::PacksChanged, name, Some(&detail))?;
                added.push((reference::Kind::Pack, name.clone()));
            }
        }
    }
    reference::changed(tx, &added)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::both;

    fn write(dir: &Path, file: &str, edit: impl Fn(&str) -> String) {
        std::fs::write(dir.join(file), edit(SHIPPED[0].1)).unwrap();
    }

    #[test]
    fn a_folder_replaces_by_name_and_reports_every_mistake() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "own.toml", |t| t.replace("\"2026.1\"", "\"2026.1-own\""));
        let set = PackSet::load(Some(dir.path())).unwrap();
        assert_eq!(set.get("group-line").unwrap().version, "2026.1-own");
        write(dir.path(), "twice.toml", str::to_owned);
        write(dir.path(), "bad.toml", |t| t.replace("\"30m\"", "\"30 minutes\"").replace("Asia/", "Azia/"));
        let found: Vec<String> =
            PackSet::load(Some(dir.path())).unwrap_err().iter().map(ToString::to_string).collect();
        assert!(found.iter().any(|m| m.contains("bad.toml:") && m.contains("30 minutes")), "{found:#?}");
        assert!(found.iter().any(|m| m.contains("bad.toml:") && m.contains("Azia")), "{found:#?}");
        assert!(found.iter().any(|m| m.contains("twice.toml") && m.contains("own.toml")), "{found:#?}");
    }

    #[test]
    fn calendars_of_the_folder_count_and_their_mistakes_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let own = "[calendar]\nname = \"own\"\nbusiness_hours = [\"08:00-16:00\"]\n\
                   [[year]]\nyear = 2026\nsource = \"sample\"\n";
        write(dir.path(), "own.toml", |t| t.replace("\"cn\" ", "\"own\"").replace("group-line", "own-line"));
        let missing = PackSet::load(Some(dir.path())).unwrap_err();
        assert!(
            missing[0].to_string().contains("pack.calendar: \"own\" is not one of: 24x7, cn"),
            "{missing:?}"
        );
        std::fs::create_dir(dir.path().join("calendars")).unwrap();
        std::fs::write(dir.path().join("calendars/own.toml"), own).unwrap();
        let set = PackSet::load(Some(dir.path())).unwrap();
        assert_eq!(set.get("own-line").unwrap().days.as_ref().unwrap().name(), "own");
        let at = |text| UnixMs::parse_rfc3339(text).unwrap();
        assert_eq!(set.warnings(at("2026-10-31T15:59:59Z")), Vec::<String>::new());
        let warned = set.warnings(at("2026-10-31T16:00:00Z"));
        assert!(warned.len() == 2 && warned[1].contains("\"own\" ends before 2027-01-01"), "{warned:?}");
        std::fs::write(dir.path().join("calendars/own.toml"), own.replace("2026", "20260")).unwrap();
        let found = PackSet::load(Some(dir.path())).unwrap_err();
        assert!(found[0].to_string().contains("calendars/own.toml:5:8: year.year"), "{found:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_version_never_changes_its_content() {
        both(|db| async move {
            let dir = tempfile::tempdir().unwrap();
            let shipped = Arc::new(PackSet::load(None).unwrap());
            store(&db, &shipped, 5).await.unwrap();
            store(&db, &shipped, 6).await.unwrap();
            write(dir.path(), "own.toml", |t| format!("{t}\n# edited\n"));
            let edited = Arc::new(PackSet::load(Some(dir.path())).unwrap());
            let refused = store(&db, &edited, 7).await.unwrap_err().to_string();
            assert!(refused.contains("own.toml") && refused.contains("raise the version"), "{refused}");
            write(dir.path(), "own.toml", |t| t.replace("\"2026.1\"", "\"2026.2\""));
            store(&db, &Arc::new(PackSet::load(Some(dir.path())).unwrap()), 8).await.unwrap();
            let old =
                db.read(|tx| packs::version(tx, "group-line", "2026.1", Calendars::shipped())).await.unwrap();
            assert_eq!(old.version, "2026.1");
            let told = crate::db::testing::int(&db, "SELECT COUNT(*) FROM reference_change").await.unwrap();
            assert_eq!(told, i64::try_from(SHIPPED.len()).unwrap() + 1);
        })
        .await;
    }
}
