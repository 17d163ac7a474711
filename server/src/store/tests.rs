//! SQL stands in `db` and in `store`, and nowhere else in the server; lists find what they want by an index.

use std::path::{Path, PathBuf};

use super::{faults, matters};
use crate::db::{Db, DbError, Tx, Value, testing};

/// How a statement begins in a text.
const BEGINNINGS: [&str; 6] = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH ", "REPLACE "];
/// How a statement is run.
const CALLS: [&str; 6] =
    ["tx.execute(", "tx.query(", "tx.query_one(", "tx.query_opt(", "tx.batch(", "tx.script("];

/// Lines, from 1, on which a text that begins like a statement opens, or a statement is run.
fn sql_in(source: &str) -> Vec<usize> {
    let line_of = |at: usize| source[..at].matches('\n').count() + 1;
    let opens = source.match_indices('"').filter(|(at, _)| {
        // A text may begin with a line break that is not part of it.
        let text = source[at + 1..].trim_start_matches(|c: char| c == '\\' || c.is_whitespace());
        BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
    });
    let mut lines: Vec<usize> = opens.map(|(at, _)| line_of(at)).collect();
    for call in CALLS {
        lines.extend(source.match_indices(call).map(|(at, _)| line_of(at)));
    }
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// What of a file is part of the program: the module of its tests comes last, by habit.
fn without_tests(source: &str) -> &str {
    let begin = source.match_indices("#[cfg(test)]").map(|(at, _)| at).find(|at| {
        let item = source[*at..].lines().nth(1).unwrap_or_default();
        item.starts_with("mod ") && item.ends_with('{')
    });
    &source[..begin.unwrap_or(source.len())]
}

fn is_test(path: &Path) -> bool {
    let named =
        |name: &str| matches!(name, "tests" | "tests.rs" | "testing.rs") || name.ends_with("_tests.rs");
    path.iter().any(|part| part.to_str().is_some_and(named))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_statement_stands_outside_of_the_database_layer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    let mut read = 0;
    let mut misplaced = Vec::new();
    for path in found {
        let name = path.strip_prefix(&root).unwrap();
        if name.starts_with("db") || name.starts_with("store") || is_test(name) {
            continue;
        }
        read += 1;
        let source = std::fs::read_to_string(&path).unwrap();
        let lines = sql_in(without_tests(&source));
        misplaced.extend(lines.into_iter().map(|line| format!("src/{}:{line}", name.display())));
    }
    assert!(read > 50, "only {read} files were looked at");
    assert!(misplaced.is_empty(), "SQL belongs in src/store:\n{}", misplaced.join("\n"));
}

#[test]
fn the_database_layer_knows_nothing_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root.join("db"), &mut found);
    sources(&root.join("store"), &mut found);
    let above = ["app", "engine", "http", "notify", "boot", "cli"].map(|module| format!("crate::{module}::"));
    let mut upward = Vec::new();
    for path in found.iter().filter(|path| !is_test(path.strip_prefix(&root).unwrap())) {
        let source = std::fs::read_to_string(path).unwrap();
        let program = without_tests(&source);
        upward.extend(above.iter().filter(|name| program.contains(*name)).map(|name| (path, name)));
    }
    assert!(found.len() > 20, "only {} files were looked at", found.len());
    assert!(upward.is_empty(), "{upward:#?}");
}

#[test]
fn a_statement_is_seen_however_it_is_written() {
    assert_eq!(sql_in("let a = 1;\nlet sql = \"SELECT 1\";"), [2]);
    assert_eq!(sql_in("f(\n  \"\\\n  DELETE FROM x\",\n)"), [2]);
    assert_eq!(sql_in("let sql = r#\"\n INSERT INTO x\"#;"), [1]);
    assert_eq!(sql_in("db.read(move |tx| tx.query_opt(SQL, &[]))"), [1]);
    assert_eq!(sql_in("request(\"DELETE\", \"/x\"); say(\"select one\"); uri.query()"), Vec::<usize>::new());
    let file = "fn a() {}\n#[cfg(test)]\nmod b;\n\n#[cfg(test)]\nmod tests {\n    \"SELECT 1\"\n}\n";
    assert!(without_tests(file).ends_with("mod b;\n\n"));
    assert!(!sql_in(file).is_empty() && sql_in(without_tests(file)).is_empty());
}

/// How SQLite would find a page.
async fn way_of(db: &Db, page: String, params: Vec<Value>) -> String {
    let read = move |tx: &mut Tx<'_>| {
        let rows = tx.query(&format!("EXPLAIN QUERY PLAN {page}"), &params)?;
        rows.iter().map(|row| row.get::<String>(3)).collect::<Result<Vec<_>, DbError>>()
    };
    db.read(read).await.unwrap().join("; ")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrowed_list_looks_at_nothing_else() {
    let database = testing::sqlite();
    let db = Db::open(&database.url, 0).await.unwrap();
    let of_faults =
        |wanted: faults::Wanted| way_of(&db, format!("SELECT body {}", wanted.page()), wanted.params(10));
    let wanted = faults::Wanted { line: "L1".into(), ..faults::Wanted::default() };
    assert!(of_faults(wanted).await.contains("fault_by_line"));
    let wanted = faults::Wanted { customer: "C1".into(), ..faults::Wanted::default() };
    assert!(of_faults(wanted).await.contains("fault_by_customer"));
    let wanted = faults::Wanted { state: "open".into(), ..faults::Wanted::default() };
    assert!(of_faults(wanted).await.contains("fault_live"));

    let of_matters = |wanted: matters::WantedMatters| way_of(&db, wanted.page(), wanted.params(10).into());
    let wanted = matters::WantedMatters { customer: "C1".into(), ..matters::WantedMatters::default() };
    assert!(of_matters(wanted).await.contains("matter_by_customer"));
    let wanted = matters::WantedMatters { state: "live".into(), ..matters::WantedMatters::default() };
    assert!(of_matters(wanted).await.contains("matter_live"));
}
