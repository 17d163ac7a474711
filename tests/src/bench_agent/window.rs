//! The agent's page, open in one window: signed in, and asked again and again as the page itself does.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Place;
use crate::harness::{BOUND, eventually};

/// Who signs in on the page of a bench's agent, and with what.
pub const USER: &str = "technician-1";
/// See [`USER`].
pub const PASSWORD: &str = "a-long-password";
/// How often the page asks what is to be done.
const EVERY: Duration = Duration::from_secs(5);
/// How soon a window notices that it is to be closed.
const GLANCE: Duration = Duration::from_millis(100);

/// One window.
pub struct Window<'a> {
    place: &'a Place,
    config: &'a Path,
    cookie: String,
}

impl<'a> Window<'a> {
    /// Signs in as soon as the agent has heard from its server who may.
    pub(super) fn open(place: &'a Place, config: &'a Path) -> Result<Self> {
        let body = serde_json::json!({ "user": USER, "password": PASSWORD }).to_string();
        let head = eventually(BOUND, "somebody signs in on the agent's page", || {
            Ok(place.ask(config, "POST", "/api/session", "", &body).ok().map(|(head, _)| head))
        })?;
        let cookie = head
            .lines()
            .find_map(|line| line.to_lowercase().starts_with("set-cookie:").then(|| line.split_once(':')))
            .flatten()
            .and_then(|(_, value)| value.split(';').next())
            .context("the agent set no cookie")?;
        Ok(Self { place, config, cookie: cookie.trim().to_owned() })
    }

    /// Looks once.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn look(&self) -> Result<()> {
        let headers = format!("Cookie: {}\r\n", self.cookie);
        self.place.ask(self.config, "GET", "/api/work", &headers, "").map(|_| ())
    }

    /// Looks every five seconds while `work` goes on. How often it looked, beside what `work` came to.
    ///
    /// # Errors
    /// Those of `work`; when a look fails.
    pub fn looking<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<(u32, T)> {
        let closed = AtomicBool::new(false);
        thread::scope(|scope| {
            let looks = scope.spawn(|| self.look_until(&closed));
            let done = work();
            closed.store(true, Ordering::Relaxed);
            let looks = looks.join().ok().context("the window panicked")??;
            Ok((looks, done?))
        })
    }

    fn look_until(&self, closed: &AtomicBool) -> Result<u32> {
        let mut looks = 0;
        loop {
            self.look()?;
            looks += 1;
            let mut waited = Duration::ZERO;
            while waited < EVERY {
                if closed.load(Ordering::Relaxed) {
                    return Ok(looks);
                }
                thread::sleep(GLANCE);
                waited += GLANCE;
            }
        }
    }
}
