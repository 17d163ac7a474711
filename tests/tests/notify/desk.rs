//! What every test here needs: a database, a mail server, a notifier, rows in the outbox.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use linewatch_server::config::{AlertLang, Secret, SmtpTls};
use linewatch_server::db::{Db, DbError, Priority};
use linewatch_server::notify::{
    Alert, EMAIL, MailSettings, Notifier, NotifySettings, OUTBOX_CHANNEL, WEBHOOK_NAME, WebhookSettings,
    message_id,
};
use linewatch_shared::rules::Label;
use linewatch_shared::time::{Clock, ManualClock, UnixMs};
use linewatch_tests::smtp::SmtpServer;
use uuid::Uuid;

pub const NOW: UnixMs = UnixMs(1_800_000_000_000);
pub const MANAGER: &str = "manager@desk.example";
pub const SECRET: &str = "a shared secret";
/// How long anything here may take on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(30);

/// An alert that is complete.
pub fn alert(key: &str) -> Alert {
    Alert {
        key: key.to_owned(),
        fault: fault(key),
        line: "L-001".into(),
        site: "Sample site".into(),
        customer: "C001".into(),
        customer_name: "示例客户".into(),
        tier: "AAA".into(),
        tier_label: Label { zh: "金牌".into(), en: "Gold".into() },
        kind: "restoration".into(),
        mark: "warn_80".into(),
        at: NOW,
        late: false,
        due_at: NOW + 24 * 60_000,
        started_at: NOW - 96 * 60_000,
        state: "open".into(),
        reported: false,
        done: vec![],
        manager: "manager-1".into(),
        time_zone: "Asia/Shanghai".into(),
        link: "http://desk.example/?fault=1".into(),
        matter: None,
        upstream: None,
        telling: linewatch_server::notify::Telling::default(),
    }
}

/// A fault of its own for each key.
pub fn fault(key: &str) -> Uuid {
    Uuid::from_u128(key.bytes().fold(7, |sum, byte| sum * 31 + u128::from(byte)))
}

/// Puts alerts into the outbox, as the engine does it.
pub async fn put(db: &Db, channel: &'static str, alerts: Vec<(String, String)>, at: UnixMs) {
    let work = move |tx: &mut linewatch_server::db::Tx<'_>| -> Result<(), DbError> {
        for (key, destination) in &alerts {
            let body = serde_json::to_string(&alert(key)).unwrap();
            tx.execute(
                "INSERT INTO outbox (key, subject, channel, destination, message_id, alert, state, next_at_ms, \
                 created_at_ms) VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $7)",
                &[
                    key.into(),
                    fault(key).into(),
                    channel.into(),
                    destination.into(),
                    message_id(key, destination).into(),
                    body.into(),
                    at.into(),
                ],
            )?;
        }
        tx.notify(OUTBOX_CHANNEL)
    };
    db.write(Priority::Engine, work).await.unwrap();
}

/// One mail to [`MANAGER`], due at [`NOW`].
pub async fn put_one(db: &Db, key: &str) {
    put(db, EMAIL, vec![(key.into(), MANAGER.into())], NOW).await;
}

/// State, attempts and error of each row, in order.
pub async fn rows(db: &Db) -> Vec<(String, i64, String)> {
    let read = |tx: &mut linewatch_server::db::Tx<'_>| -> Result<_, DbError> {
        let rows = tx.query("SELECT state, attempts, error FROM outbox ORDER BY n", &[])?;
        rows.iter()
            .map(|r| Ok((r.get(0)?, r.get(1)?, r.get::<Option<String>>(2)?.unwrap_or_default())))
            .collect()
    };
    db.read(read).await.unwrap()
}

pub fn states(rows: &[(String, i64, String)]) -> Vec<&str> {
    rows.iter().map(|(state, ..)| state.as_str()).collect()
}

/// Polls until every row is done.
pub async fn all_done(db: &Db) {
    let done = async {
        while rows(db).await.iter().any(|(state, ..)| state != "done") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, done).await.expect("not every row is done");
}

pub fn mail_settings(port: u16) -> MailSettings {
    MailSettings {
        host: "127.0.0.1".into(),
        port,
        from: "linewatch <alerts@desk.example>".into(),
        tls: SmtpTls::None,
        user: None,
        password: None,
        fallback: None,
        ca_file: None,
    }
}

pub fn notifier(
    db: &Db,
    clock: &Arc<ManualClock>,
    mail: Option<MailSettings>,
    url: Option<&str>,
) -> Notifier {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
    notifier_with(db, clock, mail, url)
}

pub fn notifier_with(
    db: &Db,
    clock: Arc<dyn Clock>,
    mail: Option<MailSettings>,
    url: Option<&str>,
) -> Notifier {
    let webhooks = url.map(|url| WebhookSettings {
        name: WEBHOOK_NAME.into(),
        url: url.into(),
        secret: Some(Secret::new(SECRET.into())),
    });
    let settings = NotifySettings {
        mail,
        webhooks: webhooks.into_iter().collect(),
        channels: Vec::new(),
        allow_private: true,
        lang: AlertLang::Both,
        lang_of: BTreeMap::default(),
        take: None,
        storm_above: 5,
    };
    Notifier::new(db.clone(), clock, &settings).unwrap()
}

/// A mail server, a clock at [`NOW`] and a notifier for both.
pub async fn desk(db: &Db) -> (SmtpServer, Arc<ManualClock>, Notifier) {
    let server = SmtpServer::local().await.unwrap();
    let clock = Arc::new(ManualClock::at(NOW));
    let notifier = notifier(db, &clock, Some(mail_settings(server.address.port())), None);
    (server, clock, notifier)
}
