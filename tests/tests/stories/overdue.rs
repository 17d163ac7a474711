//! A server that was down while a promise fell due: it says so once, and late.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use linewatch_server::boot::{Running, boot};
use linewatch_server::config::Settings;
use linewatch_shared::time::HOUR_MS;
use linewatch_tests::harness::{
    Api, BOUND, Folder, Mailbox, Server, ServerOptions, ShiftedClock, Store, block_on, eventually, now,
    sample, story,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::desk::told;

/// The server as `serve` starts it, with a clock that is ahead.
fn start(server: &Server, ahead_ms: i64) -> Result<(Running, CancellationToken)> {
    let settings = Settings::load(server.config()).map_err(|mistakes| anyhow::anyhow!("{mistakes:?}"))?;
    let shutdown = CancellationToken::new();
    let clock = Arc::new(ShiftedClock { wall_ms: ahead_ms, mono_ms: ahead_ms });
    let running = block_on(boot(settings, clock, shutdown.clone()))?;
    Ok((running, shutdown))
}

fn stop((running, shutdown): (Running, CancellationToken)) -> Result<()> {
    shutdown.cancel();
    block_on(running.join())
}

/// The engine has come round since it was started, and nothing waits to be sent.
fn settled(api: &Api, store: &Store) -> Result<()> {
    eventually(BOUND, "the engine has come round", || {
        let alive = api.board()?["engine"]["alive"] == true;
        let pending = store.number("SELECT COUNT(*) FROM outbox WHERE state = 'pending'")?;
        let due = store
            .number(&format!("SELECT COUNT(*) FROM fault WHERE next_wake_ms <= {}", now().0 + 3 * HOUR_MS))?;
        Ok((alive && pending == 0 && due == 0).then_some(()))
    })
}

#[test]
fn overdue_is_told_once_and_late() {
    story(|folder: &Folder| {
        let mailbox = Mailbox::start(&folder.sub("mail")?)?;
        let options = ServerOptions { smtp: Some(mailbox.address), ..ServerOptions::default() };
        let server = Server::new(&folder.sub("server")?, &options)?;
        let api = server.user("desk", "noc", "a sample password")?;
        sample::import(&server, "group-line", "AAA", 1, "field-laptop")?;
        let store = Store::Sqlite(server.database());

        let running = start(&server, 0)?;
        let report = json!({ "line": sample::line(0), "channel": "hotline", "reporter": "sample caller" });
        let fault = api.post("/api/v1/faults", &report)?.expect(201)?;
        let id = fault["id"].as_str().context("id")?.to_owned();
        stop(running)?;
        ensure!(told(&mailbox.mails()?, &id, "restoration") == 0, "nothing is due yet");

        // Two hours were promised; the server comes back after three.
        let running = start(&server, 3 * HOUR_MS)?;
        let missed = mailbox
            .wait_for(BOUND, "the mail for the miss", |mail| mail.is_about(&id, "restoration", "missed"))?;
        settled(&api, &store)?;
        let text = std::fs::read_to_string(&missed.file)?;
        ensure!(!text.is_empty());
        let late =
            "SELECT COUNT(*) FROM outbox WHERE key LIKE '%/restoration/%' AND alert LIKE '%\"late\":true%'";
        ensure!(store.number(late)? == 1, "it says that it comes late");
        ensure!(told(&mailbox.mails()?, &id, "restoration") == 1, "one message, not one for each mark");
        let restoration = &api.fault(&id)?["restoration"];
        ensure!(restoration["state"] == "missed", "{restoration}");
        let before = store.number("SELECT COUNT(*) FROM outbox")?;
        stop(running)?;

        let running = start(&server, 3 * HOUR_MS)?;
        settled(&api, &store)?;
        let after = store.number("SELECT COUNT(*) FROM outbox")?;
        ensure!(after == before, "{} messages more after another start", after - before);
        stop(running)
    });
}
