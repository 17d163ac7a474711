//! What one channel cannot hand over goes another way: once, and with the failure kept in sight.

use std::sync::Arc;

use linewatch_server::config::Settings;
use linewatch_server::db::{Db, testing};
use linewatch_server::notify::{Notifier, NotifySettings, list_dead, resend};
use linewatch_shared::time::{Clock, ManualClock};

use crate::desk::{NOW, put, rows, states};
use crate::webhook::Receiver;

/// A chat group that falls back to two telephones.
fn notifier(db: &Db, clock: &Arc<ManualClock>, group: &Receiver, gateway: &Receiver) -> Notifier {
    let text = format!(
        "[notify]\nallow_private = true\n[channels.group]\nkind = \"wecom_robot\"\nurl = \"{}?key=k\"\nfallback = \"phones\"\n\
         [channels.phones]\nkind = \"sms\"\nurl = \"{}\"\nnumbers = [\"10001\", \"10002\"]\nwhen = \"fallback\"\n\
         body = '{{\"to\":\"{{number}}\",\"text\":\"{{text}}\"}}'\n",
        group.url(),
        gateway.url()
    );
    let settings = Settings::parse(&text, "server.toml", vec![]).unwrap();
    let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
    Notifier::new(db.clone(), clock, &NotifySettings::from(&settings)).unwrap()
}

async fn put_one(db: &Db) {
    put(db, "wecom_robot", vec![("e1/wecom_robot/group".to_owned(), "group".to_owned())], NOW).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_for_good_goes_another_way_at_once() {
    testing::both(|db| async move {
        let clock = Arc::new(ManualClock::at(NOW));
        let group =
            Receiver::start(&["200 OK\n\n{\"errcode\":93000,\"errmsg\":\"invalid webhook url\"}"]).await;
        let gateway = Receiver::start(&[]).await;
        let notifier = notifier(&db, &clock, &group, &gateway);
        put_one(&db).await;
        assert_eq!(notifier.tick(clock.now()).await.unwrap().dead, 1);
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 2);
        let told: Vec<String> = gateway.requests().into_iter().map(|request| request.body).collect();
        assert!(told.iter().any(|body| body.contains("\"to\":\"10001\"")), "{told:?}");
        assert!(told.iter().any(|body| body.contains("\"to\":\"10002\"")), "{told:?}");
        assert_eq!(states(&rows(&db).await), ["dead", "done", "done"]);
        // Sent again by hand, and refused again: nobody's telephone rings twice.
        let dead = list_dead(&db, 0).await.unwrap();
        assert!(dead[0].error.contains("93000"), "{dead:?}");
        assert!(resend(&db, dead[0].n, clock.now()).await.unwrap());
        let again = Receiver::start(&["200 OK\n\n{\"errcode\":93000}"]).await;
        let notifier = self::notifier(&db, &clock, &again, &gateway);
        assert_eq!(notifier.tick(clock.now()).await.unwrap().dead, 1);
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 0);
        assert_eq!(gateway.requests().len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_busy_is_waited_for_two_minutes() {
    testing::both(|db| async move {
        let clock = Arc::new(ManualClock::at(NOW));
        let busy = "200 OK\n\n{\"errcode\":-1,\"errmsg\":\"system busy\"}";
        let (group, gateway) = (Receiver::start(&[busy; 50]).await, Receiver::start(&[]).await);
        let notifier = notifier(&db, &clock, &group, &gateway);
        put_one(&db).await;
        let mut dead_at = None;
        for _ in 0..40 {
            let tick = notifier.tick(clock.now()).await.unwrap();
            if tick.dead == 1 {
                dead_at = Some(clock.now().since(NOW));
                break;
            }
            clock.advance(5_000);
        }
        let dead_at = dead_at.expect("it never goes another way");
        assert!((120_000..200_000).contains(&dead_at), "after {dead_at} ms");
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 2);
    })
    .await;
}
