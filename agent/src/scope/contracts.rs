//! What lines are promised, as pulled: the packs understood, the rules of a line, and what its contract allows.

use std::collections::BTreeMap;
use std::sync::Arc;

use linewatch_shared::detector::Quality;
use linewatch_shared::rules::Pack;
use linewatch_shared::sla::{LineRules, LineTerms, PackVersion};
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::ReferenceLine;
use rusqlite::Connection;

use crate::journal::JournalError;

/// The pack versions that this program understands.
///
/// # Errors
/// When the database cannot be read.
pub fn pack_versions(db: &Connection) -> Result<Vec<PackVersion>, JournalError> {
    let mut versions = Vec::new();
    for text in super::packs(db)? {
        match Pack::parse(&text.text, &text.name) {
            Ok(pack) => versions.push(PackVersion { valid_from: text.valid_from, pack: Arc::new(pack) }),
            Err(mistakes) => {
                let first = mistakes.first().map(ToString::to_string).unwrap_or_default();
                tracing::warn!(pack = text.name, version = text.version, %first, "not understood: update the agent");
            }
        }
    }
    Ok(versions)
}

/// A line's rules through time; none where its pack is not understood.
#[must_use]
pub fn rules(line: &ReferenceLine, packs: &[PackVersion]) -> Option<LineRules> {
    let terms = line.terms.iter().map(|terms| LineTerms {
        valid_from: terms.valid_from,
        customer: line.customer.clone(),
        pack: terms.pack.clone(),
        tier: terms.tier.clone(),
        service: terms.service.clone(),
        owner: terms.agent.clone(),
        promised: terms.promised,
    });
    LineRules::new(&line.code, terms.collect(), packs.iter().cloned())
        .inspect_err(|error| tracing::warn!(%error, "no countdown"))
        .ok()
}

/// The lines in scope, with what their contracts allow before they are degraded, by the newest terms.
///
/// # Errors
/// When the database cannot be read.
pub fn lines(db: &Connection) -> Result<(Vec<ReferenceLine>, BTreeMap<String, Quality>), JournalError> {
    let lines = super::lines(db)?;
    let packs = pack_versions(db)?;
    let quality = |line: &ReferenceLine| {
        Some((line.code.clone(), rules(line, &packs)?.pack_at(UnixMs::MAX).1.quality()))
    };
    let contracts = lines.iter().filter_map(quality).collect();
    Ok((lines, contracts))
}

#[cfg(test)]
mod tests {
    use linewatch_shared::rules::SHIPPED;
    use linewatch_shared::wire::{Cursor, PackText, PullPage, Reference, ReferenceTerms};

    use super::*;
    use crate::journal::tests::memory;

    #[test]
    fn a_line_is_watched_by_the_contract_of_its_newest_terms() {
        let terms = |valid_from, tier: &str| ReferenceTerms {
            valid_from: UnixMs(valid_from),
            pack: "group-line".to_owned(),
            tier: tier.to_owned(),
            agent: String::new(),
            service: String::new(),
            promised: true,
        };
        let line = |code: &str, terms| ReferenceLine {
            code: code.to_owned(),
            customer: "C1".to_owned(),
            site: String::new(),
            service: String::new(),
            probe: String::new(),
            interval_ms: 1_000,
            terms,
        };
        let strict = "name = \"AAA\"\njitter_at_most = \"30ms\"\nloss_at_most = \"0.5%\"";
        let text = SHIPPED[0].1.replacen("name = \"AAA\"", strict, 1);
        let pack =
            PackText { name: "group-line".to_owned(), version: "1".to_owned(), valid_from: UnixMs(0), text };
        let rows = vec![
            Reference::Pack(pack),
            Reference::Line(line("L1", vec![terms(0, "A"), terms(5, "AAA")])),
            Reference::Line(line("L2", vec![terms(0, "A")])),
            Reference::Line(line("L3", vec![terms(0, "none such")])),
        ];
        let db = memory();
        let page = PullPage { fresh: true, rows, cursor: Cursor(vec![1]), more: false, reference_head: 1 };
        super::super::apply(&db, &page).unwrap();
        let (lines, contracts) = lines(&db).unwrap();
        assert_eq!(lines.len(), 3);
        assert_eq!(contracts.get("L1"), Some(&Quality::new(Some(5_000), None, Some(30_000))));
        assert_eq!(contracts.get("L2"), Some(&Quality::default()));
        assert_eq!(contracts.get("L3"), None, "a line without understood terms is watched all the same");
    }
}
