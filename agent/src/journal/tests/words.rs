//! Nothing of people's is in the clear in any file: while the journal is open, when it is closed, after a kill.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use linewatch_shared::facts::Lane;

use super::plain::found;
use super::*;
use crate::journal::{acks, poison};

const WORD: &str = "canary-in-the-text";

/// Everything that the agent keeps, with words to look for in it.
fn write_everything(journal: &Journal) {
    use linewatch_shared::wire::{Cursor, Person, PullPage, Reference, ReferenceCustomer};
    let scribe = journal.scribe();
    let mut visit = visit(scribe, "C1");
    if let Body::Visit(visit) = &mut visit.body {
        visit.met = "canary-met".to_owned();
    }
    visit.by = Some("canary-author".to_owned());
    journal.append_blocking(&[report(scribe, WORD), visit, minute(scribe, 3_000)]).unwrap();
    journal.append_blocking(&[report(scribe, WORD)]).unwrap();
    let why = "the server answers canary-why";
    assert!(journal.write_blocking(move |tx| poison(tx, Lane::Fault, 2, why, NOW)).unwrap());
    let customer = Reference::Customer(ReferenceCustomer {
        code: "C1".to_owned(),
        name: "canary-customer".to_owned(),
        contact_name: "canary-contact 联系人".to_owned(),
        contact_phone: "canary-phone".to_owned(),
    });
    let person = Reference::Person(Person {
        name: "canary-person".to_owned(),
        role: "technician".to_owned(),
        salted: "canary-salted".to_owned(),
        check: [1; 32],
    });
    for more in [false, true] {
        let rows = vec![customer.clone(), person.clone()];
        let page = PullPage { fresh: true, rows, cursor: Cursor(vec![1]), more, reference_head: 1 };
        journal.write_blocking(move |tx| crate::scope::apply(tx, &page)).unwrap();
    }
}

const WORDS: [&str; 11] = [
    WORD,
    "canary",
    "联系人",
    "canary-met",
    "canary-author",
    "canary-why",
    "canary-customer",
    "canary-contact",
    "canary-phone",
    "canary-person",
    "canary-salted",
];

#[test]
fn no_word_of_anybody_is_in_any_file() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    write_everything(&journal);
    assert_eq!(found(dir.path(), &WORDS), Vec::<String>::new(), "while it is open");
    let customers = journal.read_blocking(crate::scope::customers).unwrap();
    assert_eq!(customers[0].contact_name, "canary-contact 联系人", "it is there for those who have the key");
    journal.write_blocking(|tx| acks::new_epoch(tx, acks::Resend::Everything, "test", NOW)).unwrap();
    assert_eq!(found(dir.path(), &WORDS), Vec::<String>::new(), "numbered anew");
    drop(journal);
    assert_eq!(found(dir.path(), &WORDS), Vec::<String>::new(), "closed");
}

/// Not a test by itself: the child's part.
#[test]
fn child() {
    let Ok(dir) = std::env::var("FIELD_TEST_CANARY_DIR") else { return };
    let journal = open(Path::new(&dir));
    write_everything(&journal);
    let mut out = std::io::stdout();
    writeln!(out, "written").and_then(|()| out.flush()).unwrap();
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn a_killed_agent_leaves_no_word_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "journal::tests::words::child", "--nocapture"])
        .env("FIELD_TEST_CANARY_DIR", dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "written"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(dir.path().join("journal.db-wal").metadata().unwrap().len() > 0, "the log is still there");
    assert_eq!(found(dir.path(), &WORDS), Vec::<String>::new());
}
