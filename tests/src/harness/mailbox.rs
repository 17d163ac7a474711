//! A mailbox behind a real SMTP receiver process.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use linewatch_shared::time::UnixMs;
use serde_json::Value;

use super::{BOUND, Process, eventually, program};

/// One mail that arrived.
#[derive(Clone, Debug)]
pub struct Mail {
    /// When the receiver had it.
    pub received_at: UnixMs,
    /// Whom it is for.
    pub to: Vec<String>,
    /// Its subject.
    pub subject: String,
    /// `Message-ID`.
    pub message_id: String,
    /// `X-Linewatch-Key`: the effects that it tells of.
    pub keys: Vec<String>,
    /// `X-Linewatch-Fault`.
    pub faults: String,
    /// The mail itself.
    pub file: PathBuf,
}

impl Mail {
    /// Whether it tells of this mark of this kind of promise of a fault.
    #[must_use]
    pub fn is_about(&self, fault: &str, kind: &str, mark: &str) -> bool {
        self.keys.iter().any(|key| {
            let parts: Vec<_> = key.split('/').collect();
            parts.first() == Some(&fault) && parts.get(1) == Some(&kind) && parts.get(3) == Some(&mark)
        })
    }
}

/// The mails of a receiver process.
pub struct Mailbox {
    output: PathBuf,
    process: Process,
    /// Where it takes mails in.
    pub address: SocketAddr,
}

impl Mailbox {
    /// Starts a receiver that keeps its mails in `dir`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
        let output = dir.join("mails.jsonl");
        let args = ["--listen", "127.0.0.1:0", "--json", "--dir"].map(OsStr::new);
        let args: Vec<_> = args.into_iter().chain([dir.as_os_str()]).collect();
        let receiver = program("mail_receiver")?;
        let process =
            Process::start_with_output("mail_receiver", &receiver, &args, &output, &dir.join("mail.log"))?;
        let address = eventually(BOUND, "the mail receiver listens", || {
            let first = lines(&output)?.into_iter().next();
            Ok(first.and_then(|line| line["listening"].as_str()?.parse().ok()))
        })?;
        Ok(Self { output, process, address })
    }

    /// The mails so far.
    ///
    /// # Errors
    /// When the receiver's output cannot be read.
    pub fn mails(&self) -> Result<Vec<Mail>> {
        Ok(lines(&self.output)?.iter().filter_map(mail).collect())
    }

    /// Waits for a mail.
    ///
    /// # Errors
    /// When it does not come in time.
    pub fn wait_for(&self, bound: Duration, what: &str, wanted: impl Fn(&Mail) -> bool) -> Result<Mail> {
        eventually(bound, what, || Ok(self.mails()?.into_iter().find(|mail| wanted(mail))))
    }

    /// Ends the receiver.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&mut self) -> Result<()> {
        self.process.terminate(BOUND).map(|_| ())
    }
}

/// The whole lines of the receiver's output.
fn lines(output: &Path) -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(output).with_context(|| output.display().to_string())?;
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    Ok(whole.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

fn mail(line: &Value) -> Option<Mail> {
    let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
    Some(Mail {
        received_at: UnixMs::parse_rfc3339(line["received_at"].as_str()?).ok()?,
        to: line["to"].as_array()?.iter().filter_map(|to| Some(to.as_str()?.to_owned())).collect(),
        subject: text("subject"),
        message_id: text("message_id"),
        keys: text("key").split(", ").map(str::to_owned).collect(),
        faults: text("fault"),
        file: PathBuf::from(text("file")),
    })
}
