//! `linewatch-server`: see `--help`.

use std::pin::Pin;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    // Without its type: the runtime would have it compiled once for each way of driving it.
    let run: Pin<Box<dyn Future<Output = ExitCode>>> = Box::pin(linewatch_server::cli::run());
    run.await
}
