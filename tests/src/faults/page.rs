//! The technician's page as a second way of saving: the running agent's HTTP calls on loopback, with photos.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use uuid::Uuid;

use super::laptop::{Laptop, Op, Saved, What};
use super::machine::Machine;
use crate::harness::{BOUND, Seed, block_on, eventually};

/// Who signs in.
pub const USER: &str = "technician-1";
/// With what.
pub const PASSWORD: &str = "a sample password";
/// Between two looks whether the machine still lives.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(1);
/// Coded bytes of a photo at most.
const PHOTO_BYTES_MAX: u64 = 150_000;

/// A page that is open on a laptop whose agent runs.
pub struct Page<'a> {
    machine: &'a mut Machine,
    http: reqwest::Client,
    base: String,
    cookie: String,
    token: String,
    chance: Seed,
}

/// An answer: its status and body; none when the machine died first.
type Answer = Option<(u16, Value)>;

impl<'a> Page<'a> {
    /// Starts the agent and signs in.
    ///
    /// # Errors
    /// When the agent does not come up, or lets nobody in.
    pub fn open(machine: &'a mut Machine, chance: Seed) -> Result<Self> {
        machine.start(&["run"])?;
        let base = format!("http://{}", machine.page);
        let http = reqwest::Client::builder().no_proxy().timeout(BOUND).build()?;
        let mut page = Self { machine, http, base, cookie: String::new(), token: String::new(), chance };
        eventually(BOUND, "the page answers", || {
            ensure!(page.machine.is_running()?, "run has ended: {}", page.machine.run_log());
            let request = page.http.get(format!("{}/api/session", page.base));
            Ok(block_on(async { request.send().await.is_ok() }).then_some(()))
        })?;
        page.sign_in()?;
        Ok(page)
    }

    fn sign_in(&mut self) -> Result<()> {
        let said = json!({ "user": USER, "password": PASSWORD });
        let request = self.http.post(format!("{}/api/session", self.base)).header("origin", &self.base);
        let (status, cookie, body) = block_on(async {
            let answer = request.json(&said).send().await?;
            let status = answer.status().as_u16();
            let cookie = answer.headers().get("set-cookie").and_then(|value| value.to_str().ok());
            let cookie = cookie.and_then(|value| value.split(';').next()).unwrap_or_default().to_owned();
            anyhow::Ok((status, cookie, answer.json::<Value>().await?))
        })?;
        ensure!(status == 200, "nobody is let in on {}: {status} {body}", self.machine.name);
        self.cookie = cookie;
        body["token"].as_str().context("token")?.clone_into(&mut self.token);
        Ok(())
    }

    /// Makes a call, for as long as the machine lives.
    fn call(&mut self, request: reqwest::RequestBuilder) -> Result<Answer> {
        let request = request
            .header("origin", &self.base)
            .header("cookie", &self.cookie)
            .header("x-linewatch-token", &self.token);
        let machine = &*self.machine;
        let answer = block_on(async {
            let sent = async {
                let answer = request.send().await?;
                let status = answer.status().as_u16();
                let body = answer.bytes().await?;
                anyhow::Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
            };
            tokio::pin!(sent);
            loop {
                tokio::select! {
                    answer = &mut sent => return Some(answer),
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                }
                if machine.volume.gate().is_frozen() {
                    return None;
                }
            }
        });
        match answer {
            Some(Ok(answer)) => Ok(Some(answer)),
            _ if self.machine.volume.gate().is_frozen() => {
                self.machine.die()?;
                Ok(None)
            }
            Some(Err(error)) => bail!("{error:#}: {}", self.machine.run_log()),
            None => Ok(None),
        }
    }

    fn post(&mut self, path: &str, body: &Value) -> Result<Answer> {
        let request = self.http.post(format!("{}{path}", self.base)).json(body);
        self.call(request)
    }

    /// A photo of its own: what draws it is by chance, so that no two are alike.
    fn photo(&mut self) -> Vec<u8> {
        let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xDA, 0, 2];
        for _ in 0..=self.chance.below(PHOTO_BYTES_MAX) / 8 {
            bytes.extend(self.chance.draw().to_be_bytes().map(|byte| byte & 0x7F));
        }
        bytes.extend([0xFF, 0xD9]);
        bytes
    }

    /// Sends a picture; its name by content.
    fn add_picture(&mut self, draft: &str, role: &str) -> Result<Result<String, Saved>> {
        let bytes = self.photo();
        let url = format!("{}/api/drafts/{draft}/photos?role={role}", self.base);
        let request = self.http.post(url).header("content-type", "image/jpeg").body(bytes);
        Ok(match self.call(request)? {
            Some((201, body)) => Ok(body["sha256"].as_str().context("sha256")?.to_owned()),
            other => Err(other.map_or(Saved::Died, |(status, body)| refused(status, &body))),
        })
    }

    fn visit(&mut self, op: &Op, customer: &str, findings: &str, photos: u64) -> Result<Saved> {
        let begun = match self.post("/api/drafts", &json!({ "customer": customer }))? {
            Some((201, begun)) => begun,
            other => return Ok(other.map_or(Saved::Died, |(status, body)| refused(status, &body))),
        };
        let id = begun["id"].as_str().context("id")?.to_owned();
        let mut pictures = Vec::new();
        for n in 0..photos {
            match self.add_picture(&id, if n == 0 { "signature" } else { "photo" })? {
                Ok(sha256) => pictures.push(sha256),
                Err(saved) => return Ok(saved),
            }
        }
        let mut draft = json!({
            "customer": customer, "met": "Sample Person", "purpose": op.mark, "findings": findings,
            "satisfied": true,
        });
        if let Some((signature, photos)) = pictures.split_first() {
            draft["signature"] = json!(signature);
            draft["signed_by"] = json!("Sample Person");
            draft["photos"] =
                photos.iter().map(|sha256| json!({ "sha256": sha256, "caption": "port 3" })).collect();
        }
        let save = json!({ "revision": begun["revision"], "draft": draft });
        let request = self.http.put(format!("{}/api/drafts/{id}", self.base)).json(&save);
        match self.call(request)? {
            Some((200, _)) => {}
            other => return Ok(other.map_or(Saved::Died, |(status, body)| refused(status, &body))),
        }
        let finished = self.post(&format!("/api/drafts/{id}/finish"), &Value::Null)?;
        Self::saved(finished)
    }

    fn saved(answer: Answer) -> Result<Saved> {
        Ok(match answer {
            Some((200 | 201, body)) => Saved::Answered(body["id"].as_str().context("id")?.parse()?),
            Some((status, body)) => refused(status, &body),
            None => Saved::Died,
        })
    }
}

fn refused(status: u16, body: &Value) -> Saved {
    Saved::Refused(format!("{status} {body}"))
}

impl Laptop for Page<'_> {
    fn machine(&mut self) -> &mut Machine {
        self.machine
    }

    fn takes_photos(&self) -> bool {
        true
    }

    fn save(&mut self, op: &Op) -> Result<Saved> {
        let saved = match &op.what {
            What::Visit { customer, findings, photos } => self.visit(op, customer, findings, *photos)?,
            What::Report { line } => {
                let said = json!({
                    "id": Uuid::now_v7(), "line": line, "channel": "technician",
                    "reporter": "sample caller", "description": op.mark,
                });
                let answer = self.post("/api/faults", &said)?;
                Self::saved(answer)?
            }
        };
        Ok(saved)
    }
}
