//! Permits to work: granted before the work, returned after it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::owed::Term;
use super::state::Matter;
use crate::rules::{Pack, Permit};
use crate::sla::{DeadlineKind, Ending};
use crate::time::UnixMs;

/// A permit as it is granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermitGrant {
    /// Who grants it.
    pub by: String,
    /// For whom.
    pub to: String,
    /// From when on.
    pub from: UnixMs,
    /// Until when.
    pub until: UnixMs,
    /// For which work.
    pub work: String,
    /// The number of the work ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Whether the safety briefing was given.
    pub briefing: bool,
    /// The certificates that who works holds.
    #[serde(default)]
    pub certificates: Vec<Certificate>,
}

/// A certificate that somebody holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Which, as the pack names it.
    pub name: String,
    /// Its number.
    #[serde(default)]
    pub number: String,
    /// Until when it is valid.
    pub valid_until: UnixMs,
}

/// A permit that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// From when on.
    pub from: UnixMs,
    /// Until when.
    pub until: UnixMs,
    /// When it was returned.
    pub returned_at: Option<UnixMs>,
}

impl Matter {
    fn permit_rule<'a>(&self, pack: &'a Pack) -> Option<&'a Permit> {
        let name = self.permit.as_ref()?;
        pack.permits.iter().find(|permit| permit.name == *name)
    }

    /// Whether a permit is out.
    pub(super) fn permit_is_out(&self) -> bool {
        self.permits.last().is_some_and(|held| held.returned_at.is_none())
    }

    pub(super) fn grant(
        &mut self,
        fact: Uuid,
        at: UnixMs,
        grant: &PermitGrant,
        pack: &Pack,
    ) -> Result<(), String> {
        let rule = self.permit_rule(pack).ok_or("this work needs no permit")?;
        if grant.until <= grant.from.max(at) {
            return Err("the permit ends before it begins, or has ended already".to_owned());
        }
        let missing = missing(rule, grant);
        if !missing.is_empty() {
            return Err(format!("the permit \"{}\" lacks: {}", rule.name, missing.join(", ")));
        }
        self.permits.push(Held { from: grant.from, until: grant.until, returned_at: None });
        self.owes(DeadlineKind::Permit, Some(fact), grant.from.max(self.opened_at), Term::By(grant.until));
        Ok(())
    }

    pub(super) fn return_permit(&mut self, at: UnixMs) {
        if let Some(held) = self.permits.last_mut() {
            held.returned_at = Some(at);
        }
        self.end(DeadlineKind::Permit, at, Ending::Done);
    }

    /// Work that is done once more takes a permit of its own.
    pub(super) fn work_anew(&mut self) {
        self.begun_at = None;
        self.permits.clear();
    }

    /// Work begins under a permit that is in force.
    pub(super) fn begin_work(&mut self, at: UnixMs, pack: &Pack) -> Result<(), String> {
        if let Some(rule) = self.permit_rule(pack) {
            let in_force = |held: &Held| held.returned_at.is_none() && (held.from..held.until).contains(&at);
            if !self.permits.iter().any(in_force) {
                return Err(format!("no permit to work is in force: {}", asked_for(rule)));
            }
        }
        self.begun_at = self.begun_at.or(Some(at));
        Ok(())
    }

    /// Work that needed a permit is reported once there was one, and it is back.
    pub(super) fn must_have_had_permit(&self, at: UnixMs, pack: &Pack) -> Result<(), String> {
        let Some(rule) = self.permit_rule(pack) else { return Ok(()) };
        if !self.permits.iter().any(|held| held.from <= at) {
            return Err(format!("no permit to work was granted: {}", asked_for(rule)));
        }
        match self.permits.last().filter(|held| held.returned_at.is_none()) {
            Some(held) => Err(format!(
                "the permit until {} is still out: permit_returned first",
                held.until.to_rfc3339()
            )),
            None => Ok(()),
        }
    }
}

/// What a permit of that kind takes, in words.
fn asked_for(rule: &Permit) -> String {
    let mut asked = Vec::new();
    if rule.briefing {
        asked.push("a safety briefing".to_owned());
    }
    if rule.work_ticket {
        asked.push("a work ticket".to_owned());
    }
    asked.extend(rule.certificates.iter().map(|name| format!("the certificate \"{name}\"")));
    let asked = if asked.is_empty() { "nothing else".to_owned() } else { asked.join(", ") };
    format!("permit_granted of \"{}\" takes {asked}", rule.name)
}

fn missing(rule: &Permit, grant: &PermitGrant) -> Vec<String> {
    let mut missing = Vec::new();
    if rule.briefing && !grant.briefing {
        missing.push("the safety briefing".to_owned());
    }
    if rule.work_ticket && grant.ticket.is_none() {
        missing.push("the work ticket".to_owned());
    }
    for name in &rule.certificates {
        match grant.certificates.iter().filter(|held| held.name == *name).map(|held| held.valid_until).max() {
            None => missing.push(format!("the certificate \"{name}\"")),
            Some(valid_until) if valid_until < grant.until => {
                let expiry = valid_until.to_rfc3339();
                missing.push(format!(
                    "a certificate \"{name}\" that is valid to its end: it expires at {expiry}"
                ));
            }
            Some(_) => {}
        }
    }
    missing
}
