//! One fault, from the cut to the customer's yes. Each step counts only when the API or the mailbox shows it.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use linewatch_shared::time::UnixMs;
use serde_json::{Value, json};

use super::narrator::{seconds, seconds_since};
use super::{LINES, Narrator, Pace, Stage};
use crate::harness::{eventually, now, pause};

/// How long a step may take beyond what its limits ask for.
const SLACK: Duration = Duration::from_secs(20);
/// The promise: from the first lost packet to the fault on the board.
const BOARD_WITHIN_MS: i64 = 6_000;

/// What was measured on the way.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// From the first lost packet to the fault on the board, in milliseconds.
    pub board_ms: i64,
    /// From the missed deadline to its mail in the mailbox, in milliseconds.
    pub miss_mail_ms: i64,
}

struct Story<'a> {
    stage: &'a mut Stage,
    narrator: &'a mut Narrator,
    pace: Pace,
    line: usize,
    code: &'static str,
}

/// Plays the story of one line.
///
/// # Errors
/// The first step that was not observed.
pub fn play(stage: &mut Stage, narrator: &mut Narrator, pace: Pace, line: usize) -> Result<Measured> {
    let code = LINES[line].0;
    let mut story = Story { stage, narrator, pace, line, code };
    let (fault, board_ms) = story.cut()?;
    let miss_mail_ms = story.alarms(&fault)?;
    story.look()?;
    story.reported(&fault)?;
    story.look()?;
    story.worked_on(&fault)?;
    story.look()?;
    story.back(&fault)?;
    story.look()?;
    story.closed(&fault)?;
    Ok(Measured { board_ms, miss_mail_ms })
}

/// Cuts a line and mends it, and closes the fault that was found; answers how long it took from the first
/// lost packet to the board, in milliseconds.
///
/// # Errors
/// What was not observed.
pub fn see_a_cut(stage: &mut Stage, line: usize) -> Result<i64> {
    let code = LINES[line].0;
    let mut narrator = Narrator::quiet();
    let mut story = Story { stage, narrator: &mut narrator, pace: Pace::WATCH, line, code };
    let (fault, board_ms) = story.cut()?;
    stage.lines.mend(line)?;
    eventually(SLACK, "a fault that nobody reported is restored by the line's answers", || {
        Ok((stage.api.fault(&fault)?["state"] == "restored").then_some(()))
    })?;
    stage.api.step(&fault, &json!({ "kind": "repaired" }))?;
    stage.api.step(&fault, &json!({ "kind": "callback", "reached": true, "result": "satisfied" }))?;
    eventually(SLACK, "the closed fault leaves the board", || {
        Ok(stage.api.board_faults(code)?.is_empty().then_some(()))
    })?;
    Ok(board_ms)
}

fn time(value: &Value) -> Result<UnixMs> {
    let text = value.as_str().with_context(|| format!("{value} is not a time"))?;
    Ok(UnixMs::parse_rfc3339(text)?)
}

fn deadline<'a>(detail: &'a Value, kind: &str, state: &str) -> Option<&'a Value> {
    detail["deadlines"].as_array()?.iter().find(|d| d["kind"] == kind && d["state"] == state)
}

fn has_fact(detail: &Value, kind: &str) -> bool {
    detail["facts"].as_array().is_some_and(|facts| facts.iter().any(|fact| fact["kind"] == kind))
}

impl Story<'_> {
    /// Gives a person time to look at the board.
    fn look(&self) -> Result<()> {
        pause(Duration::from_secs(self.pace.look_s.into()))
    }

    fn cut(&mut self) -> Result<(String, i64)> {
        let what = self.stage.lines.cut(self.line)?;
        let cut_at = now();
        self.narrator.say(&format!("{} is cut: {what}", self.code));
        let api = self.stage.api.clone();
        let code = self.code;
        let fault = eventually(SLACK, "the fault is on the board", || {
            Ok(api.board_faults(code)?.into_iter().next())
        })?;
        let seen_at = now();
        let id = fault["id"].as_str().context("a fault without id")?.to_owned();
        let started_at = time(&fault["started_at"])?;
        ensure!(started_at.since(cut_at) > -1_500, "the outage starts before the cut: {fault}");
        let stage = &*self.stage;
        eventually(SLACK, "the agent says down", || Ok((stage.agent_line(code)? == "down").then_some(())))?;
        self.narrator.step(
            &format!("down seen; first lost packet {}", fault["started_at"].as_str().unwrap_or("")),
            "agent: status",
        );
        self.stage.wait_for_line(code, "down", SLACK)?;
        let board_ms = seen_at.since(started_at);
        let promise = if board_ms <= BOARD_WITHIN_MS { "within" } else { "LATER than" };
        self.narrator.step(
            &format!(
                "fault on the board {} after the first lost packet ({promise} the 6 s promised): {}, {}, state {}, due {}",
                seconds(started_at, seen_at),
                fault["customer"].as_str().unwrap_or(""),
                fault["tier"].as_str().unwrap_or(""),
                fault["state"].as_str().unwrap_or(""),
                fault["restoration"]["due_at"].as_str().unwrap_or(""),
            ),
            "API: /board",
        );
        Ok((id, board_ms))
    }

    fn alarms(&mut self, fault: &str) -> Result<i64> {
        let detail = self.stage.api.fault(fault)?;
        let (started_at, due_at) = (time(&detail["started_at"])?, time(&detail["restoration"]["due_at"])?);
        let allowance_ms = due_at.since(started_at);
        ensure!(
            allowance_ms == i64::from(self.pace.restore_s) * 1_000 * [1, 2, 4][self.line],
            "the limit: {detail}"
        );
        let mut late_ms = 0;
        for (mark, percent) in [("warn_50", 50), ("warn_80", 80), ("missed", 100)] {
            let at = started_at + allowance_ms * percent / 100;
            let bound = Duration::from_millis(at.since(now()).max(0).unsigned_abs()) + SLACK;
            let mail = self.stage.mailbox.wait_for(bound, &format!("the mail for {mark}"), |mail| {
                mail.is_about(fault, "restoration", mark)
            })?;
            late_ms = mail.received_at.since(at);
            ensure!(late_ms > -1_000, "the mail for {mark} came {late_ms} ms early");
            let to = mail.to.join(", ");
            let what = if percent == 100 {
                "limit missed".to_owned()
            } else {
                format!("{percent} % of the limit used")
            };
            self.narrator.step(
                &format!("{what}: mail to {to} {} later: {}", seconds(at, mail.received_at), mail.subject),
                "mailbox",
            );
        }
        let stage = &*self.stage;
        eventually(SLACK, "the restoration is missed", || {
            Ok(deadline(&stage.api.fault(fault)?, "restoration", "missed").map(drop))
        })?;
        Ok(late_ms)
    }

    fn reported(&mut self, fault: &str) -> Result<()> {
        let report = json!({
            "line": self.code,
            "reported_at": now().to_rfc3339(),
            "channel": "hotline",
            "reporter": "sample caller",
            "description": "nothing goes through",
        });
        let answer = self.stage.api.post("/api/v1/faults", &report)?;
        ensure!(answer.status == 200, "a report of an open fault joins it, but: {answer:?}");
        ensure!(answer.body["id"] == fault, "it joined another fault: {}", answer.body);
        let faults = self.stage.api.board_faults(self.code)?;
        ensure!(faults.len() == 1, "{} faults of {} on the board", faults.len(), self.code);
        let detail = self.stage.api.fault(fault)?;
        ensure!(has_fact(&detail, "reported"), "the report is not kept: {detail}");
        self.narrator
            .step("the customer reports it too: joined, still one fault", "API: 200, /board, /faults/{id}");
        Ok(())
    }

    fn worked_on(&mut self, fault: &str) -> Result<()> {
        for kind in ["acknowledged", "dispatched"] {
            let after = self.stage.api.step(fault, &json!({ "kind": kind }))?;
            ensure!(after["state"] == kind, "{kind} is not the state: {after}");
        }
        self.narrator.step("acknowledged, and a technician dispatched", "API: state");
        let owed = self.stage.api.fault(fault)?;
        let due_at = deadline(&owed, "feedback", "running").map(|d| d["due_at"].clone());
        let due_at = due_at.with_context(|| format!("no feedback is owed: {owed}"))?;
        self.stage.api.step(fault, &json!({ "kind": "feedback", "reached": true }))?;
        let detail = self.stage.api.fault(fault)?;
        let met = deadline(&detail, "feedback", "met").is_some();
        let next = deadline(&detail, "feedback", "running").map(|d| d["due_at"].clone());
        ensure!(
            met && next.is_some() && next.as_ref() != Some(&due_at),
            "the feedback does not count: {detail}"
        );
        let next = next.unwrap_or_default();
        self.narrator.step(
            &format!(
                "feedback given to the customer in time; the next is due {}",
                next.as_str().unwrap_or("")
            ),
            "API: deadlines",
        );
        Ok(())
    }

    fn back(&mut self, fault: &str) -> Result<()> {
        let what = self.stage.lines.mend(self.line)?;
        let mended_at = now();
        self.narrator.say(&format!("{} is mended: {what}", self.code));
        self.stage.wait_for_line(self.code, "up", SLACK)?;
        let stage = &*self.stage;
        let detail = eventually(SLACK, "the outage has ended", || {
            let detail = stage.api.fault(fault)?;
            let ended =
                detail["interruption"]["running"] == false && !detail["proposed_restored_at"].is_null();
            Ok(ended.then_some(detail))
        })?;
        ensure!(
            detail["state"] == "dispatched",
            "a person has to say that a reported fault is restored: {detail}"
        );
        let proposed = detail["proposed_restored_at"].clone();
        self.narrator.step(
            &format!(
                "line back, seen {} after the mending; the outage is over, {} proposed as the time of restoration",
                seconds_since(mended_at),
                proposed.as_str().unwrap_or("")
            ),
            "API: /lines/{code}, /faults/{id}",
        );
        let after = self.stage.api.step(fault, &json!({ "kind": "restored", "occurred_at": proposed }))?;
        ensure!(after["state"] == "restored", "not restored: {after}");
        let detail = self.stage.api.fault(fault)?;
        let late = deadline(&detail, "restoration", "missed").filter(|d| !d["met_at"].is_null());
        ensure!(late.is_some(), "a missed restoration stays missed, and is met late: {detail}");
        self.narrator.step(
            "restored (first restore, then repair); the missed limit stays missed, met late",
            "API: deadlines",
        );
        Ok(())
    }

    fn closed(&mut self, fault: &str) -> Result<()> {
        let after = self.stage.api.step(fault, &json!({ "kind": "repaired" }))?;
        ensure!(after["state"] == "repaired", "not repaired: {after}");
        self.narrator.step("repaired; the callback is owed", "API: state");
        let answer = self
            .stage
            .api
            .post(&format!("/api/v1/faults/{fault}/facts"), &json!({ "kind": "acknowledged" }))?;
        ensure!(answer.status == 409, "an impossible step is refused, but: {answer:?}");
        let yes = json!({ "kind": "callback", "reached": true, "result": "satisfied" });
        self.stage.api.step(fault, &yes)?;
        let detail = self.stage.api.fault(fault)?;
        if detail["state"] != "closed" {
            bail!("not closed: {detail}");
        }
        self.narrator.step("callback: the customer is satisfied, which closes the fault", "API: state");
        let code = self.code;
        let stage = &*self.stage;
        eventually(SLACK, "the closed fault leaves the board", || {
            Ok(stage.api.board_faults(code)?.is_empty().then_some(()))
        })?;
        let line = self.stage.api.get(&format!("/api/v1/lines/{code}"))?.expect(200)?;
        let (repeat, interruption) = (&line["repeat"], &line["interruption"]);
        ensure!(repeat["count"].as_i64() >= Some(1), "the fault is not counted: {line}");
        ensure!(interruption["ms"].as_i64() > Some(0), "the interruption is not counted: {line}");
        self.narrator.step(
            &format!(
                "{code} in {}: fault {} (fewer than {} promised), interrupted {:.1} s of {:.0} s at most",
                repeat["year"],
                repeat["count"],
                repeat["limit"],
                interruption["ms"].as_f64().unwrap_or(0.0) / 1_000.0,
                interruption["limit_ms"].as_f64().unwrap_or(0.0) / 1_000.0,
            ),
            "API: /lines/{code}",
        );
        Ok(())
    }
}
