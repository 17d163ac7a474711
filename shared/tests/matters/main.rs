//! What is promised beside the restoration of lines, told as stories: every file in `stories` is one, read by
//! [`story::check`].

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing there")]

mod look;
mod properties;
mod story;
mod written;

#[test]
fn stories() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/matters/stories");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 60, "the stories are gone");
    let failures: Vec<String> = files.iter().filter_map(|file| story::check(file).err()).collect();
    assert!(
        failures.is_empty(),
        "{} of {} stories differ:\n\n{}",
        failures.len(),
        files.len(),
        failures.join("\n\n")
    );
}
