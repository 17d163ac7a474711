//! Nothing of people's is in the clear in any file: while the journal is open, when it is closed, after a kill.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use linewatch_shared::facts::Lane;

use super::plain::found;
use super::*;
use crate::field::draft::Draft;
use crate::field::drafts::{self, Kept};
use crate::field::{parts, work};
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
    write_field(journal);
}

/// What is written on the technician's page, and what it is told.
fn write_field(journal: &Journal) {
    use linewatch_shared::facts::Media;
    use linewatch_shared::wire::{TasksAnswer, Work, WorkFact, WorkFault};
    let draft = Draft { customer: "C1".to_owned(), findings: "canary-draft".to_owned(), ..Draft::default() };
    let id = Uuid::from_u128(9);
    let kept =
        Kept { id, revision: 1, begun_at: NOW, changed_at: NOW, by: "canary-writer".to_owned(), draft };
    let photo = b"canary-photo ".repeat(20_000);
    let event = linewatch_shared::sla::Event::Report {
        channel: Channel::Hotline,
        reporter: "canary-reporter".to_owned(),
        description: "canary-work".to_owned(),
    };
    let fact = WorkFact { id, occurred_at: NOW, by: "canary-desk".to_owned(), event };
    let fault = WorkFault { id, line: "L1".to_owned(), facts: vec![fact] };
    let work = Work { faults: vec![fault], matters: Vec::new() };
    let answer = TasksAnswer { digest: linewatch_shared::wire::record_hash(b"work"), work: Some(work) };
    journal
        .write_blocking(move |tx| {
            assert!(drafts::begin(tx, &kept)?);
            for _ in 0..2 {
                let kept = drafts::one(tx, id)?.unwrap();
                drafts::save(tx, id, kept.revision, &kept.draft, NOW)?;
            }
            assert!(parts::keep(tx, id, Media::Jpeg, &photo, NOW)?.is_some());
            assert!(work::keep(tx, &answer)?);
            Ok(())
        })
        .unwrap();
}

/// Every word begins so, but one that shows what becomes of another script.
const WORDS: [&str; 2] = ["canary", "联系人"];

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
