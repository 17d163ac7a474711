//! `linewatch-server`: see `--help`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    linewatch_server::cli::run().await
}
