//! The packs in force: the shipped ones, and those of `packs.dir`, which replace them by name.
//!
//! Every version that was ever in force stays stored, because open faults keep the version they
//! started under. The same name and version with other content is refused.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use linewatch_shared::rules::{Mistake, Pack, SHIPPED};
use sha2::{Digest, Sha256};

use super::AppError;
use crate::db::{Db, Priority, Tx};
use crate::store::packs::{self, NewVersion};
use crate::store::reference;

/// The most packs that can be in force.
const PACKS_MAX: usize = 256;
/// The largest pack file, in bytes.
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
}

impl PackSet {
    /// Reads the shipped packs, and every `*.toml` of `dir`.
    ///
    /// # Errors
    /// Every mistake in every file.
    pub fn load(dir: Option<&Path>) -> Result<Self, Vec<Mistake>> {
        let mut set = Self::default();
        let mut mistakes = Vec::new();
        for (file, text) in SHIPPED {
            set.add((*text).to_owned(), format!("shipped:{file}"), &mut mistakes);
        }
        let mut from_dir = Self::default();
        if let Some(dir) = dir {
            from_dir.add_dir(dir, &mut mistakes);
        }
        set.by_name.append(&mut from_dir.by_name);
        if mistakes.is_empty() { Ok(set) } else { Err(mistakes) }
    }

    fn add_dir(&mut self, dir: &Path, mistakes: &mut Vec<Mistake>) {
        let listed = std::fs::read_dir(dir).and_then(|entries| {
            entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()
        });
        let mut files = match listed {
            Ok(files) => files,
            Err(e) => return mistakes.push(mistake(dir, "packs.dir", e.to_string())),
        };
        files.retain(|file| file.extension().is_some_and(|e| e == "toml"));
        files.sort();
        if files.len() > PACKS_MAX {
            return mistakes.push(mistake(dir, "packs.dir", format!("holds more than {PACKS_MAX} packs")));
        }
        for file in files {
            match std::fs::metadata(&file) {
                Ok(meta) if meta.len() > PACK_BYTES_MAX => {
                    mistakes.push(mistake(&file, "", format!("is larger than {PACK_BYTES_MAX} bytes")));
                    continue;
                }
                _ => {}
            }
            match std::fs::read_to_string(&file) {
                Ok(text) => self.add(text, file.display().to_string(), mistakes),
                Err(e) => mistakes.push(mistake(&file, "", e.to_string())),
            }
        }
    }

    fn add(&mut self, text: String, origin: String, mistakes: &mut Vec<Mistake>) {
        match Pack::parse(&text, &origin) {
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
            let old = db.read(|tx| packs::version(tx, "group-line", "2026.1")).await.unwrap();
            assert_eq!(old.version, "2026.1");
            let told = crate::db::testing::int(&db, "SELECT COUNT(*) FROM reference_change").await.unwrap();
            assert_eq!(told, 2);
        })
        .await;
    }
}
