//! A report while it is being written: everything may be absent, nothing is judged before it is finished.

use std::collections::BTreeMap;

use linewatch_shared::facts::{
    CAPTION_CHARS_MAX, FormName, PARTS_MAX, Place, VISIT_CLASSES, VISIT_ITEMS_MAX,
};
use linewatch_shared::matter::Point;
use linewatch_shared::rules::{
    ANSWER_CHARS_MAX, Answer, AnswerValue, FIELDS_MAX, Form, Lack, Lacking, Reading,
};
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::Hash;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The longest text of a draft, in characters.
pub const TEXT_CHARS_MAX: usize = 8_000;

/// A report that is being written, as the page holds it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Draft {
    /// The customer's code.
    pub customer: String,
    /// The site's name.
    pub site: String,
    /// The line that it is about.
    pub line: Option<String>,
    /// The fault that it is made for.
    pub fault: Option<Uuid>,
    /// The round that it reports.
    pub round: Option<Uuid>,
    /// Its class.
    pub class: Option<String>,
    /// How: face to face, on site …
    pub mode: Option<String>,
    /// Who was met.
    pub met: String,
    /// What for.
    pub purpose: String,
    /// What was found.
    pub findings: String,
    /// What the customer asked for.
    pub needs: String,
    /// What was promised, in words.
    pub promises: String,
    /// The form that it is written by.
    pub form: Option<FormName>,
    /// Answers by the names of the form's fields.
    pub answers: BTreeMap<String, Value>,
    /// The checklist's points as found.
    pub points: Vec<Point>,
    /// What was promised for a day.
    pub promised: Vec<Promise>,
    /// Whether the customer is satisfied.
    pub satisfied: Option<bool>,
    /// Whether the site was left clean.
    pub left_clean: Option<bool>,
    /// Who signed.
    pub signed_by: String,
    /// When the visit was; while it is finished, where it is left out.
    pub at: Option<String>,
    /// Why that time is set back.
    pub at_reason: String,
    /// The photos, in order.
    pub photos: Vec<Photo>,
    /// The signature.
    pub signature: Option<HexHash>,
}

/// An answer as the page holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A text or a choice.
    Text(String),
}

/// Something promised for a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Promise {
    /// What.
    pub title: String,
    /// By when (RFC 3339).
    pub until: Option<String>,
}

/// A photo of a draft.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Photo {
    /// Which.
    pub sha256: HexHash,
    /// A word under it.
    #[serde(default)]
    pub caption: String,
    /// When it was taken (RFC 3339).
    #[serde(default)]
    pub taken_at: Option<String>,
    /// Where, if that is to be kept.
    #[serde(default)]
    pub place: Option<Degrees>,
}

/// Where a photo was taken, in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Degrees {
    /// North of the equator.
    pub latitude: f64,
    /// East of Greenwich.
    pub longitude: f64,
}

impl Degrees {
    /// As a report keeps it; none for a place that is not on earth.
    #[must_use]
    pub fn place(self) -> Option<Place> {
        let micro = |degrees: f64, most: f64| {
            (degrees.is_finite() && degrees.abs() <= most).then(|| (degrees * 1e6).round() as i32)
        };
        Some(Place {
            latitude_udeg: micro(self.latitude, 90.0)?,
            longitude_udeg: micro(self.longitude, 180.0)?,
        })
    }
}

/// A hash as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HexHash(pub Hash);

impl std::str::FromStr for HexHash {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = hex::decode(text).map_err(|_| "not hexadecimal")?;
        Hash::from_slice(&bytes).map(Self).ok_or("not 64 digits")
    }
}

impl Serialize for HexHash {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&hex::encode(self.0.0))
    }
}

impl<'de> Deserialize<'de> for HexHash {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Draft {
    /// Why the draft cannot even be kept, where it breaks a bound.
    #[must_use]
    pub fn broken_bound(&self) -> Option<&'static str> {
        let texts = [
            &self.met,
            &self.purpose,
            &self.findings,
            &self.needs,
            &self.promises,
            &self.at_reason,
            &self.site,
        ];
        let is_long = |text: &str, most: usize| text.chars().count() > most;
        if texts.into_iter().any(|text| is_long(text, TEXT_CHARS_MAX)) {
            return Some("a text is longer than 8,000 characters");
        }
        if self.answers.len() > FIELDS_MAX
            || self
                .answers
                .values()
                .any(|value| matches!(value, Value::Text(text) if is_long(text, ANSWER_CHARS_MAX)))
        {
            return Some("more than 100 answers, or one of more than 4,000 characters");
        }
        if self.points.len() > VISIT_ITEMS_MAX || self.promised.len() > VISIT_ITEMS_MAX {
            return Some("more than 200 points or promises");
        }
        if self.photos.len() >= PARTS_MAX {
            return Some("more than 39 photos");
        }
        if self.photos.iter().any(|photo| is_long(&photo.caption, CAPTION_CHARS_MAX)) {
            return Some("a caption of more than 500 characters");
        }
        None
    }

    /// The answers in the form's order, those to fields that are not asked left out.
    #[must_use]
    pub fn answers(&self, form: Option<&Form>) -> Vec<Answer> {
        let answer = |(field, value): (&String, &Value)| {
            let value = match value {
                Value::Flag(flag) => AnswerValue::Flag(*flag),
                Value::Number(number) => AnswerValue::Number(Reading::new(*number)?),
                Value::Text(text) if text.trim().is_empty() => return None,
                Value::Text(text) => AnswerValue::Text(text.clone()),
            };
            Some(Answer { field: field.clone(), value })
        };
        let all: Vec<Answer> = self.answers.iter().filter_map(answer).collect();
        let Some(form) = form else { return all };
        let of = |name: &str| all.iter().find(|answer| answer.field == name).cloned();
        form.fields
            .iter()
            .filter(|field| form.is_asked(field, &all))
            .filter_map(|field| of(&field.name))
            .collect()
    }

    /// What it lacks to be finished at a moment.
    #[must_use]
    pub fn lacks(&self, form: Option<&Form>, now: UnixMs) -> Vec<Lack> {
        let mut lacks = Vec::new();
        let mut lack = |field: &str, why| lacks.push(Lack { field: field.to_owned(), why });
        if self.customer.is_empty() {
            lack("customer", Lacking::Missing);
        }
        if self.purpose.trim().is_empty() {
            lack("purpose", Lacking::Missing);
        }
        let is_met = matches!(self.mode.as_deref(), None | Some("face_to_face" | "on_site"));
        if is_met && self.met.trim().is_empty() {
            lack("met", Lacking::Missing);
        }
        if self.class.as_deref().is_some_and(|class| !VISIT_CLASSES.contains(&class)) {
            lack("class", Lacking::Wrong);
        }
        if self.signature.is_some() && self.signed_by.trim().is_empty() {
            lack("signed_by", Lacking::Missing);
        }
        for promise in &self.promised {
            let until = promise.until.as_deref().map(UnixMs::parse_rfc3339);
            if promise.title.trim().is_empty() || until.is_none() {
                lack("promised", Lacking::Missing);
            } else if !matches!(until, Some(Ok(until)) if until > now) {
                lack("promised", Lacking::Wrong);
            }
        }
        match super::when::judge(self.at.as_deref(), &self.at_reason, now) {
            Ok(_) => {}
            Err(super::when::Unfit::ReasonMissing) => lack("at_reason", Lacking::Missing),
            Err(_) => lack("at", Lacking::Wrong),
        }
        if let Some(form) = form {
            lacks.extend(form.lacks(&self.answers(Some(form))));
        }
        lacks
    }
}
