//! The table of `docs/asvs.md` names tests: each of them has to be there.

use std::path::Path;

const TABLE: &str = include_str!("../../../docs/asvs.md");

/// `path::name` in backquotes, with a file's ending before the name.
fn named(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('`').skip(1).step_by(2).filter_map(|quoted| {
        let (path, name) = quoted.split_once("::")?;
        let is_source = [".rs", ".mjs", ".ts"].iter().any(|ending| path.ends_with(ending));
        is_source.then_some((path, name))
    })
}

#[test]
fn every_test_that_is_named_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut missing = Vec::new();
    let mut seen = 0;
    for (path, name) in named(TABLE) {
        seen += 1;
        let source = std::fs::read_to_string(root.join(path)).unwrap_or_default();
        let is_there = if Path::new(path).extension().is_some_and(|ending| ending == "rs") {
            source.contains(&format!("fn {name}("))
        } else {
            source.contains(name)
        };
        if !is_there {
            missing.push(format!("{path}::{name}"));
        }
    }
    missing.dedup();
    assert!(missing.is_empty(), "docs/asvs.md names tests that are not there: {missing:#?}");
    assert!(seen > 150, "only {seen} tests are named");
}

/// A row says what it is about in five cells.
#[test]
fn every_row_is_whole() {
    for row in TABLE.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| |")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        assert!(row.starts_with("| ---") || cells.len() == 5, "{row}");
        assert!(cells.iter().all(|cell| !cell.is_empty() && !cell.starts_with('@')), "{row}");
    }
}
