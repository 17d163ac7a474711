//! Thirty a minute to one address without delay, then digests.

use linewatch_server::db::testing;
use linewatch_server::notify::EMAIL;
use linewatch_shared::time::Clock;
use linewatch_tests::smtp::{Stage, Trouble};

use crate::desk::{MANAGER, NOW, desk, fault, put, rows, states};

fn keys(range: std::ops::Range<usize>) -> Vec<(String, String)> {
    range.map(|n| (format!("k{n:03}"), MANAGER.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_are_not_delayed_and_the_rest_comes_as_one_digest() {
    testing::both(|db| async move {
        let (server, clock, notifier) = desk(&db).await;
        put(&db, EMAIL, keys(0..50), NOW).await;
        put(&db, EMAIL, vec![("other".into(), "deputy@desk.example".into())], NOW).await;
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 31);
        let singles = server.received();
        assert!(singles.iter().all(|m| !m.header("X-Linewatch-Key").contains(',')));
        // What comes meanwhile joins those that wait.
        clock.advance(30_000);
        put(&db, EMAIL, keys(50..60), clock.now()).await;
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 0);
        clock.advance(29_999);
        let tick = notifier.tick(clock.now()).await.unwrap();
        assert_eq!((tick.sent, tick.next_at), (0, Some(NOW + 60_000)));
        clock.advance(1);
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 1);
        let digest = server.received().pop().unwrap();
        assert!(
            digest.header("Subject").contains("30 alerts about 30 faults"),
            "{}",
            digest.header("Subject")
        );
        for (key, _) in keys(30..60) {
            assert!(digest.header("X-Linewatch-Key").contains(&key), "{key}");
            assert!(digest.plain().contains(&fault(&key).to_string()), "{key}");
            assert!(digest.html().contains(&fault(&key).to_string()), "{key}");
        }
        assert!(states(&rows(&db).await).iter().all(|state| *state == "done"));
        // The minute is over: the next goes by itself, at once.
        put(&db, EMAIL, vec![("late".into(), MANAGER.into())], clock.now()).await;
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 1);
        assert_eq!(server.received().pop().unwrap().header("X-Linewatch-Key"), "late");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_that_fails_is_the_same_digest_again() {
    testing::both(|db| async move {
        let (server, clock, notifier) = desk(&db).await;
        put(&db, EMAIL, keys(0..33), NOW).await;
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 30);
        clock.advance(60_000);
        server.trouble([Trouble::CutBeforeAnswer]);
        assert_eq!(notifier.tick(clock.now()).await.unwrap().retried, 1);
        put(&db, EMAIL, keys(33..34), clock.now()).await;
        clock.advance(5_000);
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 2);
        let mails = server.received_since(30);
        let key = |n: usize| mails[n].header("X-Linewatch-Key");
        assert_eq!((key(0), key(1), key(2)), ("k030, k031, k032".into(), key(0), "k033".into()));
        let id = |n: usize| mails[n].header("Message-ID");
        assert!(id(0) == id(1) && id(1) != id(2), "{} {} {}", id(0), id(1), id(2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_waits_for_its_next_try_does_not_hold_up_the_later_ones() {
    testing::both(|db| async move {
        let (server, clock, notifier) = desk(&db).await;
        server.trouble([Trouble::Answer(Stage::Content, 450, "busy")]);
        put(&db, EMAIL, keys(0..3), NOW).await;
        let tick = notifier.tick(clock.now()).await.unwrap();
        assert_eq!((tick.sent, tick.retried), (2, 1));
        clock.advance(3_000);
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 1);
        let keys: Vec<String> = server.received().iter().map(|m| m.header("X-Linewatch-Key")).collect();
        assert_eq!(keys, ["k001", "k002", "k000"]);
    })
    .await;
}
