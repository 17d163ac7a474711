//! Where the trail's end was, written down outside of the database: whoever takes the end away, or writes the whole chain
//! anew, would have to change this file (and the log, which says the same) too.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};

use crate::app::{App, AppError};
use crate::config::Settings;
use crate::db::Db;
use crate::store::audit;

/// The file's name in the data folder.
const FILE: &str = "audit-anchors.jsonl";
/// How often the trail is anchored.
const EVERY: Duration = Duration::from_hours(1);
/// How often all of it is checked.
const CHECKED_EVERY_HOURS: u64 = 24;
/// The most lines that are read, from the end.
const ANCHORS_MAX: usize = 200_000;

/// An entry that was the last one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// When it was looked at.
    pub at: String,
    /// Its number.
    pub n: i64,
    /// Its hash, hex.
    pub hash: String,
    /// A backup was put back: the trail goes on from here, and what was anchored beyond is no more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restored: bool,
}

/// The file of this installation.
#[must_use]
pub fn file(settings: &Settings) -> PathBuf {
    settings.data_dir.join(FILE)
}

/// The anchors in a file that still hold, by number; none when there is no file.
///
/// # Errors
/// When it cannot be read, or a line of it is no anchor.
pub fn read(file: &Path) -> Result<Vec<Anchor>, AppError> {
    let failed = |source| AppError::File { path: file.to_owned(), source };
    let opened = match std::fs::File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut anchors: Vec<Anchor> = Vec::new();
    for (at, line) in BufReader::new(opened).lines().enumerate() {
        let line = line.map_err(failed)?;
        let anchor: Anchor = serde_json::from_str(&line).map_err(|error| {
            AppError::Refused(format!("{}: line {} is no anchor: {error}", file.display(), at + 1))
        })?;
        if anchor.restored {
            anchors.retain(|before| before.n <= anchor.n);
        }
        if anchors.len() >= ANCHORS_MAX {
            anchors.drain(..ANCHORS_MAX / 2);
        }
        anchors.push(anchor);
    }
    anchors.sort_by_key(|anchor| anchor.n);
    Ok(anchors)
}

/// Writes down where the trail ends now, in the file and in the log, unless that is there already.
///
/// # Errors
/// The database's and the file's.
pub async fn write(db: &Db, file: &Path, now: UnixMs) -> Result<Option<Anchor>, AppError> {
    let last = read(file)?.pop();
    let Some((n, hash)) = db.read(audit::head).await? else { return Ok(None) };
    let anchor = Anchor { at: now.to_rfc3339(), n, hash: hex::encode(hash), restored: false };
    if let Some(last) = last.filter(|last| last.n >= n) {
        if last.n > n {
            let says =
                "the audit trail ends before its anchor: was a backup put back? `audit restored` says so";
            tracing::error!(n, anchored = last.n, "{says}");
        }
        return Ok(Some(last));
    }
    append(file, &anchor)?;
    tracing::info!(n, hash = %anchor.hash, "the audit trail's end");
    Ok(Some(anchor))
}

/// Appends a line and makes it durable.
///
/// # Errors
/// The file's.
pub(super) fn append(file: &Path, anchor: &Anchor) -> Result<(), AppError> {
    let failed = |source| AppError::File { path: file.to_owned(), source };
    let mut line = serde_json::to_vec(anchor).map_err(|error| AppError::Refused(error.to_string()))?;
    line.push(b'\n');
    let opened = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(file);
    let mut opened = opened.map_err(failed)?;
    opened.write_all(&line).map_err(failed)?;
    opened.sync_all().map_err(failed)
}

/// Anchors the trail at the start, each hour, and at the end.
///
/// # Errors
/// Never; the type is that of all loops.
pub async fn run(app: Arc<App>) -> anyhow::Result<()> {
    let file = file(&app.settings);
    let mut hours = 0_u64;
    while !app.shutdown.is_cancelled() {
        if hours.is_multiple_of(CHECKED_EVERY_HOURS)
            && let Err(error) = super::check(&app).await
        {
            tracing::warn!(%error, "the audit trail could not be checked; trying again later");
        }
        anchor(&app, &file).await;
        hours += 1;
        tokio::select! {
            () = app.shutdown.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
    anchor(&app, &file).await;
    Ok(())
}

async fn anchor(app: &App, file: &Path) {
    if let Err(error) = write(&app.db, file, app.now()).await {
        tracing::warn!(%error, "the audit trail could not be anchored; trying again later");
    }
}
