//! The rulebook, told as stories: every file in `tests/scenarios` is one, read by [`scenario::check`].

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing there")]

mod desk;
mod properties;
mod scenario;

#[test]
fn scenarios() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 20, "the stories are gone");
    let failures: Vec<String> = files.iter().filter_map(|file| scenario::check(file).err()).collect();
    assert!(
        failures.is_empty(),
        "{} of {} stories differ:\n\n{}",
        failures.len(),
        files.len(),
        failures.join("\n\n")
    );
}
