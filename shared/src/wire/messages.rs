//! The messages of the protocol, in the order in which they are said.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Chain, Generation, Hash, RangeSet};
use crate::facts::{Lane, Reading};
use crate::time::UnixMs;

/// How far a lane has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The lane.
    pub lane: Lane,
    /// The last number written; 0 for none.
    pub last: u64,
}

/// `POST /sync/v1/hello`: begins a conversation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The oldest protocol that the agent speaks.
    pub protocol_min: u16,
    /// The newest protocol that the agent speaks.
    pub protocol_max: u16,
    /// The program's version.
    pub version: String,
    /// The device's clocks as the message leaves.
    pub device: Reading,
    /// The boot in which they count.
    pub boot: Uuid,
    /// The journal's epoch.
    pub epoch: u64,
    /// How far each lane has been written.
    pub heads: Vec<Head>,
    /// The agent's [`super::LEVEL`].
    #[serde(default, skip_serializing_if = "is_first")]
    pub level: u16,
    /// SHA-256 of each authority that the agent trusts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusts: Vec<Hash>,
}

/// The bounds that an agent keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The most records in a batch.
    pub batch_records: u32,
    /// The longest batch, in bytes before compression.
    pub batch_bytes: u32,
    /// The longest body, in bytes.
    pub body_bytes: u32,
}

/// What the server holds of one lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// Everything up to a number.
    Upto {
        /// The number; 0 for nothing.
        last: u64,
        /// The chain there.
        chain: Chain,
    },
    /// These ranges ([`super::ranges::RANGES_MAX`] at most, the oldest first).
    Ranges(RangeSet),
}

/// What the server holds of a named lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldLane {
    /// The lane.
    pub lane: Lane,
    /// What is held.
    pub held: Held,
}

/// The answer to [`Hello`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HelloAnswer {
    /// The protocol to speak.
    pub protocol: u16,
    /// The server's epoch: another one means that it went back.
    pub server_epoch: Uuid,
    /// The server's clock.
    pub server_now: UnixMs,
    /// The bounds to keep to.
    pub limits: Limits,
    /// What it holds of the agent's epoch.
    pub held: Vec<HeldLane>,
    /// The newest number of reference data; beyond the agent's cursor there is something to pull.
    pub reference_head: u64,
    /// The server's [`super::LEVEL`].
    #[serde(default, skip_serializing_if = "is_first")]
    pub level: u16,
    /// What agents of this server seal what they carry for each other with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry_key: Option<CarryKey>,
    /// What the agent is to show from now on. To agents from level 2 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
    /// The certificates of all authorities to trust from now on, in PEM, where the agent trusts others. To agents from
    /// level 2 on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<String>,
    /// True where the agent is to renew its certificate now: another authority signs by now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renew: bool,
}

/// A key that the agents of one server share, so that what one exports another can import, and nobody else read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarryKey(#[serde(with = "serde_bytes")] pub [u8; 32]);

impl std::fmt::Debug for CarryKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CarryKey")
    }
}

/// The answer to a pushed batch: durable up to what it says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PushAnswer {
    /// What is held of the batch's lane now.
    pub held: Held,
    /// How many of the batch's bodies were put aside for a person.
    pub set_aside: u32,
}

/// `POST /sync/v1/heartbeat`: every 15 s.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The device's clocks as the message leaves.
    pub device: Reading,
    /// The boot in which they count.
    pub boot: Uuid,
    /// The journal's epoch.
    pub epoch: u64,
    /// How far each lane has been written.
    pub heads: Vec<Head>,
}

/// The answer to [`Heartbeat`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HeartbeatAnswer {
    /// The server's clock.
    pub server_now: UnixMs,
    /// The server's epoch.
    pub server_epoch: Uuid,
    /// The newest number of reference data.
    pub reference_head: u64,
}

/// Where a pull goes on. Opaque to the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(#[serde(with = "serde_bytes")] pub Vec<u8>);

/// `POST /sync/v1/pull`: asks for what changed in the agent's scope.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pull {
    /// Where to go on; none for everything.
    pub cursor: Option<Cursor>,
    /// The agent's [`super::LEVEL`]: it gets no row that it does not know.
    #[serde(default, skip_serializing_if = "is_first")]
    pub level: u16,
}

/// A page of reference data. The agent applies page and cursor in one transaction.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PullPage {
    /// True on the first page of a snapshot that replaces all that the agent holds.
    pub fresh: bool,
    /// The rows.
    pub rows: Vec<Reference>,
    /// Where to go on.
    pub cursor: Cursor,
    /// True when a further page follows at once; the snapshot takes effect with the last page.
    pub more: bool,
    /// The number of reference data that the cursor stands for.
    pub reference_head: u64,
}

/// One row of reference data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// A customer with lines in scope.
    Customer(ReferenceCustomer),
    /// A line in scope.
    Line(ReferenceLine),
    /// A version of a pack that a line in scope is under; from level 1 on, also of those with forms, classes and cadences
    /// for the customers in scope.
    Pack(PackText),
    /// Somebody who may sign in on the device. From level 1 on.
    Person(Person),
}

/// Somebody who may sign in on the device, and how to know the person offline. The password's hash itself never leaves
/// the server: `check` is an HMAC-SHA256 with that hash as its key over the agent's id, so that what is stolen from a
/// laptop opens nothing at the server, and nothing on another laptop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name to sign in with.
    pub name: String,
    /// The role's name at the desk.
    pub role: String,
    /// The hash's algorithm, parameters and salt as a PHC string without the hash.
    pub salted: String,
    /// The check.
    #[serde(with = "serde_bytes")]
    pub check: [u8; 32],
}

/// A customer, as an agent needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceCustomer {
    /// The code.
    pub code: String,
    /// The name.
    pub name: String,
    /// Whom to ask for.
    pub contact_name: String,
    /// Where to call.
    pub contact_phone: String,
}

/// A line, as an agent needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceLine {
    /// The code.
    pub code: String,
    /// The customer's code.
    pub customer: String,
    /// The site's name.
    pub site: String,
    /// What runs over it.
    pub service: String,
    /// The probe's URL; empty when nothing probes it.
    pub probe: String,
    /// The probe's interval in milliseconds.
    pub interval_ms: u32,
    /// What it was promised under, from when on, oldest first.
    pub terms: Vec<ReferenceTerms>,
}

/// The terms of a line from a moment on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceTerms {
    /// From when on.
    pub valid_from: UnixMs,
    /// The pack's name.
    pub pack: String,
    /// The tier's name.
    pub tier: String,
    /// What runs over the line then; empty where nothing is said of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub service: String,
    /// The agent that owns the line's evidence; empty for none.
    pub agent: String,
    /// False while nothing is promised.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub promised: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
pub(super) const fn is_first(level: &u16) -> bool {
    *level == 0
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_yes(promised: &bool) -> bool {
    *promised
}

/// A version of a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackText {
    /// The pack's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// From when on it is in force.
    pub valid_from: UnixMs,
    /// The file's text.
    pub text: String,
}
