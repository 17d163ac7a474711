//! Acceptance of a new line or site: a visit that ends with both sides' signatures, or with a refusal and a second
//! inspection.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::fold::{cadence, within};
use super::state::{Matter, MatterState};
use crate::rules::{Accepted, Pack};
use crate::sla::{DeadlineKind, Ending};
use crate::time::UnixMs;

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Who hands it over.
    Ours,
    /// Who takes it over.
    Customer,
}

impl Side {
    /// The name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Customer => "customer",
        }
    }
}

/// A signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// For whom.
    pub side: Side,
    /// Who.
    pub signer: String,
    /// When.
    pub at: UnixMs,
}

/// How far an acceptance has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepting {
    /// What is to be accepted.
    pub of: Accepted,
    /// Whether the line's promises wait for it.
    pub promises_wait: bool,
    /// Under what was inspected last.
    pub signatures: Vec<Signature>,
    /// How often it was refused.
    pub refusals: u32,
    /// When the second of both signed.
    pub accepted_at: Option<UnixMs>,
}

impl Accepting {
    /// A new one.
    #[must_use]
    pub const fn new(of: Accepted, promises_wait: bool) -> Self {
        Self { of, promises_wait, signatures: Vec::new(), refusals: 0, accepted_at: None }
    }

    /// Who signed for a side.
    #[must_use]
    pub fn signer(&self, side: Side) -> Option<&str> {
        self.signatures.iter().find(|one| one.side == side).map(|one| one.signer.as_str())
    }
}

/// Whether two names are one person's, however they are written.
fn is_same_person(a: &str, b: &str) -> bool {
    a.to_lowercase().split_whitespace().eq(b.to_lowercase().split_whitespace())
}

impl Matter {
    /// What was inspected is well and waits for the signatures, or is refused.
    pub(super) fn inspected_for_acceptance(
        &mut self,
        (fact, at): (Uuid, UnixMs),
        pack: &Pack,
    ) -> Result<(), String> {
        if !self.failed_points.is_empty() {
            return self.refuse(fact, at, pack);
        }
        self.state = MatterState::Resolved;
        self.resolved_at = Some(at);
        Ok(())
    }

    /// It is not taken over as it is: a second inspection is owed. What was found wrong is a defect of its own.
    pub(super) fn refuse(&mut self, fact: Uuid, at: UnixMs, pack: &Pack) -> Result<(), String> {
        let rule = cadence(pack, self.kind, &self.class)?.acceptance.ok_or("it is no acceptance")?;
        let again = within(pack, rule.again_within, at)?;
        self.must_reach(&again, pack)?;
        let kind = DeadlineKind::of_round(self.kind);
        self.end(kind, at, Ending::Done);
        self.owes_next(kind, fact, at, again);
        self.state = MatterState::Open;
        self.resolved_at = None;
        self.planned_at = None;
        self.work_anew();
        if let Some(accepting) = &mut self.acceptance {
            accepting.refusals += 1;
            accepting.signatures.clear();
        }
        Ok(())
    }

    /// Both sides sign, each by a person of its own; the second signature accepts.
    pub(super) fn sign(&mut self, at: UnixMs, side: Side, signer: &str) -> Result<(), String> {
        let Some(accepting) = &mut self.acceptance else {
            if side == Side::Ours {
                return Err("only an acceptance is signed by both sides: here the customer signs".to_owned());
            }
            self.end_work(at);
            self.close(at, MatterState::Closed);
            return Ok(());
        };
        if accepting.signer(side).is_some() {
            return Err(format!("side {} has signed already", side.name()));
        }
        if accepting.signatures.iter().any(|other| is_same_person(&other.signer, signer)) {
            return Err("whoever signs for us is not who signs for the customer".to_owned());
        }
        accepting.signatures.push(Signature { side, signer: signer.to_owned(), at });
        if accepting.signatures.len() == 2 {
            accepting.accepted_at = Some(at);
            self.end(DeadlineKind::of_round(self.kind), at, Ending::Done);
            self.close(at, MatterState::Closed);
        }
        Ok(())
    }
}
