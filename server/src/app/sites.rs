//! Sites of customers: when they let us in, and what follows while they do not.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use linewatch_shared::access_hours::AccessHours;
use linewatch_shared::sla::PackVersion;
use linewatch_shared::time::UnixMs;
use serde_json::json;
use uuid::Uuid;

use super::desk::{Desk, DeskError};
use super::{Action, audit, contact_reads, derived_id};
use crate::app::packs::in_force;
use crate::db::{DbError, Tx};
use crate::store::customers;
use crate::store::sites::{self, SITE_COLUMNS, Site, SiteKey, SiteRow};

/// The longest name of a site, in characters.
pub const NAME_CHARS_MAX: usize = 200;

/// A site's id follows from its place.
#[must_use]
pub fn site_id((customer, name): &SiteKey) -> Uuid {
    derived_id(Uuid::nil(), json!(["site", customer, name]).to_string().as_bytes())
}

/// What of a site's row is wrong: the column, and why.
#[must_use]
pub fn mistake(row: &SiteRow) -> Option<(&'static str, String)> {
    let zone = match row.time_zone().map(str::parse::<Tz>) {
        Some(Err(_)) => {
            return Some((SITE_COLUMNS[0], "is no time zone such as Asia/Shanghai".to_owned()));
        }
        Some(Ok(zone)) => zone,
        None => Tz::UTC,
    };
    let (weekly, closed) = row.access()?;
    if let Err(reason) = AccessHours::parse(weekly, "", zone) {
        return Some((SITE_COLUMNS[1], reason));
    }
    AccessHours::parse("", closed, zone).err().map(|reason| (SITE_COLUMNS[2], reason))
}

/// Writes a site down, or what changed of it; `fields` that are not named stay as they are.
///
/// # Errors
/// When the customer is not known, or what is said cannot be read.
pub fn put(
    tx: &mut Tx<'_>,
    key: &SiteKey,
    fields: [Option<String>; 5],
    by: &str,
    now: UnixMs,
) -> Result<Site, DeskError> {
    let invalid = |field, reason| DeskError::Invalid { field, reason };
    if customers::owners(tx, &key.0)?.is_none() {
        return Err(invalid("customer", format!("there is no customer called \"{}\"", key.0)));
    }
    let id = site_id(key);
    let mut row = sites::one(tx, id)?.map(|site| site.row).unwrap_or_default();
    let mut changed = Vec::new();
    for (at, value) in fields.into_iter().enumerate().filter_map(|(at, value)| Some((at, value?))) {
        let value = Some(value).filter(|text| !text.trim().is_empty());
        if row.fields[at] != value {
            changed.push(SITE_COLUMNS[at]);
            row.fields[at] = value;
        }
    }
    if let Some((field, reason)) = mistake(&row) {
        return Err(invalid(field, reason));
    }
    sites::save(tx, &BTreeMap::from([(key.clone(), row.clone())]), site_id, now)?;
    audit(tx, now.0, by, Action::SiteWritten, &id.to_string(), Some(&json!({ "changed": changed })))?;
    Ok(Site { id, key: key.clone(), row })
}

/// Reads a site with whom to ring; such a reading is in the audit trail.
///
/// # Errors
/// When there is none.
pub fn read(tx: &mut Tx<'_>, id: Uuid, by: &str, now: UnixMs) -> Result<Site, DeskError> {
    let site = sites::one(tx, id)?.ok_or(DeskError::NoSite(id))?;
    if site.row.ring() != (None, None) {
        contact_reads::note(tx, by, &format!("site {id}"), now)?;
    }
    Ok(site)
}

/// When a site lets us in; none where it says nothing of it.
///
/// # Errors
/// The database's.
pub fn hours(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    site: &Site,
    now: UnixMs,
) -> Result<Option<AccessHours>, DbError> {
    let Some((weekly, closed)) = site.row.access() else { return Ok(None) };
    let own = site.row.time_zone().and_then(|name| name.parse::<Tz>().ok());
    let zone = if let Some(zone) = own {
        zone
    } else {
        let pack = customers::owners(tx, &site.key.0)?.map(|owners| owners.pack).unwrap_or_default();
        in_force(versions, &pack, now).map_or(Tz::UTC, |pack| pack.time_zone)
    };
    AccessHours::parse(weekly, closed, zone).map(Some).map_err(DbError::Data)
}

/// The access hours of a customer's site of that name, and the site; none where there are none.
///
/// # Errors
/// The database's.
pub fn access(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    (customer, name): (&str, &str),
    now: UnixMs,
) -> Result<Option<(Site, AccessHours)>, DbError> {
    let Some(site) = sites::one(tx, site_id(&(customer.to_owned(), name.to_owned())))? else {
        return Ok(None);
    };
    let hours = hours(tx, versions, &site, now)?;
    Ok(hours.map(|hours| (site, hours)))
}

/// A time outside a site's hours is refused with the next possible one.
///
/// # Errors
/// Saying when the site lets us in again.
pub fn must_be_open(
    desk: &Desk,
    tx: &mut Tx<'_>,
    place: (&str, &str),
    at: UnixMs,
    now: UnixMs,
) -> Result<(), DeskError> {
    let versions = desk.packs.versions(tx)?;
    let Some((_, hours)) = access(tx, &versions, place, now)? else { return Ok(()) };
    let next = match hours.next_open(at) {
        Some(next) if next == at => return Ok(()),
        Some(next) => format!("it lets us in again at {}", next.to_rfc3339()),
        None => "it lets nobody in for more than a year".to_owned(),
    };
    let reason = format!(
        "the site \"{}\" is closed to us at {}: {next}; otherwise state in agreed_by who of the customer's agreed",
        place.1,
        at.to_rfc3339()
    );
    Err(DeskError::Invalid { field: "until", reason })
}
