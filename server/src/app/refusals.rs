//! Refused requests, on their way into the audit trail. The first of a kind is written within a second; those that follow
//! within a minute become one entry with their number, so that a flood neither fills the disk nor hides what else happens.
//! What was refused has no transaction of its own any more: entries are written beside it, by a loop.

use std::collections::HashMap;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use linewatch_shared::time::{MINUTE_MS, MonoMs, SECOND_MS, UnixMs};
use serde_json::json;
use tokio::sync::Notify;

use super::{Action, App, audit};
use crate::db::{Db, DbError, Priority};

/// Refusals of one kind within this are one entry (ms).
const TOGETHER_MS: i64 = MINUTE_MS;
/// Kinds (who, from where, why) that are told apart; what comes beyond them is counted together.
const KINDS_MAX: usize = 2_048;
/// Entries that may be written one after the other …
const ENTRIES_BURST: i64 = 60;
/// … and the time in which one more may be (ms): at most 900 an hour. What has to wait goes on being counted.
const ENTRY_EVERY_MS: i64 = 4 * SECOND_MS;
/// Routes that an entry names.
const ROUTES_MAX: usize = 8;
/// How long a first refusal waits, for others to be written with it.
const WRITE_AFTER: Duration = Duration::from_secs(1);
/// Who it was when nobody had signed in.
const NOBODY: &str = "nobody";

/// A request that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The user or agent; empty when that is not known.
    pub who: String,
    /// From where.
    pub address: IpAddr,
    /// The stable code of the reason.
    pub code: &'static str,
    /// The HTTP status; 0 where there was none.
    pub status: u16,
    /// Method and route, without its values.
    pub route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kind {
    who: String,
    address: Option<IpAddr>,
    code: &'static str,
}

impl Kind {
    /// For whatever has no room of its own.
    const fn others() -> Self {
        Self { who: String::new(), address: None, code: "others" }
    }
}

#[derive(Clone, Debug, Default)]
struct Count {
    n: u64,
    first_at: UnixMs,
    last_at: UnixMs,
    status: u16,
    routes: Vec<String>,
}

impl Count {
    fn add(&mut self, more: &Self) {
        if self.n == 0 {
            (self.first_at, self.status) = (more.first_at, more.status);
        }
        self.n += more.n;
        self.last_at = more.last_at;
        for route in &more.routes {
            if self.routes.len() < ROUTES_MAX && !self.routes.contains(route) {
                self.routes.push(route.clone());
            }
        }
    }
}

#[derive(Debug, Default)]
struct Kept {
    count: Count,
    written_at: Option<MonoMs>,
}

#[derive(Debug, Default)]
struct Gathered {
    kinds: HashMap<Kind, Kept>,
    /// Until when the entries written so far have used what may be written.
    used_until: MonoMs,
}

impl Gathered {
    fn add(&mut self, kind: Kind, count: &Count) {
        let room = self.kinds.len() < KINDS_MAX || self.kinds.contains_key(&kind);
        let kind = if room { kind } else { Kind::others() };
        self.kinds.entry(kind).or_default().count.add(count);
    }

    /// What is to be written now.
    fn due(&mut self, now: MonoMs, all: bool) -> Vec<(Kind, Count)> {
        let together = |at: MonoMs| now.0 - at.0 < TOGETHER_MS;
        self.kinds.retain(|_, kept| kept.count.n > 0 || kept.written_at.is_some_and(together));
        self.used_until.0 = self.used_until.0.max(now.0 - ENTRIES_BURST * ENTRY_EVERY_MS);
        let mut due = Vec::new();
        let mut waiting: Vec<(&Kind, &mut Kept)> =
            self.kinds.iter_mut().filter(|(_, kept)| kept.count.n > 0).collect();
        waiting.sort_by_key(|(_, kept)| kept.count.first_at);
        for (kind, kept) in waiting {
            let has_turn = !kept.written_at.is_some_and(together) && self.used_until.0 < now.0;
            if has_turn || all {
                kept.written_at = Some(now);
                self.used_until.0 += ENTRY_EVERY_MS;
                due.push((kind.clone(), mem::take(&mut kept.count)));
            }
        }
        due
    }

    fn is_waiting(&self) -> bool {
        self.kinds.values().any(|kept| kept.count.n > 0)
    }
}

/// Those that wait to be written.
#[derive(Debug, Default)]
pub struct Refusals {
    gathered: Mutex<Gathered>,
    noted: Notify,
}

impl Refusals {
    /// Counts one.
    pub fn note(&self, refused: Refused, at: UnixMs) {
        let Refused { who, address, code, status, route } = refused;
        metrics::counter!("linewatch_refused_total", "code" => code).increment(1);
        let count = Count { n: 1, first_at: at, last_at: at, status, routes: vec![route] };
        let kind = Kind { who, address: Some(neighbourhood(address)), code };
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner).add(kind, &count);
        self.noted.notify_one();
    }

    /// Writes what is due into the trail, or all that waits; says how many entries that were.
    ///
    /// # Errors
    /// The database's; nothing is lost then.
    pub async fn write(&self, db: &Db, at: UnixMs, now: MonoMs, all: bool) -> Result<usize, DbError> {
        let due = self.gathered.lock().unwrap_or_else(PoisonError::into_inner).due(now, all);
        if due.is_empty() {
            return Ok(0);
        }
        let entries = due.clone();
        let written: Result<(), DbError> = db
            .write(Priority::Ingest, move |tx| {
                for (kind, count) in &entries {
                    let who = if kind.who.is_empty() { NOBODY } else { &kind.who };
                    audit(tx, at.0, who, action(kind.code), kind.code, Some(&detail(kind, count)))?;
                }
                Ok(())
            })
            .await;
        if let Err(error) = written {
            let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
            for (kind, count) in due {
                gathered.add(kind, &count);
            }
            return Err(error);
        }
        Ok(due.len())
    }

    fn is_waiting(&self) -> bool {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner).is_waiting()
    }
}

/// Whoever has one address of IPv6 has the whole net of it.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from(v4.octets())),
    }
}

fn action(code: &str) -> Action {
    match code {
        "bad_credentials" | "too_many_attempts" | "bad_identity" => Action::SignInRefused,
        "bad_second_factor" => Action::SecondFactorRefused,
        _ => Action::Refused,
    }
}

fn detail(kind: &Kind, count: &Count) -> serde_json::Value {
    json!({
        "address": kind.address.map(|address| address.to_string()),
        "routes": count.routes,
        "status": count.status,
        "count": count.n,
        "first_at": count.first_at.to_rfc3339(),
        "last_at": count.last_at.to_rfc3339(),
    })
}

/// Writes them as they come, until the server ends; then what still waits.
///
/// # Errors
/// Never; the type is that of all loops.
pub async fn run(app: Arc<App>) -> anyhow::Result<()> {
    loop {
        let ended = tokio::select! {
            () = app.shutdown.cancelled() => true,
            () = pause(&app) => false,
        };
        let written = app.refusals.write(&app.db, app.clock.now(), app.clock.mono(), ended).await;
        if let Err(error) = written {
            tracing::warn!(%error, "refusals could not be written into the audit trail; trying again");
        }
        if ended {
            return Ok(());
        }
    }
}

async fn pause(app: &App) {
    if !app.refusals.is_waiting() {
        app.refusals.noted.notified().await;
    }
    tokio::time::sleep(WRITE_AFTER).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{both, int};

    fn refused(address: [u8; 4], code: &'static str) -> Refused {
        let route = "GET /api/v1/faults/{id}".to_owned();
        Refused { who: String::new(), address: address.into(), code, status: 403, route }
    }

    fn counts(due: &[(Kind, Count)]) -> Vec<u64> {
        due.iter().map(|(_, count)| count.n).collect()
    }

    #[test]
    fn a_minute_of_one_kind_is_two_entries_and_no_count_is_lost() {
        let refusals = Refusals::default();
        let due = |now: i64| refusals.gathered.lock().unwrap().due(MonoMs(now), false);
        for at in 0..100 {
            refusals.note(refused([10, 0, 0, 1], "forbidden"), UnixMs(at));
            if at == 0 {
                assert_eq!(counts(&due(1_000_000)), [1]);
            }
        }
        refusals.note(refused([10, 0, 0, 2], "forbidden"), UnixMs(100));
        assert_eq!(counts(&due(1_000_100)), [1], "another address is another kind");
        assert_eq!(counts(&due(1_059_999)), [0; 0]);
        assert_eq!(counts(&due(1_060_000)), [99]);
        assert!(!refusals.is_waiting());
    }

    #[test]
    fn a_flood_from_everywhere_is_bounded_and_counted() {
        let refusals = Refusals::default();
        let (mut entries, mut counted, mut now) = (0, 0, 1_000_000);
        let flood = 100_000_u32;
        for n in 0..flood {
            now += i64::from(n % 36 == 0);
            let [_, b, c, d] = n.to_be_bytes();
            refusals.note(refused([10, b, c, d], "forbidden"), UnixMs(now));
            if n % 1_000 == 0 {
                let due = refusals.gathered.lock().unwrap().due(MonoMs(now), false);
                entries += due.len();
                counted += counts(&due).iter().sum::<u64>();
            }
        }
        assert!(entries <= 62, "{entries}");
        let rest = refusals.gathered.lock().unwrap().due(MonoMs(now), true);
        assert!(rest.len() <= KINDS_MAX + 1, "{}", rest.len());
        assert_eq!(counted + counts(&rest).iter().sum::<u64>(), u64::from(flood));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_could_not_be_written_is_counted_on() {
        both(|db| async move {
            let refusals = Refusals::default();
            refusals.note(refused([10, 0, 0, 1], "forbidden"), UnixMs(5));
            assert_eq!(refusals.write(&db, UnixMs(6), MonoMs(1_000_000), false).await.unwrap(), 1);
            assert_eq!(refusals.write(&db, UnixMs(6), MonoMs(1_000_000), false).await.unwrap(), 0);
            assert_eq!(int(&db, "SELECT COUNT(*) FROM audit WHERE who = 'nobody'").await.unwrap(), 1);
        })
        .await;
    }
}
