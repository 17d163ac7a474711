//! A short piece of what `make nodes` plays. `LINEWATCH_TEST_PG=off` leaves it out where there is no PostgreSQL.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, ensure};
use linewatch_tests::harness::{BOUND, Cluster, Folder, Seed, Store, block_on, eventually, story};
use linewatch_tests::nodes::world::{World, WorldOptions};
use linewatch_tests::nodes::{Options, failover, run};
use linewatch_tests::proxy::{Cut, Proxy};

/// Connections to the database that are cut at a commit.
const CUTS: u64 = 16;

fn is_off() -> bool {
    std::env::var("LINEWATCH_TEST_PG").as_deref() == Ok("off")
}

#[test]
fn two_nodes_killed_at_any_moment_lose_and_double_nothing() {
    if is_off() {
        return;
    }
    let seed = Seed::from_env_or(2_026).value();
    println!("STORY_SEED={seed}");
    story(|folder| {
        let outcome = run(folder, Options { seed, seconds: 10 }, |line| println!("{line}"))?;
        println!("{}", outcome.table());
        Ok(())
    });
}

/// One node whose way to the database is ours.
fn behind_a_proxy(folder: &Folder, cluster: &Cluster) -> Result<(Proxy, World)> {
    let proxy = Proxy::start(vec![SocketAddr::from(([127, 0, 0, 1], cluster.port()))])?;
    let url = format!("postgres://postgres@{}/linewatch", proxy.address);
    let options = WorldOptions { nodes: 1, agents: 2, lines_each: 4, reported_lines: 8 };
    let mut world = World::new(folder, &url, &options)?;
    // Looks from outside go straight.
    world.store = Store::Postgres(cluster.url());
    Ok((proxy, world))
}

/// Nobody knows whether a commit happened whose answer was lost: the agent and the caller repeat, and are recognised.
#[test]
fn a_connection_that_is_cut_at_the_commit_doubles_nothing() {
    if is_off() {
        return;
    }
    story(|folder| {
        let cluster = Cluster::start()?;
        let (database, mut world) = behind_a_proxy(folder, &cluster)?;
        let reporters: Vec<_> = (0..2).map(|n| world.reporter(n, 2)).collect();
        let mut chance = Seed::of(7);
        for n in 0..CUTS {
            let cut = if n % 2 == 0 { Cut::After(b"COMMIT") } else { Cut::Before(b"COMMIT") };
            database.cut_at(cut);
            for device in &mut world.devices {
                device.write(3, &mut chance)?;
            }
            eventually(BOUND, "a connection is cut", || Ok((database.counts()[2] > n).then_some(())))?;
        }
        let mut done = 0;
        for reporter in reporters {
            done += reporter.stop()?.reports;
        }
        let records = world.check_arrived()?;
        world.check_reports(done)?;
        println!("{CUTS} cuts at a commit: {records} records and {done} reports, each there once");
        world.stop()
    });
}

#[test]
fn while_the_database_is_away_nothing_is_taken_and_nothing_lost() {
    if is_off() {
        return;
    }
    story(|folder| {
        let cluster = Cluster::start()?;
        let (database, mut world) = behind_a_proxy(folder, &cluster)?;
        let mut chance = Seed::of(8);
        database.set_away(true);
        let get = |path: &str| {
            let request = reqwest::Client::builder().no_proxy().timeout(BOUND).build()?;
            let url = format!("http://{}{path}", world.nodes[0].http);
            block_on(async { anyhow::Ok(request.get(url).bearer_auth("nobody").send().await?) })
        };
        let ready = get("/readyz")?;
        ensure!(ready.status() == 503, "{}", ready.status());
        ensure!(block_on(ready.text())?.contains("\"db\":false"));
        let board = get("/api/v1/board")?;
        ensure!(board.status() == 503 && board.headers().contains_key("retry-after"), "{board:?}");
        ensure!(get("/healthz")?.status() == 200, "the program itself is well");
        for device in &mut world.devices {
            device.write(20, &mut chance)?;
        }
        std::thread::sleep(Duration::from_secs(1));
        for device in &world.devices {
            ensure!(device.unsent()? >= 20, "acknowledged without a database");
        }
        database.set_away(false);
        world.nodes[0].wait_ready(BOUND)?;
        world.check_arrived()?;
        world.stop()
    });
}

#[test]
fn a_promoted_standby_is_found_and_nothing_acknowledged_is_lost() {
    if is_off() {
        return;
    }
    let seed = Seed::from_env_or(2_026).value();
    println!("STORY_SEED={seed}");
    story(|folder| {
        let outcome = failover::run(folder, seed, |line| println!("{line}"))?;
        println!("{}", outcome.table());
        Ok(())
    });
}
