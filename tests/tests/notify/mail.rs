//! Mail, one try at a time.

use std::time::Duration;

use linewatch_server::app::alert_texts::{self, TextError};
use linewatch_server::db::{Db, Priority, Tx, testing};
use linewatch_server::notify::outbox::{LEASE_MS, claim};
use linewatch_server::notify::words::Lang;
use linewatch_server::notify::{list_dead, message_id, resend};
use linewatch_shared::time::{Clock, DAY_MS, HOUR_MS};
use linewatch_tests::smtp::{Options, SmtpServer, Stage, Trouble};

use crate::desk::{LIMIT, MANAGER, NOW, desk, fault, put, put_one, rows, states};

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_handed_over_whole() {
    testing::both(|db| async move {
        let (server, clock, notifier) = desk(&db).await;
        put_one(&db, "k1").await;
        let tick = notifier.tick(clock.now()).await.unwrap();
        assert_eq!((tick.sent, tick.retried, tick.dead), (1, 0, 0));
        let mails = server.received();
        assert_eq!(mails.len(), 1);
        let mail = &mails[0];
        assert_eq!((mail.from.as_str(), mail.to[0].as_str()), ("alerts@desk.example", MANAGER));
        assert_eq!(mail.header("Message-ID"), message_id("k1", MANAGER));
        let thread = format!("<{}@linewatch>", fault("k1"));
        assert_eq!((mail.header("References"), mail.header("In-Reply-To")), (thread.clone(), thread));
        assert_eq!(mail.header("X-Linewatch-Key"), "k1");
        assert_eq!(mail.header("X-Linewatch-Fault"), fault("k1").to_string());
        assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
        assert!(mail.header("Date").contains("15 Jan 2027 08:00:00"), "{}", mail.header("Date"));
        let subject = mail.header("Subject");
        assert!(
            subject.starts_with("【AAA 金牌】示例客户 L-001：须于 16:24 前抢通，剩余 24 分钟"),
            "{subject}"
        );
        assert!(subject.contains("restoration due 16:24, 24 min left (80 % used)"), "{subject}");
        assert!(mail.plain().contains("http://desk.example/?fault=1"), "{}", mail.plain());
        assert!(mail.html().contains("<a href=\"http://desk.example/?fault=1\">"), "{}", mail.html());
        assert_eq!(states(&rows(&db).await), ["done"]);
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 0);
    })
    .await;
}

/// What a desk says in place of the shipped words, by the very use case of the API.
async fn say(db: &Db, lang: Lang, id: &'static str, text: &'static str) {
    let put = move |tx: &mut Tx<'_>| alert_texts::put(tx, (lang, id), text, ("admin", NOW));
    let put: Result<_, TextError> = db.write(Priority::Api, put).await;
    put.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_has_the_desks_own_words_from_the_next_one_on() {
    testing::both(|db| async move {
        let (server, clock, notifier) = desk(&db).await;
        let send = async |key: &str| {
            put_one(&db, key).await;
            assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 1);
            let mail = server.received().pop().unwrap();
            (mail.header("Subject"), mail.plain())
        };
        let (shipped, _) = send("k1").await;
        say(&db, Lang::Zh, "restoration-warning.what", "请于 { $due_short } 前抢通 { $site }").await;
        say(&db, Lang::En, "label-link", "See the fault on the board of Sample Telecom").await;
        let (own, plain) = send("k2").await;
        let (zh, en) = own.split_once(" / ").unwrap();
        assert_eq!(zh, "【AAA 金牌】示例客户 L-001：请于 16:24 前抢通 Sample site");
        assert!(shipped.ends_with(en), "{own}");
        assert!(plain.contains("See the fault on the board of Sample Telecom: http"), "{plain}");
        let reset =
            |tx: &mut Tx<'_>| alert_texts::reset(tx, (Lang::Zh, "restoration-warning.what"), ("admin", NOW));
        let reset: Result<(), TextError> = db.write(Priority::Api, reset).await;
        reset.unwrap();
        assert_eq!(send("k3").await.0, shipped);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_for_now_is_tried_again_and_not_before_its_time() {
    testing::both(|db| async move {
        for stage in [Stage::Connect, Stage::Mail, Stage::Recipient, Stage::Data, Stage::Content] {
            let (server, clock, notifier) = desk(&db).await;
            server.trouble([Trouble::Answer(stage, 451, "not now")]);
            let key = format!("{stage:?}");
            put_one(&db, &key).await;
            assert_eq!(notifier.tick(clock.now()).await.unwrap().retried, 1, "{stage:?}");
            let (state, attempts, error) = rows(&db).await.pop().unwrap();
            assert_eq!((state.as_str(), attempts), ("pending", 1));
            assert!(error.contains("451") && error.contains("not now"), "{error}");
            clock.advance(1_000);
            assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 0, "{stage:?}");
            clock.advance(2_000);
            assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 1, "{stage:?}");
            assert_eq!(server.received()[0].header("Message-ID"), message_id(&key, MANAGER));
            assert_eq!(server.troubles_left(), 0);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_for_good_is_a_dead_letter_that_can_be_sent_again() {
    testing::both(|db| async move {
        let (server, clock, notifier) = desk(&db).await;
        server.trouble([Trouble::Answer(Stage::Recipient, 550, "no such mailbox")]);
        put_one(&db, "k1").await;
        put_one(&db, "k2").await;
        let tick = notifier.tick(clock.now()).await.unwrap();
        assert_eq!((tick.sent, tick.dead), (1, 1));
        let dead = list_dead(&db, 0).await.unwrap();
        assert_eq!(dead.len(), 1);
        assert_eq!((dead[0].key.as_str(), dead[0].destination.as_str()), ("k1", MANAGER));
        assert!(dead[0].error.contains("no such mailbox"), "{}", dead[0].error);
        clock.advance(3 * DAY_MS);
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 0);
        assert!(resend(&db, dead[0].n, clock.now()).await.unwrap());
        assert!(!resend(&db, dead[0].n, clock.now()).await.unwrap(), "it is no dead letter any more");
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 1);
        assert_eq!(server.received()[1].header("Message-ID"), message_id("k1", MANAGER));
        assert!(list_dead(&db, 0).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_250_after_the_content_is_success() {
    testing::both(|db| async move {
        let (server, clock, notifier) = desk(&db).await;
        let other = Trouble::Answer(Stage::Content, 251, "perhaps");
        server.trouble([Trouble::CutInContent(200), other, Trouble::CutBeforeAnswer]);
        put_one(&db, "k1").await;
        for wait_ms in [0, 3_000, 6_000] {
            clock.advance(wait_ms);
            assert_eq!(notifier.tick(clock.now()).await.unwrap().retried, 1, "after {wait_ms}");
        }
        clock.advance(12_000);
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 1);
        // The answer to the first was lost, so it comes twice: under one Message-ID.
        let ids: Vec<String> = server.received().iter().map(|m| m.header("Message-ID")).collect();
        assert_eq!(ids, [message_id("k1", MANAGER), message_id("k1", MANAGER)]);
        assert_eq!(rows(&db).await, [("done".to_owned(), 4, String::new())]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_server_could_not_take_arrives_when_it_is_back() {
    testing::both(|db| async move {
        let (server, clock, notifier) = desk(&db).await;
        let address = server.address;
        drop(server);
        put_one(&db, "k1").await;
        put_one(&db, "k2").await;
        let mut tries = 0;
        for _ in 0..20 {
            let tick = notifier.tick(clock.now()).await.unwrap();
            assert_eq!((tick.sent, tick.dead), (0, 0));
            tries += tick.retried;
            clock.advance(60_000);
        }
        assert!(tries >= 20, "{tries}");
        let server = SmtpServer::start(address, Options::default()).await.unwrap();
        // Whatever the number of failures, an answering server is found within a minute.
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 2);
        let keys: Vec<String> = server.received().iter().map(|m| m.header("X-Linewatch-Key")).collect();
        assert_eq!(keys, ["k1", "k2"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn given_up_after_a_day() {
    testing::both(|db| async move {
        let (server, clock, notifier) = desk(&db).await;
        drop(server);
        put_one(&db, "k1").await;
        for _ in 0..23 {
            assert_eq!(notifier.tick(clock.now()).await.unwrap().retried, 1);
            clock.advance(HOUR_MS);
        }
        clock.advance(HOUR_MS);
        assert_eq!(notifier.tick(clock.now()).await.unwrap().dead, 1);
        assert_eq!(list_dead(&db, 0).await.unwrap()[0].attempts, 24);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_never_ended_is_taken_over_when_its_lease_is_out() {
    testing::both(|db| async move {
        let (server, clock, notifier) = desk(&db).await;
        put_one(&db, "k1").await;
        assert_eq!(claim(&db, clock.now(), 8, 5).await.unwrap().batches.len(), 1);
        clock.advance(LEASE_MS - 1);
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 0);
        clock.advance(1);
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 1);
        assert_eq!(server.received().len(), 1);
        assert_eq!(rows(&db).await, [("done".to_owned(), 2, String::new())]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_hand_over_sends_again_under_the_same_message_id() {
    testing::both(|db| async move {
        let (server, clock, notifier) = desk(&db).await;
        put_one(&db, "k1").await;
        server.trouble([Trouble::Slow(Stage::Content, Duration::from_millis(300))]);
        let killed = tokio::spawn({
            let (notifier, now) = (notifier.clone(), clock.now());
            async move { notifier.tick(now).await }
        });
        while server.troubles_left() > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        killed.abort();
        assert!(killed.await.unwrap_err().is_cancelled());
        server.wait_for(1, LIMIT).await.unwrap();
        assert_eq!(states(&rows(&db).await), ["pending"]);
        clock.advance(LEASE_MS);
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 1);
        let ids: Vec<String> = server.received().iter().map(|m| m.header("Message-ID")).collect();
        assert_eq!(ids, [message_id("k1", MANAGER), message_id("k1", MANAGER)]);
        assert_eq!(states(&rows(&db).await), ["done"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_connection_that_died_costs_no_try() {
    testing::both(|db| async move {
        let (server, clock, notifier) = desk(&db).await;
        put_one(&db, "k1").await;
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 1);
        let address = server.address;
        drop(server);
        let server = restarted(address).await;
        put_one(&db, "k2").await;
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 1);
        assert_eq!(server.received().len(), 1);
    })
    .await;
}

/// The old listener's task may need a moment to let go of the port.
async fn restarted(address: std::net::SocketAddr) -> SmtpServer {
    for _ in 0..1_000 {
        if let Ok(server) = SmtpServer::start(address, Options::default()).await {
            return server;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("{address} stays taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_mail_is_dead_at_once_and_holds_up_nothing() {
    testing::both(|db| async move {
        let (server, clock, notifier) = desk(&db).await;
        put(&db, linewatch_server::notify::EMAIL, vec![("k1".into(), "nobody".into())], NOW).await;
        put(&db, "pigeon", vec![("k2".into(), "loft".into())], NOW).await;
        put_one(&db, "k3").await;
        let tick = notifier.tick(clock.now()).await.unwrap();
        assert_eq!((tick.sent, tick.dead), (1, 2));
        assert_eq!(server.received().len(), 1);
        let dead = list_dead(&db, 0).await.unwrap();
        assert!(dead[0].error.contains("not a mail address"), "{}", dead[0].error);
        assert!(dead[1].error.contains("no channel called \"pigeon\""), "{}", dead[1].error);
    })
    .await;
}
