//! Where the database is, to notice that it was copied, restored or failed over: then it may hold less than agents were
//! told, and they are asked anew.
//!
//! An embedded database is known by the machine, its file's inode, and a counter that rises with each start, in the database
//! and in a small file beside it. PostgreSQL is known by its cluster, its database and its timeline, which is another one after
//! every promotion and restored archive.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Db, DbError, Engine, dialect};

const MACHINE_ID_PATH: &str = "/etc/machine-id";

impl Db {
    /// What the database's place is recognised by; none where PostgreSQL does not say.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn place(&self) -> Result<Option<String>, DbError> {
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let path = sqlite.path();
                let inode = fs::metadata(path).map_err(|e| file_error(path, &e))?.ino();
                // A container without a machine id is told apart by the inode alone.
                let machine = fs::read_to_string(MACHINE_ID_PATH).unwrap_or_default();
                Ok(Some(format!("{} {inode}", machine.trim())))
            }
            Engine::Postgres(_) => {
                let told: Result<String, DbError> =
                    self.read(|tx| tx.query_one(dialect::PG_PLACE, &[])?.get(0)).await;
                match told {
                    Ok(place) => Ok(Some(place)),
                    Err(e) if e.is_retryable() => Err(e),
                    // A managed one may keep it to itself.
                    Err(e) => {
                        tracing::debug!(error = %e, "PostgreSQL does not say where it is");
                        Ok(None)
                    }
                }
            }
        }
    }

    /// How often the database beside which this file lies was started; none without such a file, or on PostgreSQL.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn starts_outside(&self) -> Result<Option<i64>, DbError> {
        let Some(path) = self.counter() else { return Ok(None) };
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim().parse().unwrap_or(0))),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(file_error(&path, &e)),
        }
    }

    /// Writes down outside how often it was started; nothing on PostgreSQL.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_starts_outside(&self, count: i64) -> Result<(), DbError> {
        let Some(path) = self.counter() else { return Ok(()) };
        let fresh = path.with_extension("generation-new");
        let write = || -> std::io::Result<()> {
            let mut file = fs::File::create(&fresh)?;
            writeln!(file, "{count}")?;
            file.sync_all()?;
            fs::rename(&fresh, &path)
        };
        write().map_err(|e| file_error(&path, &e))
    }

    fn counter(&self) -> Option<PathBuf> {
        match &self.engine {
            Engine::Sqlite(sqlite) => Some(sqlite.path().with_extension("generation")),
            Engine::Postgres(_) => None,
        }
    }
}

fn file_error(path: &Path, e: &std::io::Error) -> DbError {
    DbError::Data(format!("{}: {e}", path.display()))
}
