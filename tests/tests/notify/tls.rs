//! Encrypted mail, with signing in.

use std::path::PathBuf;
use std::sync::Arc;

use linewatch_server::config::{Secret, SmtpTls};
use linewatch_server::db::{Db, testing};
use linewatch_server::notify::{MailSettings, Tick};
use linewatch_shared::time::{Clock, ManualClock};
use linewatch_tests::smtp::{Options, Received, SmtpServer, TlsMode};
use rustls_pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

use crate::desk::{NOW, mail_settings, notifier, notifier_with, put_one, rows};

struct Identity {
    acceptor: TlsAcceptor,
    ca_file: PathBuf,
    _folder: tempfile::TempDir,
}

fn identity() -> Identity {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, made.cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    Identity { acceptor: TlsAcceptor::from(Arc::new(config)), ca_file, _folder: folder }
}

/// One mail from a client that trusts `trusted`, to a server that is `shown`.
async fn one(
    mode: TlsMode,
    password: &str,
    shown: &Identity,
    trusted: &Identity,
) -> (Tick, Vec<Received>, String) {
    let database = testing::sqlite();
    let db = Db::open(&database.url, 0).await.unwrap();
    let sign_in = Some(("desk".to_owned(), "right".to_owned()));
    let options = Options { tls: Some((mode, shown.acceptor.clone())), sign_in };
    let server = SmtpServer::start("127.0.0.1:0".parse().unwrap(), options).await.unwrap();
    let settings = MailSettings {
        tls: if mode == TlsMode::StartTls { SmtpTls::StartTls } else { SmtpTls::Tls },
        user: Some("desk".into()),
        password: Some(Secret::new(password.into())),
        ca_file: Some(trusted.ca_file.clone()),
        ..mail_settings(server.address.port())
    };
    let clock = Arc::new(ManualClock::at(NOW));
    put_one(&db, "k1").await;
    let tick = notifier(&db, &clock, Some(settings), None).tick(clock.now()).await.unwrap();
    let error = rows(&db).await.pop().unwrap().2;
    (tick, server.received(), error)
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_of_encrypting_work_and_sign_in() {
    let identity = identity();
    for mode in [TlsMode::StartTls, TlsMode::Implicit] {
        let (tick, received, error) = one(mode, "right", &identity, &identity).await;
        assert_eq!(tick.sent, 1, "{mode:?}: {error}");
        assert_eq!((received[0].encrypted, received[0].signed_in.as_deref()), (true, Some("desk")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_waits_for_a_person_to_mend_it() {
    let identity = identity();
    let (tick, received, error) = one(TlsMode::StartTls, "wrong", &identity, &identity).await;
    assert_eq!((tick.retried, received.len()), (1, 0));
    assert!(error.contains("signing in: 535"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_another_authority_gets_nothing() {
    let (shown, trusted) = (identity(), identity());
    for mode in [TlsMode::StartTls, TlsMode::Implicit] {
        let (tick, received, error) = one(mode, "right", &shown, &trusted).await;
        assert_eq!((tick.retried, received.len()), (1, 0));
        assert!(error.contains("certificate"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_starttls_gets_nothing() {
    let database = testing::sqlite();
    let db = Db::open(&database.url, 0).await.unwrap();
    let server = SmtpServer::local().await.unwrap();
    let settings = MailSettings {
        tls: SmtpTls::StartTls,
        ca_file: Some(identity().ca_file),
        ..mail_settings(server.address.port())
    };
    // The file is gone: said at the start, not with the first alert.
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOW));
    let refused = linewatch_server::notify::Notifier::new(
        db.clone(),
        Arc::clone(&clock),
        &linewatch_server::notify::NotifySettings {
            mail: Some(settings.clone()),
            webhooks: vec![],
            channels: vec![],
            allow_private: true,
            lang: linewatch_server::config::AlertLang::En,
            lang_of: std::collections::BTreeMap::default(),
            take: None,
            storm_above: 5,
        },
    );
    assert!(refused.unwrap_err().to_string().contains("smtp.ca_file"));
    let identity = identity();
    let settings = MailSettings { ca_file: Some(identity.ca_file.clone()), ..settings };
    put_one(&db, "k1").await;
    let tick = notifier_with(&db, clock, Some(settings), None).tick(NOW).await.unwrap();
    assert_eq!((tick.retried, server.received().len()), (1, 0));
    assert!(rows(&db).await[0].2.contains("STARTTLS"), "{:?}", rows(&db).await);
}
