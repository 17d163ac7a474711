//! The `linewatch-agent` program.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use linewatch_agent::command::{Cli, execute};

fn main() -> ExitCode {
    // Wrong usage exits with 2 here.
    let cli = Cli::parse();
    match execute(cli) {
        Ok(code) => code,
        Err(error) => {
            let text = format!("{error:#}").replace('\n', " ");
            let _ = writeln!(std::io::stderr(), "linewatch-agent: {text}");
            ExitCode::FAILURE
        }
    }
}
