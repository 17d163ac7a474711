//! Hands alerts over: mail to account managers, signed copies to webhooks, and what else is configured ([`channel`]).
//!
//! The engine puts rows into the outbox inside its own transactions and wakes [`OUTBOX_CHANNEL`];
//! this module claims them with a lease, sends outside of any transaction, and writes down how it
//! ended. At least once, under the same Message-ID and key on every try; two nodes never send one
//! message at the same time; one destination's messages go in order, except that one that waits for
//! its next try does not hold up the later ones. What is given up stays visible as a dead letter.
//!
//! Limits: so many messages a minute to one destination as its service likes ([`channel::per_minute`]), then digests; [`worker::SENDING_MAX`]
//! destinations at a time; tries for a day ([`retry`]). Never here: deciding whom to alert of what.

pub mod alert;
pub mod channel;
mod day_text;
mod dead;
pub mod deliver;
mod failure;
mod fallback;
pub(crate) mod http;
pub mod letter;
pub mod lexicon;
mod mail;
pub mod outbox;
pub mod own_text;
#[cfg(test)]
mod own_text_tests;
mod page;
pub mod plan;
pub mod retry;
pub mod sample;
mod sample_day;
mod settings;
pub mod shipped;
mod smtp;
pub mod take_link;
pub(crate) mod text;
#[cfg(test)]
mod text_tests;
mod trial;
pub mod webhook;
pub mod words;
pub mod worker;

pub use crate::config::Smtp as MailSettings;
pub use crate::store::outgoing::message_id;
pub use alert::{Alert, Done, Telling};
pub use dead::{DEAD_LIST_MAX, DeadLetter, list_dead, resend};
pub use letter::Letter;
pub use settings::{NotifySettings, WEBHOOK_NAME, WebhookSettings};
pub use worker::{Notifier, NotifyError, Tick};

/// The database's wake-up channel for the outbox.
pub const OUTBOX_CHANNEL: &str = "outbox";
/// `outbox.channel` of a mail; `destination` is the address.
pub const EMAIL: &str = "email";
/// `outbox.channel` of a webhook; `destination` is its name.
pub const WEBHOOK: &str = "webhook";
