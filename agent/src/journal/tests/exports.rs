//! Files that carry records: sealed, whole or nothing, each record once.

use std::fs;
use std::path::PathBuf;

use linewatch_shared::wire::CarryKey;
use zeroize::Zeroizing;

use super::files::{acknowledge, unsent};
use super::plain::found;
use super::*;
use crate::journal::{ExportError, Imported, JournalError, carry, export, import};
use crate::vault::VaultError;

const KEY: CarryKey = CarryKey([3; 32]);
const GOLDEN_V1: &[u8] = include_bytes!("golden/v1/export.linewatch");
const PASSPHRASE: &str = "sample passphrase";

/// A journal in a folder of its own, with the key that its server's agents share.
fn laptop(key: Option<&CarryKey>) -> (tempfile::TempDir, Journal) {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    if let Some(key) = key.cloned() {
        journal.write_blocking(move |tx| carry::learn(tx, &key)).unwrap();
    }
    (dir, journal)
}

fn write_to(journal: &Journal, path: &Path, passphrase: Option<&str>) -> Result<u64, ExportError> {
    let export = |db: &Connection| Ok(export(db, "sample", NOW, path, passphrase));
    journal.read_blocking(export).unwrap().map(|exported| exported.records)
}

fn nobody() -> Result<Zeroizing<String>, VaultError> {
    Err(VaultError::PassphraseNeeded)
}

/// A whole file of several chunks, with its folder.
fn carried() -> (tempfile::TempDir, PathBuf, Vec<Record>) {
    let (_dir, journal) = laptop(Some(&KEY));
    let scribe = journal.scribe();
    let mut records = vec![report(scribe, "canary-report"), visit(scribe, "canary-customer")];
    records.extend((0..5).map(|_| minute(scribe, 40_000)));
    journal.append_blocking(&records).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.linewatch");
    assert_eq!(write_to(&journal, &file, None).unwrap(), 7);
    (folder, file, records)
}

#[test]
fn an_export_is_taken_in_once() {
    let (one, journal) = laptop(Some(&KEY));
    let scribe = journal.scribe();
    let records = [report(scribe, "a"), visit(scribe, "C1"), minute(scribe, 900)];
    journal.append_blocking(&records).unwrap();
    journal.append_blocking(&[report(scribe, "b")]).unwrap();
    acknowledge(&journal, &records[0]);
    let file = one.path().join("out.linewatch");
    assert_eq!(write_to(&journal, &file, None).unwrap(), 3, "only what is unsent");
    let (_two, other) = laptop(Some(&KEY));
    let imported = import(&other, &file, nobody).unwrap();
    assert_eq!((imported.agent.as_str(), imported.added, imported.skipped), ("sample", 3, 0));
    let again = import(&other, &file, nobody).unwrap();
    assert_eq!((again.added, again.skipped), (0, 3));
    other
        .read_blocking(|db| {
            check_whole(db);
            assert!(!records::contains(db, records[0].id).unwrap());
            let sql = "SELECT unseal(sealed, 'record') FROM record WHERE id = ?1";
            let bytes: Vec<u8> = db.query_row(sql, [records[1].id.as_bytes()], |row| row.get(0))?;
            assert_eq!(bytes, records[1].to_bytes().unwrap(), "bytes are kept");
            Ok(())
        })
        .unwrap();
}

#[test]
fn nobody_reads_an_export_without_its_key() {
    let (folder, file, _) = carried();
    assert_eq!(found(folder.path(), &["canary", "sample", "technician"]), Vec::<String>::new());
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    for key in [None, Some(&CarryKey([4; 32]))] {
        let (_dir, other) = laptop(key);
        assert!(matches!(import(&other, &file, nobody), Err(ExportError::UnknownKey)));
        assert_eq!(unsent(&other), 0);
    }
}

#[test]
fn a_key_that_was_replaced_still_opens_older_files() {
    let (_folder, file, records) = carried();
    let (_dir, other) = laptop(Some(&KEY));
    other.write_blocking(|tx| carry::learn(tx, &CarryKey([9; 32]))).unwrap();
    assert_eq!(import(&other, &file, nobody).unwrap().added, records.len() as u64);
}

#[test]
fn an_agent_that_never_met_a_server_uses_a_passphrase() {
    let (dir, journal) = laptop(None);
    journal.append_blocking(&[report(journal.scribe(), "a")]).unwrap();
    let file = dir.path().join("out");
    let error = write_to(&journal, &file, None).unwrap_err();
    assert!(
        matches!(error, ExportError::NoKey) && error.to_string().contains("--passphrase-file"),
        "{error}"
    );
    assert!(write_to(&journal, &file, Some("short")).is_err());
    assert!(!file.exists() && !file.with_extension("part").exists());
    assert_eq!(write_to(&journal, &file, Some(PASSPHRASE)).unwrap(), 1);

    let (_dir, other) = laptop(None);
    let given = |text: &str| import(&other, &file, || Ok(Zeroizing::new(text.to_owned())));
    let error = given("another passphrase").unwrap_err().to_string();
    assert!(error.contains("another key"), "{error}");
    assert!(matches!(import(&other, &file, nobody), Err(ExportError::Vault(VaultError::PassphraseNeeded))));
    assert_eq!(unsent(&other), 0);
    assert_eq!(given(PASSPHRASE).unwrap().added, 1);
}

#[test]
fn a_damaged_export_changes_nothing() {
    let (folder, file, records) = carried();
    let whole = fs::read(&file).unwrap();
    let (_dir, other) = laptop(Some(&KEY));
    // Where the chunks begin: after the magic, the head's length and the head.
    let head_bytes = u32::from_be_bytes(whole[17..21].try_into().unwrap()) as usize;
    let mut chunks = Vec::new();
    let mut at = 21 + head_bytes;
    while at < whole.len() {
        let length = u32::from_be_bytes(whole[at + 1..at + 5].try_into().unwrap()) as usize;
        chunks.push(at..at + 5 + length);
        at += 5 + length;
    }
    assert!(chunks.len() > 3, "{} chunks", chunks.len());
    let head = &whole[..chunks[0].start];
    let joined = |order: &[usize]| {
        let parts = order.iter().map(|n| &whole[chunks[*n].clone()]);
        [head].into_iter().chain(parts).collect::<Vec<_>>().concat()
    };
    let last = chunks.len() - 1;
    let all: Vec<usize> = (0..=last).collect();
    assert_eq!(joined(&all), whole);
    let flipped = |at: usize| {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        flipped
    };
    let mut marked_last = joined(&all[..last]);
    marked_last[chunks[last - 1].start] = 1;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("a byte short", whole[..whole.len() - 1].to_vec()),
        ("cut in the head", whole[..40].to_vec()),
        ("without its last chunk", joined(&all[..last])),
        ("without its last chunk, the one before marked", marked_last),
        ("without one in the middle", joined(&[&all[..1], &all[2..]].concat())),
        ("two exchanged", joined(&[&[1, 0], &all[2..]].concat())),
        ("one doubled", joined(&[&[0, 0], &all[1..]].concat())),
        ("a byte more", [&whole[..], b"x"].concat()),
        ("a chunk more", joined(&[&all[..], &[last]].concat())),
        ("in the head", flipped(21 + head_bytes / 2)),
        ("in the first chunk", flipped(chunks[0].start + 9)),
        ("in the middle", flipped(whole.len() / 2)),
        ("at the end", flipped(whole.len() - 1)),
        ("not ours", b"hello".to_vec()),
    ];
    let broken = folder.path().join("broken");
    for (what, bytes) in cases {
        fs::write(&broken, bytes).unwrap();
        let error = import(&other, &broken, nobody).unwrap_err();
        assert!(matches!(error, ExportError::Format(_) | ExportError::UnknownKey), "{what}: {error}");
        assert_eq!(unsent(&other), 0, "{what}");
    }
    assert_eq!(import(&other, &file, nobody).unwrap().added, records.len() as u64);
}

#[test]
fn files_of_the_first_format_are_still_read() {
    let (dir, journal) = laptop(None);
    let file = dir.path().join("golden");
    fs::write(&file, GOLDEN_V1).unwrap();
    let imported = import(&journal, &file, nobody).unwrap();
    assert_eq!(imported, Imported { agent: String::new(), added: 2, skipped: 0, parts: 0 });
    for at in [GOLDEN_V1.len() / 2, GOLDEN_V1.len() - 1] {
        let mut flipped = GOLDEN_V1.to_vec();
        flipped[at] ^= 1;
        fs::write(&file, flipped).unwrap();
        let error = import(&journal, &file, nobody).unwrap_err().to_string();
        assert!(error.starts_with("not a whole export file"), "{error}");
    }
    journal
        .read_blocking(|db| {
            check_whole(db);
            assert_eq!(crate::journal::of_kinds(db, &["report", "visit"], 9)?.len(), 2);
            Ok(())
        })
        .unwrap();
}

/// A finished visit with pictures.
fn visit_with(journal: &Journal, pictures: &[&[u8]]) -> Record {
    use crate::field::{draft::Draft, drafts, drafts::Kept, parts};
    use linewatch_shared::facts::Media;
    let record = visit(journal.scribe(), "C1");
    let id = record.id;
    let (begun_at, changed_at) = (NOW, NOW);
    let kept = Kept { id, revision: 1, begun_at, changed_at, by: String::new(), draft: Draft::default() };
    let pictures: Vec<Vec<u8>> = pictures.iter().map(|bytes| bytes.to_vec()).collect();
    journal
        .write_blocking(move |tx| {
            drafts::begin(tx, &kept)?;
            let keep = |bytes: &Vec<u8>| Ok(parts::keep(tx, id, Media::Jpeg, bytes, NOW)?.unwrap().sha256);
            let named = pictures.iter().map(keep).collect::<Result<Vec<_>, JournalError>>()?;
            parts::finish(tx, id, &named)
        })
        .unwrap();
    journal.append_blocking(std::slice::from_ref(&record)).unwrap();
    record
}

#[test]
fn pictures_travel_with_their_reports_once() {
    use crate::field::parts;
    use linewatch_shared::wire::record_hash;
    let (dir, journal) = laptop(Some(&KEY));
    let large = [&[0xFF, 0xD8, 0xFF][..], &b"canary-picture ".repeat(20_000)].concat();
    let small = [0xFF, 0xD8, 0xFF, 1];
    visit_with(&journal, &[&large, &small]);
    visit_with(&journal, &[&small]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    let exported = journal.read_blocking(|db| Ok(export(db, "", NOW, &file, None).unwrap())).unwrap();
    assert_eq!((exported.records, exported.parts), (2, 2), "what two reports name is in it once");
    assert_eq!(found(folder.path(), &["canary"]), Vec::<String>::new());
    drop((dir, journal));
    let (_other_dir, other) = laptop(Some(&KEY));
    let imported = import(&other, &file, nobody).unwrap();
    assert_eq!((imported.added, imported.parts), (2, 2));
    let again = import(&other, &file, nobody).unwrap();
    assert_eq!((again.added, again.parts), (0, 0));
    other
        .read_blocking(|db| {
            let bytes = parts::bytes(db, record_hash(&large), 0, usize::MAX)?.unwrap();
            assert!(bytes == large, "the same to the byte");
            assert_eq!(parts::left(db)?.parts, 2, "they are sent from here");
            Ok(())
        })
        .unwrap();
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let (_third_dir, third) = laptop(Some(&KEY));
    assert!(matches!(import(&third, &file, nobody), Err(ExportError::Format(_))));
    assert_eq!(unsent(&third), 0, "cut in a picture: nothing is taken in");
}

#[test]
fn a_picture_whose_report_has_gone_stays() {
    let (dir, journal) = laptop(Some(&KEY));
    let record = visit_with(&journal, &[&[0xFF, 0xD8, 0xFF]]);
    let chain = linewatch_shared::wire::Chain::START
        .after(linewatch_shared::wire::record_hash(&record.to_bytes().unwrap()));
    let epoch = journal.read_blocking(|db| Ok(lanes::require(db)?.epoch)).unwrap();
    let held = linewatch_shared::wire::Held::Upto { last: 1, chain };
    let lane = linewatch_shared::facts::Lane::Desk;
    journal.write_blocking(move |tx| crate::journal::accept(tx, epoch, lane, &held)).unwrap();
    let file = dir.path().join("out");
    let exported = journal.read_blocking(|db| Ok(export(db, "", NOW, &file, None).unwrap())).unwrap();
    assert_eq!((exported.records, exported.parts), (0, 0));
}
