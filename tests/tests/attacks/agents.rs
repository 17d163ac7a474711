//! Attacks on the agents' address: tokens used again, batches sent again, other names, bombs.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use linewatch_agent::enroll::Identity;
use linewatch_agent::vault::own_key_path;
use linewatch_shared::detector::LineState;
use linewatch_shared::facts::{Lane, Reading, Record};
use linewatch_shared::time::{MonoMs, UnixMs};
use linewatch_shared::wire::{self, Batch, Chain, Envelope, Hello, PROTOCOL};
use linewatch_tests::harness::{Agent, BOUND, block_on, eventually, now, run, sample};
use uuid::Uuid;

use crate::desk::{OURS, both, one, refused};

/// A batch that begins an epoch.
fn batch(epoch: u64, records: &[Record]) -> Result<Vec<u8>> {
    let bodies: Vec<Vec<u8>> = records.iter().map(Record::to_bytes).collect::<Result<_, _>>()?;
    let count = u32::try_from(bodies.len())?;
    let lane = records.first().map_or(Lane::Fault, |record| record.body.lane());
    let envelope = Envelope { protocol: PROTOCOL, epoch, lane, first: 1, chain: Chain::START, count };
    Ok(Batch { envelope, bodies }.pack()?)
}

fn packed(plain: &[u8]) -> Result<Vec<u8>> {
    Ok(zstd::bulk::compress(plain, 19)?)
}

fn report(agent: &Agent, line: &str) -> Result<Record> {
    Ok(sample::report(sample::journal(agent)?.scribe(), line, UnixMs(now().0 - 60_000)))
}

#[test]
fn an_enrolment_token_lets_one_key_in() {
    both("", |folder, desk| {
        let token = desk.server.agent_token("agent-third")?;
        let url = format!("https://{}", desk.server.sync);
        let first = Agent::new(&folder.path().join("first"), None, &[])?;
        first.run(&["enroll", &url, "--token", &token])?.ok()?;
        first.run(&["sync", "--quiet"])?.ok()?;
        desk.settled()?;
        let thief = Agent::new(&folder.path().join("thief"), None, &[])?;
        desk.unchanged("a token used again", || thief.run(&["enroll", &url, "--token", &token])?.refusal())?;
        ensure!(Identity::load(&thief.data_dir())?.is_none(), "the thief has an identity");
        desk.in_trail("used_token")?;
        // Neither does a token of no desk, nor one that is cut off.
        let bent = format!("{}x", &token[..token.len() - 1]);
        desk.unchanged("a bent token", || thief.run(&["enroll", &url, "--token", &bent])?.refusal())?;
        first.run(&["sync", "--quiet"])?.ok().map(drop)
    });
}

#[test]
fn a_batch_sent_again_is_stored_once() {
    both("", |_, desk| {
        let packed = batch(77, &[report(&desk.ours, "L-OURS")?])?;
        let first = desk.sync_call(&desk.ours, "push", packed.clone())?;
        ensure!(first.status == 200, "{first:?}");
        desk.settled()?;
        let again = desk.unchanged("a batch sent again", || desk.sync_call(&desk.ours, "push", packed))?;
        ensure!(again.status == 200, "{again:?}");
        ensure!(desk.store.number("SELECT COUNT(*) FROM record WHERE kind = 'report'")? == 1);
        Ok(())
    });
}

#[test]
fn whose_record_it_is_the_certificate_says() {
    both("", |_, desk| {
        // The records of another agent, word for word, are the sender's, and speak of a line that is not the sender's.
        let stolen = sample::change(sample::journal(&desk.theirs)?.scribe(), "L-OURS", LineState::Down);
        let answer = desk.sync_call(&desk.theirs, "push", batch(78, &[stolen])?)?;
        ensure!(answer.status == 200, "{answer:?}");
        desk.settled()?;
        ensure!(desk.noc.board_faults("L-OURS")?.is_empty(), "another's agent took our line down");
        let sender = "SELECT COUNT(*) FROM record JOIN agent ON agent.id = record.agent WHERE agent.name = 'agent-ours' \
                      AND record.kind = 'line'";
        ensure!(desk.store.number(sender)? == 0, "a record passes for one of {OURS}");
        desk.in_trail("records_set_aside")
    });
}

#[test]
fn a_certificate_of_another_authority_is_no_certificate() {
    one("", |folder, desk| {
        let other = folder.sub("other")?;
        let options = linewatch_tests::harness::ServerOptions::default();
        let mut elsewhere = linewatch_tests::harness::Server::new(&other, &options)?;
        elsewhere.run(&["agent", "token", OURS], "")?.ok()?;
        elsewhere.start()?;
        let forger = Agent::new(&folder.path().join("forger"), None, &[])?;
        forger.enroll(&elsewhere, OURS)?;
        let forged = Identity::load(&forger.data_dir())?.context("not enrolled")?;
        let ours = Identity::load(&desk.ours.data_dir())?.context("not enrolled")?;
        desk.unchanged("a forged certificate", || {
            // Its key and certificate, but our server and the authority that our server shows.
            let vault = linewatch_agent::journal::open_vault(
                &forger.data_dir(),
                &linewatch_agent::vault::VaultConfig::default(),
            )?;
            let key = forged.key_pem(&vault)?;
            let tls =
                linewatch_agent::sync::tls::as_agent(&ours.authority_pem, &forged.certificate_pem, &key)?;
            let http = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build()?;
            let answer = block_on(http.get(format!("{}/sync/v1/whoami", ours.server)).send());
            match answer {
                Err(_) => Ok(()),
                Ok(answer) => {
                    ensure!(answer.status().as_u16() == 401, "let in: {answer:?}");
                    Ok(())
                }
            }
        })?;
        desk.in_trail("foreign_certificate")
    });
}

#[test]
fn without_a_certificate_nothing_is_told() {
    one("", |_, desk| {
        let ours = Identity::load(&desk.ours.data_dir())?.context("not enrolled")?;
        let authority = reqwest::Certificate::from_pem(ours.authority_pem.as_bytes())?;
        let http = reqwest::Client::builder().tls_certs_only([authority]).no_proxy().build()?;
        for call in ["hello", "push", "pull", "tasks", "parts", "chunk", "heartbeat"] {
            let url = format!("https://{}/sync/v1/{call}", desk.server.sync);
            let status = desk.unchanged(call, || {
                Ok(block_on(http.post(&url).body(vec![0x80]).send())?.status().as_u16())
            })?;
            ensure!(status == 401, "{call}: {status}");
        }
        desk.in_trail("no_certificate")
    });
}

#[test]
fn a_revoked_agent_is_refused() {
    both("", |_, desk| {
        desk.server.run(&["agent", "revoke", crate::desk::THEIRS], "")?.ok()?;
        desk.settled()?;
        // A node may remember for a moment whom it knows.
        eventually(Duration::from_secs(20), "the agent is known as revoked", || {
            let asked = desk.sync_call(&desk.theirs, "push", Vec::new())?;
            Ok((asked.status == 403).then_some(()))
        })?;
        let packed = batch(79, &[report(&desk.theirs, "L-THEIRS")?])?;
        let answer = desk.unchanged("a revoked agent", || desk.sync_call(&desk.theirs, "push", packed))?;
        refused(&answer, 403, "revoked")?;
        desk.in_trail("revoked")
    });
}

/// A laptop whose disk was copied: noticed, and what either of them sends is kept aside for a person.
#[test]
fn of_a_copied_agent_nothing_is_believed() {
    both("", |folder, desk| {
        let copy = Agent::new(&folder.path().join("copy"), None, &[])?;
        for (from, to) in [
            (desk.theirs.data_dir(), copy.data_dir()),
            (own_key_path(&desk.theirs.data_dir()), own_key_path(&copy.data_dir())),
        ] {
            run(Path::new("cp"), &[OsStr::new("-a"), from.as_os_str(), to.as_os_str()], "")?.ok()?;
        }
        let at = (now() + -60_000).to_rfc3339();
        let forged = ["fault", "report", "--line", "L-THEIRS", "--at", &at, "forged"];
        let noticed = "SELECT COUNT(*) FROM agent WHERE quarantined_at_ms IS NOT NULL";
        eventually(4 * BOUND, "the copy is noticed", || {
            for agent in [&desk.theirs, &copy] {
                agent.run(&["sync", "--quiet"])?;
            }
            Ok((desk.store.number(noticed)? == 1).then_some(()))
        })?;
        desk.settled()?;
        let believed = "SELECT COUNT(*) FROM record WHERE kind = 'report'";
        let before = desk.store.number(believed)?;
        copy.run(&forged)?.ok()?;
        copy.run(&["sync", "--quiet"])?;
        ensure!(desk.store.number(believed)? == before, "a copy's record is believed");
        ensure!(desk.noc.board_faults("L-THEIRS")?.is_empty(), "a copy's report is on the board");
        desk.did("agent quarantined")?;
        // That agent alone.
        desk.ours.run(&["sync", "--quiet"])?.ok().map(drop)
    });
}

#[test]
fn what_one_agent_calls_itself_keeps_nobody_out() {
    both("", |_, desk| {
        let hello = Hello {
            protocol_min: PROTOCOL,
            protocol_max: PROTOCOL,
            version: "\0odd".to_owned(),
            device: Reading { wall: now(), mono: MonoMs(1) },
            boot: Uuid::nil(),
            epoch: 1,
            heads: Vec::new(),
            level: 0,
            trusts: Vec::new(),
        };
        let answer = desk.sync_call(&desk.theirs, "hello", wire::encode(&hello)?)?;
        ensure!(answer.status == 200, "{answer:?}");
        let kept = "SELECT COUNT(*) FROM agent WHERE version = 'odd'";
        eventually(BOUND, "contacts are stored", || Ok((desk.store.number(kept)? == 1).then_some(())))
    });
}

#[test]
fn bombs_stop_at_their_bounds() {
    one("", |_, desk| {
        let deep = [vec![0x91_u8; 60_000], vec![0xc0]].concat();
        let maps: Vec<u8> = std::iter::repeat_n([0x81, 0xa1, b'a'], 20_000).flatten().chain([0xc0]).collect();
        let long_array = vec![0xdd, 0xff, 0xff, 0xff, 0xff];
        let long_text = vec![0xdb, 0xff, 0xff, 0xff, 0xff];
        let attacks: [(&str, &str, Vec<u8>); 9] = [
            ("64 MiB of nothing in a few kilobytes", "push", packed(&vec![0; 64 << 20])?),
            ("nested arrays, packed", "push", packed(&deep)?),
            ("a length that lies", "push", packed(&[0xff, 0xff, 0xff, 0xff])?),
            ("a window of 2 GiB", "push", vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00]),
            ("nested arrays", "hello", deep.clone()),
            ("nested maps", "pull", maps),
            ("an array of four billion", "parts", long_array),
            ("a text of four gigabytes", "heartbeat", long_text),
            ("nested arrays in a chunk", "chunk", deep),
        ];
        let pid = desk.server.pid().context("the server ended")?;
        let before = peak_kib(pid)?;
        for (what, call, body) in attacks {
            let answer = desk.unchanged(what, || desk.sync_call(&desk.ours, call, body))?;
            ensure!(answer.status == 400 && answer.body["code"].is_string(), "{what}: {answer:?}");
        }
        let grown = peak_kib(pid)?.saturating_sub(before);
        ensure!(grown < 64 * 1024, "the bombs took {grown} KiB");
        desk.in_trail("bad_batch")?;
        desk.in_trail("bad_message")?;
        desk.ours.run(&["sync", "--quiet"])?.ok().map(drop)
    });
}

#[test]
fn a_photo_that_nobody_named_is_not_taken() {
    both("", |_, desk| {
        let bytes = vec![0xFF; 2_000];
        let part = wire::record_hash(&bytes);
        let chunk = wire::Chunk { part, at: 0, bytes };
        let answer = desk.unchanged("a photo of no report", || {
            desk.sync_call(&desk.theirs, "chunk", wire::encode(&chunk)?)
        })?;
        ensure!(answer.status == 200, "{answer:?}");
        desk.in_trail("unknown_part")
    });
}

/// The most memory that a process has had, in KiB.
fn peak_kib(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}

/// An import that unpacks to more than it may is refused whole.
#[test]
fn a_workbook_that_is_a_bomb_is_refused() {
    one("", |folder, desk| {
        let file = folder.path().join("bomb.xlsx");
        let script = format!(
            "import zipfile\nwith zipfile.ZipFile({:?}, 'w', zipfile.ZIP_DEFLATED) as z:\n  \
             z.writestr('[Content_Types].xml', '<Types/>')\n  z.writestr('xl/workbook.xml', b' ' * (300 << 20))\n  \
             z.writestr('../../escaped.txt', 'x')\n",
            file.display().to_string()
        );
        run(Path::new("python3"), &[OsStr::new("-c"), OsStr::new(&script)], "")?.ok()?;
        let path = file.display().to_string();
        let said = desk.unchanged("a workbook", || desk.server.run(&["import", &path], ""))?;
        ensure!(said.code == 1 && said.err.contains("nothing was imported"), "{said:?}");
        ensure!(said.out.contains("unpacks to more"), "{said:?}");
        desk.in_trail("import")?;
        ensure!(!folder.path().join("../escaped.txt").exists(), "a name in the archive was followed");
        Ok(())
    });
}
