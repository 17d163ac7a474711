//! The trail as a file: JSON lines, from which anybody can compute the hashes again, or CSV for spreadsheets. What leaves is
//! an entry of the trail itself, written before the first line.

use std::io::Write;

use linewatch_shared::time::UnixMs;
use serde_json::{Value, json};

use crate::app::{Action, AppError, audit};
use crate::db::{Db, DbError, Priority};
use crate::report::csv::guarded;
use crate::store::audit::chain::{Hash, START};
use crate::store::audit::{self as store, Cut, Stored};

/// Entries that are read at a time.
const PAGE: i64 = 1_000;
/// Names the form of the lines.
const FORM: &str = "linewatch audit 1";

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One JSON object a line.
    Jsonl,
    /// For spreadsheets.
    Csv,
}

/// A line of an export.
#[derive(Debug)]
pub(super) enum Line {
    /// After which entry it begins.
    Begin(Option<Cut>),
    /// An entry.
    Entry(Box<Stored>),
}

const COLUMNS: [&str; 12] = [
    "n",
    "at",
    "at_ms",
    "who",
    "action",
    "subject",
    "detail",
    "salt",
    "detail_salt",
    "content_hash",
    "detail_hash",
    "hash",
];

/// Writes the whole trail; says how many entries that were.
///
/// # Errors
/// The database's, or the file's.
pub async fn write(db: &Db, form: Form, by: &str, now: UnixMs, mut to: impl Write) -> Result<u64, AppError> {
    let by = by.to_owned();
    let detail = json!({ "form": match form { Form::Jsonl => "jsonl", Form::Csv => "csv" } });
    let noted: Result<(), DbError> = db
        .write(Priority::Api, move |tx| audit(tx, now.0, &by, Action::TrailExported, "audit", Some(&detail)))
        .await;
    noted?;
    let failed = |source| AppError::File { path: "the export".into(), source };
    let cut = db.read(store::cut).await?;
    match form {
        Form::Jsonl => {
            let before = cut.unwrap_or(Cut { n: 0, hash: START });
            let begin = json!({ "form": FORM, "after": { "n": before.n, "hash": hex::encode(before.hash) } });
            writeln!(to, "{begin}").map_err(failed)?;
        }
        Form::Csv => write!(to, "\u{feff}{}\r\n", COLUMNS.join(",")).map_err(failed)?,
    }
    let (mut after, mut written) = (cut.map_or(0, |cut| cut.n), 0);
    loop {
        let page: Result<Vec<Stored>, DbError> = db.read(move |tx| store::page(tx, after, PAGE)).await;
        let page = page?;
        let Some(last) = page.last() else { break };
        (after, written) = (last.n, written + page.len() as u64);
        for entry in &page {
            match form {
                Form::Jsonl => writeln!(to, "{}", line(entry)),
                Form::Csv => to.write_all(&row(entry)?),
            }
            .map_err(failed)?;
        }
    }
    to.flush().map_err(failed)?;
    Ok(written)
}

fn hexed(bytes: Option<&Vec<u8>>) -> Option<String> {
    bytes.map(hex::encode)
}

fn line(entry: &Stored) -> Value {
    json!({
        "n": entry.n,
        "at": UnixMs(entry.at_ms).to_rfc3339(),
        "at_ms": entry.at_ms,
        "who": entry.who,
        "action": entry.action,
        "subject": entry.subject,
        "detail": entry.detail,
        "salt": hexed(entry.salt.as_ref()),
        "detail_salt": hexed(entry.detail_salt.as_ref()),
        "content_hash": hex::encode(&entry.content_hash),
        "detail_hash": hexed(entry.detail_hash.as_ref()),
        "hash": hex::encode(&entry.hash),
    })
}

fn row(entry: &Stored) -> Result<Vec<u8>, AppError> {
    let line = line(entry);
    let cell = |column: &str| match &line[column] {
        Value::String(text) => guarded(text),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let mut row = Vec::new();
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut row);
    let failed = |error: csv::Error| AppError::Refused(error.to_string());
    writer.write_record(COLUMNS.iter().map(|column| cell(column))).map_err(failed)?;
    writer.flush().map_err(|source| AppError::File { path: "the export".into(), source })?;
    drop(writer);
    Ok(row)
}

/// Reads a line of an export.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub(super) fn parse(line: &str) -> Result<Line, String> {
    let json: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let bytes = |value: &Value| match value {
        Value::String(text) => hex::decode(text).map(Some).map_err(|error| error.to_string()),
        _ => Ok(None),
    };
    let needed = |name: &str| bytes(&json[name])?.ok_or_else(|| format!("{name} is missing"));
    let number = |value: &Value, name: &str| value.as_i64().ok_or_else(|| format!("{name} is no number"));
    if let Some(form) = json.get("form") {
        if form != FORM {
            return Err(format!("the form {form} is not known here"));
        }
        let after = &json["after"];
        let n = number(&after["n"], "after.n")?;
        let hash = bytes(&after["hash"])?.and_then(|hash| Hash::try_from(hash).ok());
        let hash = hash.ok_or("after.hash is no hash")?;
        return Ok(Line::Begin((n > 0).then_some(Cut { n, hash })));
    }
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    Ok(Line::Entry(Box::new(Stored {
        n: number(&json["n"], "n")?,
        at_ms: number(&json["at_ms"], "at_ms")?,
        action: text("action").ok_or("action is missing")?,
        who: text("who"),
        subject: text("subject"),
        salt: bytes(&json["salt"])?,
        detail: text("detail"),
        detail_salt: bytes(&json["detail_salt"])?,
        content_hash: needed("content_hash")?,
        detail_hash: bytes(&json["detail_hash"])?,
        hash: needed("hash")?,
    })))
}
