//! The one place that writes to standard output and standard error.

use std::io::Write;

/// Prints one line of results. That nobody reads any more is no error.
pub fn line(text: impl std::fmt::Display) {
    if writeln!(std::io::stdout(), "{text}").is_err() {
        std::process::exit(0);
    }
}

/// Prints what went wrong.
pub fn error(text: impl std::fmt::Display) {
    // With standard error gone there is nobody left to tell.
    drop(writeln!(std::io::stderr(), "linewatch-server: {text}"));
}

/// Prints `value` as one JSON document.
///
/// # Errors
/// When it has no JSON form.
pub fn json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?);
    Ok(())
}
