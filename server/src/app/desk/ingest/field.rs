//! What technicians bring back (visit reports, matters taken in, their steps, diagnoses), and records of customers whose
//! data was erased.

use linewatch_shared::erase;
use linewatch_shared::facts::{Body, Diagnosis, FINDINGS_MAX, Finding, Record};
use uuid::Uuid;

use super::intake::{Intake, Refusal};
use crate::app::matters::reported::Reported;
use crate::app::matters::taken_in::OnSite;
use crate::db::{DbError, Tx};
use crate::store::diagnoses::StoredDiagnosis;
use crate::store::{matters, service};

impl Intake {
    /// Visit reports and what else technicians bring back: to be joined to their rounds and matters once all is stored.
    pub(super) fn of_the_field(
        &mut self,
        tx: &mut Tx<'_>,
        record: &Record,
    ) -> Result<Result<(), Refusal>, DbError> {
        if !matches!(record.body, Body::Visit(_) | Body::Opened(_) | Body::Deed(_) | Body::Diagnosis(_)) {
            return Ok(Ok(()));
        }
        let at = match self.when(tx, record)? {
            Ok((_, corrected)) => corrected.at,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let (id, agent, by) = (record.id, self.agent, self.by(record));
        let person = record.by.clone().unwrap_or_else(|| by.clone());
        match &record.body {
            Body::Visit(visit) => {
                self.stored.visits.push(Reported { record: id, agent, at, by, visit: visit.clone() });
            }
            Body::Opened(opened) => {
                self.taken_in.insert(id, opened.customer.clone());
                let said = opened.clone();
                self.stored.opened.push(OnSite { record: id, agent, at, person, by, said });
            }
            Body::Deed(deed) => {
                let said = deed.clone();
                self.stored.deeds.push(OnSite { record: id, agent, at, person, by, said });
            }
            Body::Diagnosis(Diagnosis { line, fault, findings }) => {
                let mut findings: Vec<Finding> = findings.iter().take(FINDINGS_MAX).cloned().collect();
                for finding in &mut findings {
                    finding.figures.truncate(FINDINGS_MAX);
                }
                let (line, fault, recorded_at) = (line.clone(), *fault, self.now);
                let new = StoredDiagnosis { record: id, line, fault, agent, by, at, recorded_at, findings };
                self.stored.diagnoses.push(new);
            }
            _ => {}
        }
        Ok(Ok(()))
    }

    /// Whose matter that is, as far as it is known; also one that is opened by this very batch.
    pub(super) fn customer_of(&self, tx: &mut Tx<'_>, matter: Uuid) -> Result<Option<String>, DbError> {
        match self.taken_in.get(&matter) {
            Some(customer) => Ok(Some(customer.clone())),
            None => Ok(matters::one(tx, matter)?.map(|standing| standing.matter.customer)),
        }
    }

    /// The record without what is personal, where that of its customer was erased before. It is known by the hash of
    /// the bytes that came.
    pub(super) fn erased(
        &mut self,
        tx: &mut Tx<'_>,
        record: &Record,
    ) -> Result<Option<(Vec<u8>, Record)>, DbError> {
        let at = record.occurred.raw();
        let is_erased = match &record.body {
            Body::Report(report) => self.is_line_erased(tx, &report.line, at)?,
            Body::Step(step) => match self.line_of(tx, step.fault)? {
                Some(line) => self.is_line_erased(tx, &line, at)?,
                None => false,
            },
            Body::Visit(visit) => is_erased(tx, &visit.customer)?,
            Body::Opened(opened) => is_erased(tx, &opened.customer)?,
            Body::Deed(deed) => match self.customer_of(tx, deed.matter)? {
                Some(customer) => is_erased(tx, &customer)?,
                None => false,
            },
            _ => false,
        };
        if !is_erased {
            return Ok(None);
        }
        let mut record = record.clone();
        if !erase::record(&mut record) {
            return Ok(None);
        }
        let bytes = record.to_bytes().map_err(|error| DbError::Data(error.to_string()))?;
        Ok(Some((bytes, record)))
    }
}

fn is_erased(tx: &mut Tx<'_>, customer: &str) -> Result<bool, DbError> {
    Ok(service::of_customer(tx, customer)?.is_some_and(|standing| standing.erased_at.is_some()))
}
