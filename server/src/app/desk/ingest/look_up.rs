//! What is known already of the records, lines and faults of a batch, looked up for all of them at once.

use std::collections::BTreeSet;

use linewatch_shared::facts::{Body, Record};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::intake::Intake;
use crate::db::{DbError, Tx};
use crate::store::erasure::ErasedOfLine;
use crate::store::{facts, faults, lines, records};

impl Intake {
    /// Looks up what these records will be asked for.
    pub(super) fn look_up(&mut self, tx: &mut Tx<'_>, records: &[&Record]) -> Result<(), DbError> {
        let ids: Vec<Uuid> = records.iter().map(|record| record.id).collect();
        self.look_up_hashes(tx, &ids)?;
        let (mut named, mut of_lines) = (BTreeSet::new(), BTreeSet::new());
        for record in records {
            match &record.body {
                Body::Line(change) => drop(of_lines.insert(change.line.clone())),
                Body::Report(report) => drop(of_lines.insert(report.line.clone())),
                Body::Diagnosis(diagnosis) => drop(of_lines.insert(diagnosis.line.clone())),
                Body::Step(step) => named.extend(step.faults()),
                _ => {}
            }
        }
        let named: Vec<Uuid> = named.into_iter().collect();
        let found = faults::resolve_all(tx, &named)?;
        of_lines.extend(found.values().map(|(_, line)| line.clone()));
        self.resolved.extend(named.into_iter().map(|id| (id, found.get(&id).cloned())));
        self.look_up_lines(tx, of_lines.into_iter().collect())
    }

    /// Looks up which of these records are known.
    pub(super) fn look_up_hashes(&mut self, tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<(), DbError> {
        let fresh: Vec<Uuid> = ids.iter().copied().filter(|id| self.looked_up.insert(*id)).collect();
        self.seen.extend(records::known_hashes(tx, &fresh)?);
        Ok(())
    }

    /// A line that is not known yet is let in: its facts wait for it.
    fn look_up_lines(&mut self, tx: &mut Tx<'_>, of_lines: Vec<String>) -> Result<(), DbError> {
        let codes: Vec<&str> = of_lines.iter().map(String::as_str).collect();
        let in_scope = lines::were_in_scope(tx, &codes, self.agent)?;
        let erased = ErasedOfLine::of_lines(tx, &codes)?;
        for ((line, mut in_scope), erased) in of_lines.into_iter().zip(in_scope).zip(erased) {
            in_scope = in_scope || !lines::is_known(tx, &line)?;
            self.in_scope.insert(line.clone(), in_scope);
            self.erased.insert(line, erased);
        }
        Ok(())
    }

    /// The line of the fault that a step names, as far as it is known.
    pub(super) fn line_of(&mut self, tx: &mut Tx<'_>, fault: Uuid) -> Result<Option<String>, DbError> {
        if let Some(line) = self.opened.get(&fault) {
            return Ok(Some(line.clone()));
        }
        match self.resolve(tx, fault)? {
            Some((_, line)) => Ok(Some(line)),
            None => facts::line_of(tx, fault),
        }
    }

    pub(super) fn resolve(&mut self, tx: &mut Tx<'_>, id: Uuid) -> Result<Option<(Uuid, String)>, DbError> {
        if let Some(known) = self.resolved.get(&id) {
            return Ok(known.clone());
        }
        let found = faults::resolve(tx, id)?;
        self.resolved.insert(id, found.clone());
        Ok(found)
    }

    pub(super) fn in_scope(&mut self, tx: &mut Tx<'_>, line: &str) -> Result<bool, DbError> {
        if !self.in_scope.contains_key(line) {
            self.look_up_lines(tx, vec![line.to_owned()])?;
        }
        Ok(self.in_scope.get(line).copied().unwrap_or_default())
    }

    /// Whether what is personal of the customer that had the line at a moment was erased.
    pub(super) fn is_line_erased(
        &mut self,
        tx: &mut Tx<'_>,
        line: &str,
        at: UnixMs,
    ) -> Result<bool, DbError> {
        if !self.erased.contains_key(line) {
            self.look_up_lines(tx, vec![line.to_owned()])?;
        }
        Ok(self.erased.get(line).is_some_and(|erased| erased.at(at)))
    }
}
