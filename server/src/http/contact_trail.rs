//! Who reads whom to call: every answer that says so is in the audit trail, whatever its route, one entry for each reading
//! and not one for each row. It is found in the answer itself, so that no route can forget to say it.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, header};
use axum::response::Response;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::confidential::{ANSWER_BYTES_MAX, FIELDS};
use super::error::ApiError;
use crate::app::{App, contact_reads};
use crate::auth::Caller;
use crate::db::{DbError, Priority};

/// Routes whose handlers write it down themselves, of the one thing that they show.
const NOTED_THEMSELVES: [&str; 4] =
    ["/customers/{code}", "/sites/{id}", "/contractors/{code}", "/visits/{id}"];
/// The most customers that one entry names.
const CUSTOMERS_MAX: usize = 100;

/// What was asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    method: Method,
    /// As it was declared, below `/api/v1`.
    route: String,
    /// Tells one page or wish from another, without repeating it.
    of_query: String,
}

impl Asked {
    pub(super) fn of(request: &Request) -> Self {
        let matched = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let path = request.uri().path();
        // What a path names is told apart like what a query asks.
        let named = format!("{}?{}", path, request.uri().query().unwrap_or_default());
        let hash = hex::encode(&Sha256::digest(named)[..6]);
        let route = matched.strip_prefix("/api/v1").unwrap_or(matched).to_owned();
        Self { method: request.method().clone(), route, of_query: hash }
    }

    fn subject(&self) -> String {
        format!("{} {} #{}", self.method, self.route, self.of_query)
    }
}

/// Lets an answer through; one that says whom to call is noted first.
///
/// # Errors
/// The database's; then nothing is answered.
pub(super) async fn note(
    app: &App,
    caller: &Caller,
    asked: &Asked,
    response: Response,
) -> Result<Response, ApiError> {
    if !response.status().is_success() || NOTED_THEMSELVES.contains(&asked.route.as_str()) {
        return Ok(response);
    }
    let (is_json, is_packed) =
        (is(&response, "application/json"), response.headers().contains_key(header::CONTENT_ENCODING));
    if is(&response, "text/event-stream") || (is_json && is_packed) {
        // The board itself, and what happens on it: whoever reads that reads contacts.
        write(app, caller, asked, &Bytes::new()).await?;
        return Ok(response);
    }
    if !is_json {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let too_large = |_| DbError::Data("an answer is too large to be looked through".to_owned());
    let bytes = to_bytes(body, ANSWER_BYTES_MAX).await.map_err(too_large)?;
    if speaks(&bytes) {
        write(app, caller, asked, &bytes).await?;
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn is(response: &Response, kind: &str) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value == kind)
}

async fn write(app: &App, caller: &Caller, asked: &Asked, bytes: &Bytes) -> Result<(), DbError> {
    let (by, subject, now) = (caller.user.clone(), asked.subject(), app.now());
    let (who, about) = (by.clone(), subject.clone());
    let noted: Result<bool, DbError> =
        app.db.read(move |tx| contact_reads::is_noted(tx, &who, &about, now)).await;
    if noted? {
        return Ok(());
    }
    let detail = detail(asked, bytes);
    app.db.write(Priority::Api, move |tx| contact_reads::note_of(tx, &by, &subject, Some(&detail), now)).await
}

/// Which route, and whose contacts.
fn detail(asked: &Asked, bytes: &Bytes) -> Value {
    let mut customers = std::collections::BTreeSet::new();
    if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
        let own = if asked.route == "/customers" { "code" } else { "customer" };
        gather(&value, own, &mut customers);
    }
    let more = customers.len().saturating_sub(CUSTOMERS_MAX);
    let named: Vec<String> = customers.into_iter().take(CUSTOMERS_MAX).collect();
    json!({ "route": asked.route, "customers": named, "and_more": more })
}

/// The codes of customers in an answer; our own answers nest only so deep as their types do.
fn gather(value: &Value, field: &str, found: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, field, found)),
        Value::Object(object) => {
            found.extend(object.get(field).and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|inner| gather(inner, field, found));
        }
        _ => {}
    }
}

/// Whether an answer as we write it says something in one of the fields of contacts. It is not read for that: it may be long.
fn speaks(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(at) = rest.iter().position(|byte| *byte == b'"') {
        let from = &rest[at + 1..];
        let Some(end) = from.iter().position(|byte| *byte == b'"' || *byte == b'\\') else { return false };
        let (word, after) = from.split_at(end);
        if after.starts_with(b"\\") {
            // What is escaped is no name of a field: on to the end of that text.
            rest = skip_text(after);
            continue;
        }
        let after = &after[1..];
        let is_field = FIELDS.iter().any(|field| field.as_bytes() == word);
        if is_field && after.starts_with(b":") && says_something(&after[1..]) {
            return true;
        }
        rest = after;
    }
    false
}

/// Whether a value is neither null nor empty.
fn says_something(value: &[u8]) -> bool {
    ["null", "\"\"", "[]"].into_iter().all(|nothing| !value.starts_with(nothing.as_bytes()))
}

/// What follows a text of which an escaped character has been reached.
fn skip_text(mut text: &[u8]) -> &[u8] {
    loop {
        match text {
            [b'"', rest @ ..] => return rest,
            [b'\\', _, rest @ ..] | [_, rest @ ..] => text = rest,
            [] => return text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_speaks_where_a_field_of_contacts_says_something() {
        for (text, expected) in [
            (r#"{"contact":{"name":"x"}}"#, true),
            (r#"{"items":[{"contact_phone":null},{"contact_phone":"010"}]}"#, true),
            (r#"{"contact_phone":null,"contact_name":"","met":[]}"#, false),
            (r#"{"note":"the \"contact\":\"x\" is away","contact":null}"#, false),
            (r#"{"note":"a\\","reporter":"x"}"#, true),
            (r#"{"text":"contact"}"#, false),
            ("", false),
            ("\"\\", false),
        ] {
            assert_eq!(speaks(text.as_bytes()), expected, "{text}");
        }
    }
}
