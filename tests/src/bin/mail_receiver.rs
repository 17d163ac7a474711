//! Receives mails and shows them: each becomes a file, and one line on standard output.
//!
//! `mail_receiver --listen 127.0.0.1:2525 --dir DIR [--json]`. Ends on Ctrl-C or SIGTERM.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use linewatch_tests::smtp::{Options, Received, SmtpServer};

const USAGE: &str = "usage: mail_receiver --listen ADDRESS:PORT --dir DIR [--json]";
/// How often arrivals are looked for when none is announced.
const LOOK_EVERY: Duration = Duration::from_secs(1);

struct Arguments {
    listen: SocketAddr,
    dir: PathBuf,
    json: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = parse(std::env::args().skip(1))?;
    std::fs::create_dir_all(&arguments.dir).with_context(|| arguments.dir.display().to_string())?;
    let server = SmtpServer::start(arguments.listen, Options::default())
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    say(&if arguments.json {
        serde_json::json!({"listening": server.address.to_string()}).to_string()
    } else {
        format!("listening on {}", server.address)
    })?;
    let mut end = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        shown = show(&server, &arguments) => shown,
        _ = tokio::signal::ctrl_c() => Ok(()),
        _ = end.recv() => Ok(()),
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments> {
    let (mut listen, mut dir, mut json) = (None, None, false);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--listen" => listen = words.next(),
            "--dir" => dir = words.next(),
            "--json" => json = true,
            other => bail!("{other}: unknown\n{USAGE}"),
        }
    }
    let (Some(listen), Some(dir)) = (listen, dir) else { bail!(USAGE) };
    let listen = listen.parse().with_context(|| format!("{listen} is not an address and port"))?;
    Ok(Arguments { listen, dir: dir.into(), json })
}

async fn show(server: &SmtpServer, arguments: &Arguments) -> Result<()> {
    let mut shown = 0;
    loop {
        // An `Err` only says that nothing came meanwhile.
        let _ = server.wait_for(shown + 1, LOOK_EVERY).await;
        for mail in server.received_since(shown) {
            shown += 1;
            let file = arguments.dir.join(format!("{shown:06}.eml"));
            write_whole(&file, &mail.bytes)?;
            say(&line(&mail, shown, &file, arguments.json))?;
        }
    }
}

/// A reader of the folder sees a whole mail or none.
fn write_whole(file: &Path, bytes: &[u8]) -> Result<()> {
    let part = file.with_extension("part");
    std::fs::write(&part, bytes).with_context(|| part.display().to_string())?;
    std::fs::rename(&part, file).with_context(|| file.display().to_string())
}

fn line(mail: &Received, number: usize, file: &Path, json: bool) -> String {
    if !json {
        return format!("{number} to {}: {}", mail.to.join(", "), mail.header("Subject"));
    }
    serde_json::json!({
        "number": number,
        "received_at": mail.at.to_rfc3339(),
        "from": mail.from,
        "to": mail.to,
        "subject": mail.header("Subject"),
        "message_id": mail.header("Message-ID"),
        "key": mail.header("X-Linewatch-Key"),
        "fault": mail.header("X-Linewatch-Fault"),
        "file": file,
    })
    .to_string()
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}
