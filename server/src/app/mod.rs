//! Use cases: each is one transaction that reads top to bottom, over the functions of `store`. No axum here,
//! no listeners, no SQL.

pub mod admission;
pub mod agent_customers;
pub mod agent_people;
pub mod agents;
pub mod agreements;
pub mod alert_texts;
pub mod alerting;
pub mod assessment;
pub mod authorities;
pub mod availability;
pub mod backup;
pub mod calls;
pub mod conflicts;
pub mod contact_reads;
pub mod contacts;
pub mod contractors;
pub mod customers;
pub mod daily_list;
pub mod daily_mail;
pub mod days;
pub mod desk;
pub mod desk_owes;
pub mod diagnoses;
pub mod diary;
pub mod epoch;
pub mod equipment;
pub mod erasure;
pub mod export;
pub mod grading;
pub mod housekeeping;
pub mod identities;
pub mod import;
pub mod leaks;
pub mod live;
pub mod matters;
pub mod packs;
pub mod papers;
pub mod parts;
pub mod people;
pub mod plans;
pub mod quality;
pub mod refusals;
pub mod report;
pub mod risks;
pub mod rota;
pub mod scopes;
pub mod second_factor;
pub mod server;
pub mod service;
pub mod sessions;
pub mod shift;
pub mod sites;
pub mod snapshots;
pub mod surveys;
pub mod tokens;
pub mod trail;
pub mod users;
pub mod visits;

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use linewatch_shared::rules::Mistake;
use linewatch_shared::time::Clock;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::auth::seal::SecretsKey;
use crate::auth::throttle::Throttle;
use crate::config::Settings;
use crate::db::{Db, DbError};
pub use crate::store::audit::{Action, append as audit};
use crate::tls::Authorities;
use packs::PackSet;

/// A loop that has not come round for so long counts as dead.
pub const PULSE_LIMIT_MS: i64 = 30_000;

/// Why a use case was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// What was asked for cannot be done; the text says why, for people.
    #[error("{0}")]
    Refused(String),
    /// A password that is not good enough.
    #[error("{text}")]
    WeakPassword {
        /// `short`, `long`, `common` or `name`.
        reason: &'static str,
        /// The rule, for people.
        text: String,
    },
    /// The code of a second factor is wrong, or was used.
    #[error("the code is wrong, too old or was used already")]
    WrongCode,
    /// No sign-in waits for a second proof any more.
    #[error("too much time or too many tries went by: sign in again from the beginning")]
    SignInOver,
    /// The thing named does not exist.
    #[error("there is no {kind} called \"{name}\"")]
    Unknown {
        /// `user`, `agent`, …
        kind: &'static str,
        /// As it was asked for.
        name: String,
    },
    /// Files that people wrote have mistakes.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Mistakes(Vec<Mistake>),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Hashing a password failed or is overloaded.
    #[error("passwords: {0}")]
    Password(String),
    /// Keys or certificates.
    #[error("certificates: {0}")]
    Certificate(String),
}

/// The beat of a loop that has to go on, such as the deadline engine.
#[derive(Debug, Default)]
pub struct Pulse {
    /// Monotonic time of the last beat, plus one; 0 before the first.
    last: AtomicI64,
    lag_ms: AtomicI64,
}

impl Pulse {
    /// Says that the loop came round, and by how much its work is late.
    pub fn beat(&self, clock: &dyn Clock, lag_ms: i64) {
        self.lag_ms.store(lag_ms, Ordering::Relaxed);
        self.last.store(clock.mono().0 + 1, Ordering::Relaxed);
    }

    /// True when the last beat is at most [`PULSE_LIMIT_MS`] ago.
    pub fn is_alive(&self, clock: &dyn Clock) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        last > 0 && clock.mono().0 - (last - 1) <= PULSE_LIMIT_MS
    }

    /// How late the loop's work was at the last beat.
    pub fn lag_ms(&self) -> i64 {
        self.lag_ms.load(Ordering::Relaxed)
    }
}

/// What every part of a running server shares.
pub struct App {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The configuration.
    pub settings: Arc<Settings>,
    /// The packs in force.
    pub packs: Arc<PackSet>,
    /// Random, new with each new database; agents notice a restored one by it.
    pub server_epoch: epoch::Epoch,
    /// What links in messages begin with; no slash at the end.
    pub link_base: String,
    /// Set when the program is asked to end; long answers (event streams) end on it.
    pub shutdown: CancellationToken,
    /// The deadline engine's.
    pub engine: Pulse,
    /// What the use cases of faults share.
    pub desk: desk::Desk,
    /// Contacts of agents that wait to be written.
    pub seen: contacts::Contacts,
    /// Orders ids within a millisecond.
    pub ids: Mutex<uuid::ContextV7>,
    /// What open boards are told.
    pub live: live::Live,
    /// What boards begin with.
    pub snapshots: snapshots::Snapshots,
    /// Sign agents' keys, and the server's own.
    pub authorities: Arc<Authorities>,
    /// Refused requests that wait to be written into the audit trail.
    pub refusals: refusals::Refusals,
    /// Whether the audit trail was whole when it was last looked at.
    pub trail: trail::LastCheck,
    /// Failed sign-ins.
    pub throttle: Throttle,
    /// Single sign-on, where it is configured.
    pub single_sign_on: Option<crate::oidc::Provider>,
    /// What secrets in the database are sealed with.
    pub secrets: SecretsKey,
    /// Signs the links in alerts.
    pub take_key: crate::notify::take_link::TakeKey,
    /// What agents seal for each other with.
    pub carry_key: linewatch_shared::wire::CarryKey,
    /// What is signed for agents.
    pub agent_key: agents::seal::AgentKey,
    /// Proofs of agents' keys that did not count.
    pub proofs: Throttle,
    /// What agents were told of their open work.
    pub digests: desk::tasks::Digests,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("db", &self.db)
            .field("link_base", &self.link_base)
            .finish_non_exhaustive()
    }
}

impl App {
    /// The shorthand that most use cases begin with.
    pub fn now(&self) -> linewatch_shared::time::UnixMs {
        self.clock.now()
    }

    /// A new id, after every earlier one of this process: of two reports within one millisecond the first
    /// names the fault.
    pub fn fresh_id(&self) -> Uuid {
        let now_ms = self.clock.now().0.max(0).cast_unsigned();
        let nanos = u32::try_from(now_ms % 1_000).unwrap_or_default() * 1_000_000;
        let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        Uuid::new_v7(uuid::Timestamp::from_unix(&*ids, now_ms / 1_000, nanos))
    }
}

/// An id that follows from what it is made of, so that a second try, or a second node, makes the same.
#[must_use]
pub fn derived_id(of: Uuid, what: &[u8]) -> Uuid {
    use sha2::Digest;
    let hash = sha2::Sha256::new().chain_update(of.as_bytes()).chain_update(what).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// Fills a blob with secret random bytes.
///
/// # Errors
/// When the system has none.
pub fn random<const N: usize>() -> Result<[u8; N], AppError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| AppError::Refused(format!("no random numbers: {e}")))?;
    Ok(bytes)
}
