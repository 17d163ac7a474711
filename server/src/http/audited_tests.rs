//! No call that writes goes by without a word: it is in the audit trail, or on a short list with the reason.

use std::collections::BTreeSet;

use super::audited::{AUDITED, UNAUDITED};
use crate::db::testing::both;
use crate::http::testing::TestDesk;
use crate::store::audit::{Action, Kind};

#[tokio::test(flavor = "multi_thread")]
async fn every_route_that_writes_is_listed_once() {
    both(|db| async move {
        let desk = TestDesk::new(db).await;
        let writes = desk.declared.iter().filter(|(method, _, _)| !method.is_safe());
        let declared: BTreeSet<String> =
            writes.map(|(method, path, _)| format!("{} {path}", method.as_str().to_lowercase())).collect();
        let listed: Vec<&str> = AUDITED
            .iter()
            .map(|(route, _)| *route)
            .chain(UNAUDITED.iter().map(|(route, _)| *route))
            .collect();
        let once: BTreeSet<String> = listed.iter().map(|route| (*route).to_owned()).collect();
        assert_eq!(once.len(), listed.len(), "a route is listed twice");
        let missing: Vec<_> = declared.difference(&once).collect();
        assert!(
            missing.is_empty(),
            "say in http/audited.rs what these leave in the audit trail: {missing:#?}"
        );
        let gone: Vec<_> = once.difference(&declared).collect();
        assert!(gone.is_empty(), "these routes are no more: {gone:#?}");
        assert!(UNAUDITED.iter().all(|(_, why)| why.len() > 10));
    })
    .await;
}

#[test]
fn the_page_about_the_trail_lists_every_word_under_its_kind() {
    let page = include_str!("../../../docs/audit.md");
    let mut listed: Vec<(&str, &str)> = Vec::new();
    let mut kind = "";
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            kind = heading.split(':').next().unwrap_or_default();
        }
        if let Some(word) = line.strip_prefix("| `").filter(|_| Kind::ALL.iter().any(|k| k.name() == kind)) {
            listed.push((kind, word.split('`').next().unwrap_or_default()));
        }
    }
    let known: Vec<(&str, &str)> = Action::ALL.iter().map(|a| (a.kind().name(), a.word())).collect();
    assert_eq!(listed, known);
}
