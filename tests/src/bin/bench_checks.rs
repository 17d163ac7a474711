//! What a TCP or HTTP probe costs, beside `blackbox_exporter` in the same run where peers are wanted (`BENCH_PEERS=1`).
//!
//! `bench_checks` measures; `bench_checks load URL COUNT INTERVAL` is the process that it measures, with COUNT targets at
//! one URL every INTERVAL milliseconds.

use anyhow::{Context, Result, bail};
use linewatch_tests::bench::{peers_folder, say, with_peers};
use linewatch_tests::bench_checks::{Blackbox, INTERVAL_MS, Kind, Site, TARGETS, blackbox_in, compare, load};
use linewatch_tests::harness::Folder;

fn main() -> Result<()> {
    const USAGE: &str = "usage: bench_checks [load URL COUNT INTERVAL]";
    let args: Vec<_> = std::env::args().skip(1).collect();
    match args.as_slice() {
        [] => compare_all(),
        [verb, url, count, interval_ms] if verb == "load" => {
            let (count, interval_ms) = (count.parse().context(USAGE)?, interval_ms.parse().context(USAGE)?);
            // As the agent has it.
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
            let pace = runtime.block_on(load(url, count, interval_ms))?;
            say(format!("{pace:.1}"))
        }
        _ => bail!(USAGE),
    }
}

fn compare_all() -> Result<()> {
    let folder = Folder::new()?;
    let site = Site::open()?;
    let blackbox =
        with_peers().then(|| Blackbox::start(&blackbox_in(&peers_folder()?), folder.path())).transpose()?;
    say(format!("{TARGETS} targets every {INTERVAL_MS} ms, one connection and one answer a probe"))?;
    [Kind::Tcp, Kind::Http].into_iter().try_for_each(|kind| compare(kind, &site, blackbox.as_ref()))
}
