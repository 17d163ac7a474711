//! Where the programs are that are tested.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

static BUILT: OnceLock<Result<(), String>> = OnceLock::new();

/// The path of `linewatch-server`, `linewatch-agent` or a program of this package: the one that
/// `LINEWATCH_SERVER` or `LINEWATCH_AGENT` names, else the one beside this program. Below `cargo test` and
/// `cargo run` the two are built first, once, so that old ones are never tested.
///
/// # Errors
/// When there is none.
pub fn program(name: &str) -> Result<PathBuf> {
    let variable = name.to_uppercase().replace('-', "_");
    if let Some(path) = std::env::var_os(&variable) {
        return Ok(PathBuf::from(path));
    }
    let dir = target_dir()?;
    let path = dir.join(name);
    let is_ours = matches!(name, "linewatch-server" | "linewatch-agent");
    if is_ours && (!path.exists() || std::env::var_os("CARGO").is_some()) {
        BUILT
            .get_or_init(|| build(&dir).map_err(|error| format!("{error:#}")))
            .clone()
            .map_err(anyhow::Error::msg)?;
    }
    if !path.exists() {
        bail!("there is no {}: build it first", path.display());
    }
    Ok(path)
}

/// The folder of this program's profile, such as `target/debug`.
fn target_dir() -> Result<PathBuf> {
    let me = std::env::current_exe().context("where this program is")?;
    let dir = me.parent().context("where this program is")?;
    let is_test = dir.file_name().is_some_and(|name| name == "deps");
    Ok(if is_test { dir.parent().unwrap_or(dir) } else { dir }.to_owned())
}

fn build(dir: &Path) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).args([
        "build",
        "--quiet",
        "--package=linewatch-server",
        "--package=linewatch-agent",
    ]);
    let profile = dir.file_name().and_then(|name| name.to_str()).unwrap_or("debug");
    if profile != "debug" {
        command.arg(format!("--profile={profile}"));
    }
    if let Some(root) = dir.parent() {
        command.arg("--target-dir").arg(root);
    }
    let output = command.output().context("cargo")?;
    if !output.status.success() {
        bail!("the programs cannot be built:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
