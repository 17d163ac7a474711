//! Mail by STARTTLS, after signing in, to a server that others wrote (aiosmtpd): what our own server takes for right
//! might be wrong twice.

use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use linewatch_server::config::{Secret, SmtpTls};
use linewatch_server::db::{Db, testing};
use linewatch_server::notify::MailSettings;
use linewatch_shared::time::{Clock, ManualClock};
use linewatch_tests::harness::{BOUND, Process, eventually, free_port};
use serde_json::{Value, json};

use crate::desk::{MANAGER, NOW, mail_settings, notifier, put_one, rows};

/// Debian's own Python: the one for which its packages are.
const PYTHON: &str = "/usr/bin/python3";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/notify/aiosmtpd_server.py");

struct Other {
    port: u16,
    folder: tempfile::TempDir,
    _process: Process,
}

impl Other {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(path("ca.pem"), made.cert.pem()).unwrap();
        std::fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let port = free_port(IpAddr::V4(Ipv4Addr::LOCALHOST)).unwrap();
        let (number, certificate, key) = (port.to_string(), path("ca.pem"), path("key.pem"));
        let args: [&OsStr; 7] = [
            SCRIPT.as_ref(),
            number.as_ref(),
            certificate.as_ref(),
            key.as_ref(),
            folder.path().as_ref(),
            "desk".as_ref(),
            "right".as_ref(),
        ];
        let log = path("server.log");
        let process = Process::start("aiosmtpd", Path::new(PYTHON), &args, &log).unwrap();
        let up = || Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok());
        eventually(BOUND, "aiosmtpd (Debian: python3-aiosmtpd) listens", up)
            .unwrap_or_else(|error| panic!("{error}: {}", std::fs::read_to_string(&log).unwrap_or_default()));
        Self { port, folder, _process: process }
    }

    fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// What it made of its `n`th mail.
    fn mail(&self, n: usize) -> Option<Value> {
        let said = std::fs::read(self.folder.path().join(format!("{n}.json"))).ok()?;
        Some(serde_json::from_slice(&said).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_others_takes_mails_over_starttls_from_those_who_sign_in() {
    let other = Other::start();
    let database = testing::sqlite();
    let db = Db::open(&database.url, 0).await.unwrap();
    let clock = Arc::new(ManualClock::at(NOW));
    let settings = |password: &str| MailSettings {
        tls: SmtpTls::StartTls,
        user: Some("desk".into()),
        password: Some(Secret::new(password.into())),
        ca_file: Some(other.ca_file()),
        ..mail_settings(other.port)
    };

    put_one(&db, "k1").await;
    let tick = notifier(&db, &clock, Some(settings("wrong")), None).tick(clock.now()).await.unwrap();
    assert_eq!((tick.retried, other.mail(1)), (1, None));
    let error = rows(&db).await.pop().unwrap().2;
    assert!(error.contains("signing in: 535"), "{error}");

    // The password was mended, and the same alert is tried again.
    clock.advance(3_600_000);
    let tick = notifier(&db, &clock, Some(settings("right")), None).tick(clock.now()).await.unwrap();
    assert_eq!(tick.sent, 1, "{:?}", rows(&db).await);
    let mail = other.mail(1).unwrap();
    assert_eq!(mail["to"], json!([MANAGER]));
    assert_eq!((&mail["tls"], &mail["defects"], &mail["key"]), (&json!("TLSv1.3"), &json!([]), &json!("k1")));
    let of = |part: &str| mail[part].as_str().unwrap();
    assert!(of("subject").contains("L-001"), "{mail}");
    assert!(of("plain").contains("示例客户") && of("html").contains("示例客户"), "{mail}");
    assert_eq!(other.mail(2), None, "once");

    // The one that takes no sign-in is refused by the server, not by us.
    put_one(&db, "k2").await;
    let nobody = MailSettings { user: None, password: None, ..settings("right") };
    let tick = notifier(&db, &clock, Some(nobody), None).tick(clock.now()).await.unwrap();
    assert_eq!((tick.sent, other.mail(2)), (0, None));
    let error = rows(&db).await.pop().unwrap().2;
    assert!(error.contains("530"), "{error}");
}
