//! The running worker: bursts, several nodes on one database, stopping.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use linewatch_server::clock::SystemClock;
use linewatch_server::db::{Db, testing};
use linewatch_server::notify::{EMAIL, Notifier};
use linewatch_shared::time::Clock;
use linewatch_tests::smtp::{SmtpServer, Stage, Trouble};
use tokio_util::sync::CancellationToken;

use crate::desk::{LIMIT, MANAGER, all_done, mail_settings, notifier_with, put, rows, states};

fn worker(db: &Db, clock: &Arc<SystemClock>, server: &SmtpServer) -> Notifier {
    notifier_with(db, Arc::clone(clock) as _, Some(mail_settings(server.address.port())), None)
}

fn to_many(count: usize, addresses: usize) -> Vec<(String, String)> {
    (0..count).map(|n| (format!("k{n:04}"), format!("manager{}@desk.example", n % addresses))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_goes_out_at_once_over_few_connections() {
    const BURST: usize = 200;
    testing::both(|db| async move {
        let server = SmtpServer::local().await.unwrap();
        let clock = Arc::new(SystemClock::start());
        let stop = CancellationToken::new();
        let running = tokio::spawn(worker(&db, &clock, &server).run(stop.clone()));
        put(&db, EMAIL, vec![("warm".into(), MANAGER.into())], clock.now()).await;
        all_done(&db).await;
        put(&db, EMAIL, to_many(BURST, BURST), clock.now()).await;
        server.wait_for(BURST + 1, LIMIT).await.unwrap();
        // How long it takes is measured by a benchmark; here, that nobody waits for everybody before.
        assert!((2..=16).contains(&server.connections_at_once()), "{}", server.connections_at_once());
        assert!(server.connections() <= 40, "{}", server.connections());
        all_done(&db).await;
        stop.cancel();
        running.await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_never_send_the_same_message() {
    const MAILS: usize = 300;
    for database in testing::databases().await {
        let nodes = [Db::open(&database.url, 0).await.unwrap(), Db::open(&database.url, 0).await.unwrap()];
        let server = SmtpServer::local().await.unwrap();
        let clock = Arc::new(SystemClock::start());
        let stop = CancellationToken::new();
        let running: Vec<_> =
            nodes.iter().map(|db| tokio::spawn(worker(db, &clock, &server).run(stop.clone()))).collect();
        for chunk in to_many(MAILS, 20).chunks(10) {
            put(&nodes[0], EMAIL, chunk.to_vec(), clock.now()).await;
        }
        all_done(&nodes[0]).await;
        stop.cancel();
        for one in running {
            one.await.unwrap();
        }
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut by_address: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for mail in server.received() {
            *seen.entry(mail.header("X-Linewatch-Key")).or_default() += 1;
            by_address.entry(mail.to[0].clone()).or_default().push(mail.header("X-Linewatch-Key"));
        }
        assert_eq!(seen.len(), MAILS);
        assert!(seen.values().all(|count| *count == 1), "{seen:?}");
        assert!(by_address.values().all(|keys| keys.is_sorted()), "{by_address:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_address_does_not_delay_the_others() {
    testing::both(|db| async move {
        let server = SmtpServer::local().await.unwrap();
        let clock = Arc::new(SystemClock::start());
        let stop = CancellationToken::new();
        let running = tokio::spawn(worker(&db, &clock, &server).run(stop.clone()));
        server.trouble([Trouble::Slow(Stage::Recipient, Duration::from_secs(10))]);
        put(&db, EMAIL, vec![("slow".into(), MANAGER.into())], clock.now()).await;
        tokio::time::timeout(LIMIT, async {
            while server.troubles_left() > 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await
        .unwrap();
        put(&db, EMAIL, to_many(40, 40), clock.now()).await;
        server.wait_for(40, LIMIT).await.unwrap();
        assert!(server.received().iter().all(|mail| mail.header("X-Linewatch-Key") != "slow"));
        stop.cancel();
        running.await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_ends_what_is_under_way_and_gives_back_the_rest() {
    testing::both(|db| async move {
        let server = SmtpServer::local().await.unwrap();
        let clock = Arc::new(SystemClock::start());
        let stop = CancellationToken::new();
        server.trouble([Trouble::Slow(Stage::Content, Duration::from_millis(500))]);
        put(&db, EMAIL, to_many(5, 1), clock.now()).await;
        let running = tokio::spawn(worker(&db, &clock, &server).run(stop.clone()));
        while server.troubles_left() > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        stop.cancel();
        running.await.unwrap();
        let after = rows(&db).await;
        assert_eq!(states(&after), ["done", "pending", "pending", "pending", "pending"]);
        assert!(after.iter().skip(1).all(|(_, attempts, _)| *attempts == 0), "{after:?}");
        // Not leased any more: another node can go on at once.
        let tick = worker(&db, &clock, &server).tick(clock.now()).await.unwrap();
        assert_eq!(tick.sent, 4);
    })
    .await;
}
