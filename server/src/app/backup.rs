//! A copy of the embedded database, and that it was made.

use std::path::PathBuf;

use linewatch_shared::time::UnixMs;

use crate::db::backup::Checked;
use crate::db::{Db, DbError, Priority};
use crate::store::audit::{self, Action};

/// Copies the database to a new file, checks the copy, and writes down who made it.
///
/// # Errors
/// When it cannot be written or is damaged; on PostgreSQL.
pub async fn make(db: &Db, file: PathBuf, who: &'static str, now: UnixMs) -> Result<Checked, DbError> {
    let name = file.display().to_string();
    let checked = db.backup(file).await?;
    let note =
        move |tx: &mut crate::db::Tx<'_>| audit::append(tx, now.0, who, Action::BackupMade, &name, None);
    db.write(Priority::Api, note).await?;
    Ok(checked)
}
