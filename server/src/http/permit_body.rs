//! The body of a permit to work.

use linewatch_shared::matter::{Certificate, PermitGrant};
use linewatch_shared::time::UnixMs;
use serde::Deserialize;

use super::error::ApiError;
use super::faults::{short, time};
use super::new_matter_step::text;
use crate::auth::Caller;

/// The most certificates of one permit.
const CERTIFICATES_MAX: usize = 50;

/// A permit to work.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PermitBody {
    /// Who grants it; the caller where it is left out.
    by: Option<String>,
    /// For whom.
    to: String,
    /// From when on, RFC 3339.
    from: String,
    /// Until when, RFC 3339.
    until: String,
    /// For which work.
    work: String,
    /// The number of the work ticket.
    ticket: Option<String>,
    /// Whether the safety briefing was given.
    briefing: bool,
    /// The certificates that who works holds.
    #[serde(default)]
    certificates: Vec<CertificateBody>,
}

/// A certificate that somebody holds.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateBody {
    /// Which, as the pack names it.
    name: String,
    /// Its number.
    #[serde(default)]
    number: String,
    /// Until when it is valid, RFC 3339.
    valid_until: String,
}

fn moment(text: &str) -> Result<UnixMs, ApiError> {
    Ok(time("permit", Some(text))?.unwrap_or_default())
}

impl PermitBody {
    /// Reads the permit, strictly.
    ///
    /// # Errors
    /// 422, naming the field.
    pub(super) fn read(self, caller: &Caller) -> Result<PermitGrant, ApiError> {
        if self.certificates.len() > CERTIFICATES_MAX {
            return Err(ApiError::field("permit", format!("has more than {CERTIFICATES_MAX} certificates")));
        }
        let certificate = |body: CertificateBody| {
            Ok(Certificate {
                name: text("permit", Some(body.name))?,
                number: short("permit", body.number)?,
                valid_until: moment(&body.valid_until)?,
            })
        };
        let certificates: Result<Vec<Certificate>, ApiError> =
            self.certificates.into_iter().map(certificate).collect();
        Ok(PermitGrant {
            by: text("permit", Some(self.by.unwrap_or_else(|| caller.user.clone())))?,
            to: text("permit", Some(self.to))?,
            from: moment(&self.from)?,
            until: moment(&self.until)?,
            work: text("permit", Some(self.work))?,
            ticket: self.ticket.map(|ticket| text("permit", Some(ticket))).transpose()?,
            briefing: self.briefing,
            certificates: certificates?,
        })
    }
}
