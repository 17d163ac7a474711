//! A visit report whole: what was said, the form by which it was asked, and how its photos stand.

pub(crate) mod redraw;
mod said;

use std::collections::HashMap;

use linewatch_shared::facts::{Body, FormName, PartRole, Record};
use linewatch_shared::rules::Form;
use linewatch_shared::sla::PackVersion;
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::Hash;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::desk::{Desk, DeskError};
use super::packs::in_force;
use crate::db::{DbError, Tx};
use crate::store::parts::ReportPart;
use crate::store::visit_reports::{self, Joined};
use crate::store::{customers, parts, records};

pub use said::{AnswerView, PromisedView, VisitSaid};

/// The most bytes of images that go into one paper.
pub const IMAGES_BYTES_MAX: u64 = 64 << 20;

/// How many parts of a report there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PartCounts {
    /// As many as the report names.
    pub total: u32,
    /// As many as have arrived.
    pub whole: u32,
}

/// The form that a report was written by, as that version of its pack has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReportForm {
    /// The pack.
    pub pack: String,
    /// Its version.
    pub version: String,
    /// The form's name; `label` and `fields` with it, where the server has that version.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub form: FormOrName,
}

/// A form, or its name where nothing else is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum FormOrName {
    /// The form.
    Form(Box<Form>),
    /// Its name.
    Name {
        /// In data.
        name: String,
    },
}

/// A photo or signature of a report.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct VisitPart {
    /// Its name: the hash of its bytes, in hex.
    pub sha256: String,
    /// `photo` or `signature`.
    pub role: &'static str,
    /// `image/jpeg` or `image/png`.
    pub media: &'static str,
    /// How many bytes.
    pub bytes: u64,
    /// How many of them have arrived.
    pub held: u64,
    /// Whether it is there to be seen.
    pub whole: bool,
    /// Why it is not, and will not be, where that is so.
    pub why: Option<String>,
    /// A word under it.
    pub caption: String,
    /// When it was taken, RFC 3339.
    pub taken_at: Option<String>,
    /// Where, in degrees: `latitude`, `longitude`.
    #[schema(value_type = Option<Object>)]
    pub place: Option<Value>,
}

/// A visit report.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct VisitDetail {
    /// Its id.
    pub id: Uuid,
    /// When the visit was, by the server's clock.
    pub at: String,
    /// When the server got the report.
    pub recorded_at: String,
    /// Who wrote it.
    pub by: Option<String>,
    /// On which agent.
    pub agent: String,
    /// The customer's name.
    pub customer_name: String,
    /// The zone of the customer's pack.
    pub time_zone: String,
    /// The round that it reports, where there is one.
    pub matter: Option<Uuid>,
    /// Why it counts for no round, or something in it for nothing.
    pub why: Option<String>,
    /// Whether every photo has arrived.
    pub complete: bool,
    /// What it says.
    pub visit: VisitSaid,
    /// The form that it was written by.
    pub form: Option<ReportForm>,
    /// Photos and the signature, in the report's order.
    pub parts: Vec<VisitPart>,
}

/// Reads a report.
///
/// # Errors
/// When there is none of that id.
pub fn read(desk: &Desk, tx: &mut Tx<'_>, id: Uuid) -> Result<VisitDetail, DeskError> {
    let sent = records::one_of_kind(tx, "visit", id)?.ok_or(DeskError::NoVisit(id))?;
    let record = Record::from_bytes(&sent.bytes).map_err(|error| DbError::Data(error.to_string()))?;
    let Body::Visit(visit) = record.body else { return Err(DeskError::NoVisit(id)) };
    let versions = desk.packs.versions(tx)?;
    let owners = customers::owners(tx, &visit.customer)?;
    let at = visit_reports::at(tx, id)?.unwrap_or_else(|| record.occurred.raw());
    let pack = owners.as_ref().and_then(|owners| in_force(&versions, &owners.pack, at));
    let zone = pack.map_or(chrono_tz::UTC, |pack| pack.time_zone);
    let Joined { matter, why } = visit_reports::of(tx, &[id])?.remove(&id).unwrap_or_default();
    let form = visit.form.as_ref().map(|named| form_of(&versions, named));
    let parts: Vec<VisitPart> = parts::of_report(tx, id)?.iter().map(part).collect();
    Ok(VisitDetail {
        id,
        at: at.to_rfc3339(),
        recorded_at: sent.recorded_at.to_rfc3339(),
        by: record.by,
        agent: sent.agent,
        customer_name: owners.map(|owners| owners.name).unwrap_or_default(),
        time_zone: zone.name().to_owned(),
        matter,
        why,
        complete: parts.iter().all(|part| part.whole),
        visit: said::said(visit, form.as_ref()),
        form,
        parts,
    })
}

fn form_of(versions: &[PackVersion], named: &FormName) -> ReportForm {
    let of_name = |known: &&PackVersion| known.pack.name == named.pack && known.pack.version == named.version;
    let forms = versions.iter().find(of_name).map(|known| known.pack.forms.as_slice()).unwrap_or_default();
    let form = forms.iter().find(|form| form.name == named.name);
    ReportForm {
        pack: named.pack.clone(),
        version: named.version.clone(),
        form: form.map_or_else(
            || FormOrName::Name { name: named.name.clone() },
            |form| FormOrName::Form(Box::new(form.clone())),
        ),
    }
}

fn part(part: &ReportPart) -> VisitPart {
    let named = &part.named.part;
    let degrees = |udeg: i32| f64::from(udeg) / 1e6;
    let bad = "its bytes came three times and were not those of its name".to_owned();
    let why = part.named.why.clone().or_else(|| (part.state == parts::PartState::Bad).then_some(bad));
    VisitPart {
        sha256: hex::encode(named.sha256.0),
        role: match named.role {
            PartRole::Photo => "photo",
            PartRole::Signature => "signature",
        },
        media: named.media.mime(),
        bytes: named.bytes,
        held: if why.is_some() { 0 } else { part.held },
        whole: part.is_whole(),
        why,
        caption: named.caption.clone(),
        taken_at: named.taken_at.map(UnixMs::to_rfc3339),
        place: named.place.map(|place| {
            json!({ "latitude": degrees(place.latitude_udeg), "longitude": degrees(place.longitude_udeg) })
        }),
    }
}

/// The bytes of a report's images that are there, by their hashes in hex, up to [`IMAGES_BYTES_MAX`] in the report's order.
///
/// # Errors
/// The database's.
pub fn images(tx: &mut Tx<'_>, detail: &VisitDetail) -> Result<HashMap<String, Vec<u8>>, DbError> {
    let (mut images, mut left) = (HashMap::new(), IMAGES_BYTES_MAX);
    for part in detail.parts.iter().filter(|part| part.whole) {
        let mut hash = [0; 32];
        let fits = part.bytes <= left && !images.contains_key(&part.sha256);
        if fits && hex::decode_to_slice(&part.sha256, &mut hash).is_ok() {
            left -= part.bytes;
            images.insert(part.sha256.clone(), parts::bytes(tx, Hash(hash))?);
        }
    }
    Ok(images)
}

/// The bytes of a part of a report, and how they are to be read; none where they are not there.
///
/// # Errors
/// The database's.
pub fn image(tx: &mut Tx<'_>, id: Uuid, part: Hash) -> Result<Option<(&'static str, Vec<u8>)>, DbError> {
    let named = parts::of_report(tx, id)?;
    match named.iter().find(|known| known.named.part.sha256 == part && known.is_whole()) {
        Some(known) => Ok(Some((known.named.part.media.mime(), parts::bytes(tx, part)?))),
        None => Ok(None),
    }
}
