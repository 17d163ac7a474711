//! Texts from outside that a database cannot keep: PostgreSQL knows no character U+0000. What has one is put aside, so that
//! one body never holds up those after it.

use linewatch_shared::facts::{Body, Record};
use serde_json::Value;

/// Whether a text of what people wrote has such a character. What machines write has none.
pub(super) fn cannot_be_kept(record: &Record) -> bool {
    let by = record.by.as_ref().is_some_and(|by| by.contains('\0'));
    let written = match &record.body {
        Body::Line(_) | Body::Clock(_) | Body::Health(_) | Body::Minute(_) | Body::Tombstone => false,
        body => serde_json::to_value(body).is_ok_and(|value| holds_nul(&value)),
    };
    by || written
}

/// Our own types nest only so deep; the guard in front of the decoder saw to it.
fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(fields) => fields.values().any(holds_nul),
        _ => false,
    }
}
