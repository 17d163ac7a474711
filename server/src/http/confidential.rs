//! What a user without a valid agreement of confidentiality, and a screen on the wall, are not told: whom to call at a customer. It is taken out of
//! every JSON answer in one place, so that no endpoint can forget to.

use std::collections::BTreeSet;
use std::convert::Infallible;

use axum::body::{Body, to_bytes};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::error::ApiError;
use crate::app::App;
use crate::auth::{Caller, Via};
use crate::db::DbError;
use crate::store::agreements;

/// Fields that say who is to be called, was met, asked or signed at a customer, and under which number.
pub(super) const FIELDS: [&str; 12] = [
    "contact",
    "contact_name",
    "contact_phone",
    "contact_email",
    "access_contact",
    "access_phone",
    "reporter",
    "met",
    "agreed_by",
    "signer",
    "signed_by",
    "wanting",
];
/// The step whose `name` is a customer's signature.
const SIGNED: &str = "signed";
/// Names the fields that were withheld, also where the answer is no object.
const HEADER: header::HeaderName = header::HeaderName::from_static("x-linewatch-withheld");
/// The largest answer that is looked through, in bytes.
pub(super) const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Why contact data is withheld from the caller; none where it is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Withheld(pub Option<String>);

impl Withheld {
    /// Looks at the caller's agreement, where the desk asks for one.
    ///
    /// # Errors
    /// The database's.
    pub async fn of(app: &App, caller: &Caller) -> Result<Self, DbError> {
        if caller.via == Via::Screen {
            return Ok(Self(Some("anyone may stand before a screen: it shows nobody's contacts".to_owned())));
        }
        if !app.settings.confidentiality {
            return Ok(Self(None));
        }
        let (person, now) = (caller.user.clone(), app.now());
        let held: Result<bool, DbError> = app.db.read(move |tx| agreements::holds(tx, &person, now)).await;
        Ok(Self((!held?).then(|| {
            format!(
                "no agreement of confidentiality of {} is on record that holds today: an administrator records one",
                caller.user
            )
        })))
    }

    /// Refuses what cannot be given in part.
    ///
    /// # Errors
    /// 403 `no_agreement` where contact data is withheld.
    pub fn refuse(&self) -> Result<(), ApiError> {
        self.0.as_ref().map_or(Ok(()), |reason| Err(ApiError::forbidden("no_agreement", reason.as_str())))
    }

    /// A text of JSON without what is withheld.
    pub fn without(&self, text: &str) -> String {
        if self.0.is_none() {
            return text.to_owned();
        }
        match serde_json::from_str(text) {
            Ok(mut value) => {
                withhold(&mut value, &mut BTreeSet::new());
                Value::to_string(&value)
            }
            Err(_) => String::new(),
        }
    }

    /// An answer without what is withheld; it says so, and why.
    ///
    /// # Errors
    /// When the answer is too large to be looked through.
    pub async fn filter(&self, response: Response) -> Result<Response, ApiError> {
        let Some(reason) = &self.0 else { return Ok(response) };
        let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        if content_type != Some("application/json") {
            return Ok(response);
        }
        let (mut parts, body) = response.into_parts();
        let too_large = |_| DbError::Data("an answer is too large to be looked through".to_owned());
        let bytes = to_bytes(body, ANSWER_BYTES_MAX).await.map_err(too_large)?;
        let mut value: Value =
            serde_json::from_slice(&bytes).map_err(|error| DbError::Data(error.to_string()))?;
        let mut fields = BTreeSet::new();
        withhold(&mut value, &mut fields);
        if fields.is_empty() {
            return Ok(Response::from_parts(parts, Body::from(bytes)));
        }
        let names: Vec<&str> = fields.into_iter().collect();
        if let Ok(header) = HeaderValue::from_str(&names.join(", ")) {
            parts.headers.insert(HEADER, header);
        }
        if let Some(object) = value.as_object_mut() {
            object.insert("withheld".to_owned(), json!({ "fields": names, "reason": reason }));
        }
        parts.headers.remove(header::CONTENT_LENGTH);
        Ok(Response::from_parts(parts, Body::from(value.to_string())))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Withheld {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// Takes it out; our own answers nest only so deep as their types do.
fn withhold(value: &mut Value, found: &mut BTreeSet<&'static str>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| withhold(item, found)),
        Value::Object(object) => {
            if let Some(name) = object
                .get_mut(SIGNED)
                .and_then(|signed| signed.get_mut("name"))
                .filter(|name| says_something(name))
            {
                *name = Value::Null;
                found.insert("name");
            }
            for (key, inner) in object {
                match FIELDS.iter().find(|field| *field == key) {
                    Some(field) if says_something(inner) => {
                        *inner = Value::Null;
                        found.insert(field);
                    }
                    Some(_) => {}
                    None => withhold(inner, found),
                }
            }
        }
        _ => {}
    }
}

fn says_something(value: &Value) -> bool {
    !matches!(value, Value::Null)
        && value.as_str() != Some("")
        && value.as_array().is_none_or(|a| !a.is_empty())
}
