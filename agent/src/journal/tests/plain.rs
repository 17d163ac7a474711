//! Looks for words in the clear in every file of a directory.

use std::fs;
use std::path::Path;

/// What somebody reads who has the files: UTF-8 and both orders of UTF-16.
fn forms(word: &str) -> [Vec<u8>; 3] {
    let units: Vec<u16> = word.encode_utf16().collect();
    let little = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    [word.as_bytes().to_vec(), little, big]
}

/// The files in which one of the words can be read, with the word.
pub(crate) fn found(dir: &Path, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut files = 0;
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        // A log may go while it is looked at.
        let Ok(bytes) = fs::read(&path) else { continue };
        files += 1;
        if bytes.iter().all(|byte| *byte == 0) {
            // What is kept in reserve.
            continue;
        }
        for word in words {
            for form in forms(word) {
                if bytes.windows(form.len()).any(|part| part == form) {
                    found.push(format!("{}: {word}", path.display()));
                }
            }
        }
    }
    assert!(files > 0, "no file was looked at");
    found
}

#[test]
fn words_are_found_in_each_form() {
    let dir = tempfile::tempdir().unwrap();
    for (n, form) in forms("canary").iter().enumerate() {
        fs::write(dir.path().join("file"), [b"x".as_slice(), form, b"y"].concat()).unwrap();
        assert_eq!(found(dir.path(), &["canary", "other"]).len(), 1, "form {n}");
    }
}
