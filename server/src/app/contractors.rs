//! Contractors: companies that maintain lines and customers for us, under a contract that is assessed.

use chrono::NaiveDate;
use linewatch_shared::rules::WHOLE_PPM;
use linewatch_shared::time::UnixMs;
use serde_json::json;

use crate::app::desk::DeskError;
use crate::app::packs::in_force;
use crate::app::report::stretch::day_start;
use crate::app::users::check_name;
use crate::app::{Action, agent_people, audit, contact_reads};
use crate::db::Tx;
use crate::store::contractors::{self, Contractor};
use crate::store::packs::PackCache;

/// What is said of a contractor; what is left out stays as it is, an empty text takes it away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The code.
    pub code: String,
    /// The name.
    pub name: Option<String>,
    /// The contract's first day.
    pub contract_from: Option<String>,
    /// Its last day.
    pub contract_until: Option<String>,
    /// Whom to call.
    pub contact_name: Option<String>,
    /// Where.
    pub contact_phone: Option<String>,
    /// The pack whose assessment applies.
    pub pack: Option<String>,
    /// The part of the fee, such as `8%`.
    pub fee_part: Option<String>,
}

fn invalid(field: &'static str, reason: impl Into<String>) -> DeskError {
    DeskError::Invalid { field, reason: reason.into() }
}

/// Writes a contractor down, or what changed of it; answers it, and whether it is new.
///
/// # Errors
/// When something is missing or cannot be read.
pub fn put(
    packs: &PackCache,
    tx: &mut Tx<'_>,
    said: &Said,
    by: &str,
    now: UnixMs,
) -> Result<(Contractor, bool), DeskError> {
    check_name(&said.code).map_err(|error| invalid("code", error.to_string()))?;
    let old = contractors::one(tx, &said.code)?;
    let new = merged(said, old.as_ref());
    for (field, value) in [("name", &new.name), ("contract_from", &new.contract_from), ("pack", &new.pack)] {
        if value.is_empty() {
            return Err(invalid(field, "is missing"));
        }
    }
    let versions = packs.versions(tx)?;
    let pack = in_force(&versions, &new.pack, now)
        .ok_or_else(|| invalid("pack", format!("there is no pack called \"{}\"", new.pack)))?;
    if pack.assessment.is_none() {
        return Err(invalid("pack", format!("the pack \"{}\" has no [assessment]", new.pack)));
    }
    let day = |field, text: &str| {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
        day.ok_or_else(|| invalid(field, format!("\"{text}\" is no day, such as 2026-07-01")))
    };
    let from = day_start(day("contract_from", &new.contract_from)?, pack.time_zone);
    let until = match &new.contract_until {
        None => None,
        // The last day is a part of it.
        Some(text) => day("contract_until", text)?.succ_opt().map(|next| day_start(next, pack.time_zone)),
    };
    if until.is_some_and(|until| until <= from) {
        return Err(invalid("contract_until", "lies before the contract begins"));
    }
    let fee_part_ppm = match said.fee_part.as_deref() {
        None => old.as_ref().and_then(|old| old.fee_part_ppm),
        Some("") => None,
        Some(text) => Some(percent(text).ok_or_else(|| {
            invalid("fee_part", format!("\"{text}\" is no percentage, such as 8% or 7.5%"))
        })?),
    };
    let new = Contractor { from, until, fee_part_ppm, ..new };
    if old.as_ref() != Some(&new) {
        contractors::save(tx, &new, now)?;
        let action = if old.is_some() { Action::ContractorChanged } else { Action::ContractorAdded };
        let detail = json!({ "from": new.contract_from, "until": new.contract_until, "pack": new.pack,
            "fee_part_ppm": new.fee_part_ppm });
        audit(tx, now.0, by, action, &new.code, Some(&detail))?;
        agent_people::contractor_changed(tx, &new.code)?;
    }
    Ok((new, old.is_none()))
}

fn merged(said: &Said, old: Option<&Contractor>) -> Contractor {
    let text =
        |said: &Option<String>, old: Option<&String>| said.clone().or(old.cloned()).unwrap_or_default();
    let optional = |said: &Option<String>, old: Option<&Option<String>>| match said {
        Some(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        None => old.cloned().flatten(),
    };
    Contractor {
        code: said.code.clone(),
        name: text(&said.name, old.map(|old| &old.name)),
        contract_from: text(&said.contract_from, old.map(|old| &old.contract_from)),
        contract_until: optional(&said.contract_until, old.map(|old| &old.contract_until)),
        from: UnixMs::default(),
        until: None,
        contact_name: optional(&said.contact_name, old.map(|old| &old.contact_name)),
        contact_phone: optional(&said.contact_phone, old.map(|old| &old.contact_phone)),
        pack: text(&said.pack, old.map(|old| &old.pack)),
        fee_part_ppm: None,
    }
}

/// A percentage with at most four decimals, in millionths.
fn percent(text: &str) -> Option<u32> {
    let number = text.strip_suffix('%')?.trim();
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || part.len() > 4 || !digits(whole) || !digits(part) {
        return None;
    }
    let ppm = format!("{whole}{part:0<4}").parse::<u32>().ok()?;
    (ppm <= WHOLE_PPM).then_some(ppm)
}

/// A contractor with whom to call: that reading is in the audit trail.
///
/// # Errors
/// When there is no such contractor.
pub fn read(tx: &mut Tx<'_>, code: &str, by: &str, now: UnixMs) -> Result<Contractor, DeskError> {
    let found = contractors::one(tx, code)?.ok_or_else(|| DeskError::NoContractor(code.to_owned()))?;
    contact_reads::note(tx, by, &format!("contractor/{code}"), now)?;
    Ok(found)
}

/// What a contractor's technician may do to a fault: what the work asks for. What takes time or misses out of the figures by
/// which the contractor is assessed is not the contractor's to grant.
pub const FAULT_STEPS: [&str; 9] = [
    "acknowledged",
    "dispatched",
    "arrived",
    "restored",
    "repaired",
    "reopened",
    "feedback",
    "resumed",
    "note",
];
/// The same of a matter.
pub const MATTER_STEPS: [&str; 8] =
    ["answered", "told", "noticed", "resolved", "planned", "made", "resumed", "note"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_have_at_most_four_decimals() {
        for (text, ppm) in
            [("8%", 80_000), ("7.5%", 75_000), ("0.0001%", 1), ("100%", 1_000_000), ("10 %", 100_000)]
        {
            assert_eq!(percent(text), Some(ppm), "{text}");
        }
        for text in ["8", "%", "101%", "0.00001%", "-1%", "1e1%", ".5%"] {
            assert_eq!(percent(text), None, "{text}");
        }
    }
}
