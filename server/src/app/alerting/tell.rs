//! Effects become messages, each once: to the people and over the ways that the pack's entry names.

use linewatch_shared::rules::{Occasion, Receiver, Rung};
use linewatch_shared::sla::{DeadlineKind, Effect, Mark};
use linewatch_shared::time::UnixMs;

use super::receivers::Receivers;
use super::{About, Said};
use crate::app::desk::Desk;
use crate::db::{DbError, Tx};
use crate::notify::alert::{Alert, Telling};
use crate::notify::{EMAIL, WEBHOOK, WEBHOOK_NAME};
use crate::store::alerts::{self, Held, StoredAlert};
use crate::store::outgoing::{NewMessage, insert_messages};

/// Said where a customer has nobody to tell.
const NO_ADDRESS: &str = "the customer has no manager_email: import one, then send this again";

/// Collects the messages of a transaction.
#[derive(Debug)]
pub(in crate::app) struct Teller<'a> {
    desk: &'a Desk,
    now: UnixMs,
    receivers: Receivers,
    messages: Vec<NewMessage>,
    alerts: Vec<StoredAlert>,
    held: Vec<Held>,
}

/// To whom an alert goes, and how.
struct Way<'a> {
    to: &'a [Receiver],
    by: Option<&'a [String]>,
    /// The step of the ladder; 0 for the alert itself.
    rung: usize,
    /// Whether channels that keep incidents alone hear of it beside.
    quietly: bool,
}

impl<'a> Teller<'a> {
    /// Has nothing to tell yet.
    pub(in crate::app) fn new(desk: &'a Desk, now: UnixMs) -> Self {
        let (messages, alerts, held) = (Vec::new(), Vec::new(), Vec::new());
        Self { desk, now, receivers: Receivers::default(), messages, alerts, held }
    }

    /// Tells of an effect, and begins its ladder.
    pub(in crate::app) fn tell(
        &mut self,
        tx: &mut Tx<'_>,
        about: &About<'_>,
        effect: &Effect,
        alert: &Alert,
    ) -> Result<(), DbError> {
        let on = Occasion::from(effect.key.mark);
        let rule = about.pack.and_then(|pack| pack.alert_rule(on, effect.key.kind, about.tier));
        let usual = usual(effect);
        let way = match rule {
            Some(rule) => Way { to: &rule.to, by: rule.by.as_deref(), rung: 0, quietly: false },
            None => Way { to: &usual, by: None, rung: 0, quietly: effect.key.mark == Mark::MetLate },
        };
        let ladder: Vec<Rung> = rule.map(|rule| rule.then.clone()).unwrap_or_default();
        let said = Said { key: alert.key.clone(), ..Said::of(effect) };
        self.alerts.push(StoredAlert {
            key: said.key,
            subject: about.subject,
            of_matter: about.of_matter,
            kind: said.kind,
            period: effect.key.period.to_string(),
            mark: said.mark,
            at: said.at,
            due_at: said.due_at,
            late: said.late,
            began_at: self.now,
            next_at: ladder.first().map(|rung| self.now + rung.after_ms),
            ladder,
            rung: 0,
            ended: None,
            taken: None,
        });
        let promise = (on, effect.key.kind, effect.key.period.to_string());
        self.send(tx, about, &promise, &way, alert)
    }

    /// Tells those of a ladder's step. Where nobody is found, the desk is told: a ladder must not end in the air.
    pub(super) fn climb(
        &mut self,
        tx: &mut Tx<'_>,
        about: &About<'_>,
        promise: &(Occasion, DeadlineKind, String),
        (number, rung): (usize, &Rung),
        alert: &Alert,
    ) -> Result<(), DbError> {
        let found = self.receivers.of(self.desk, tx, about, &rung.to, self.now)?;
        let lost = !rung.to.is_empty() && found.iter().all(|(_, person)| person.email.is_empty());
        let to = if lost { vec![Receiver::Noc] } else { rung.to.clone() };
        let way = Way { to: &to, by: rung.by.as_deref(), rung: number, quietly: false };
        self.send(tx, about, promise, &way, alert)
    }

    fn send(
        &mut self,
        tx: &mut Tx<'_>,
        about: &About<'_>,
        (on, kind, period): &(Occasion, DeadlineKind, String),
        way: &Way<'_>,
        alert: &Alert,
    ) -> Result<(), DbError> {
        let (desk, now) = (self.desk, self.now);
        let named = |name: &str| way.by.is_none_or(|by| by.iter().any(|known| known == name));
        if desk.channels.email && named(EMAIL) {
            let quiet = about.pack.and_then(|pack| {
                let quiet = pack.quiet.as_ref().filter(|quiet| quiet.holds(*on, *kind, about.tier))?;
                Some((quiet, quiet.until(now, pack.time_zone)?))
            });
            let manager = self.receivers.manager(tx, about.customer, now)?;
            for (receiver, person) in self.receivers.of(desk, tx, about, way.to, now)? {
                let mut own = outgoing(about, way, alert, EMAIL, &person.email);
                own.person = if person.name.is_empty() { person.email.clone() } else { person.name.clone() };
                let quiet = quiet.as_ref().filter(|(quiet, _)| quiet.to.contains(&receiver));
                if let Some((_, until)) = quiet.filter(|_| !person.email.is_empty()) {
                    self.held.push(Held {
                        key: own.key,
                        alert: alert.key.clone(),
                        subject: about.subject,
                        kind: kind.name().to_owned(),
                        period: period.clone(),
                        destination: person.email,
                        person: own.person,
                        receiver,
                        until: *until,
                    });
                    continue;
                }
                let telling = Telling { receiver: Some(receiver), rung: way.rung, ..Telling::default() };
                own.alert = text(way, &Alert { manager: manager.name.clone(), telling, ..alert.clone() })?;
                own.undeliverable = person.email.is_empty().then_some(NO_ADDRESS);
                self.messages.push(own);
            }
        }
        if desk.channels.webhook && named(WEBHOOK_NAME) && !way.quietly {
            self.push(tx, about, way, alert, (WEBHOOK, WEBHOOK_NAME))?;
        }
        for channel in desk.channels.ways.iter() {
            let takes = match way.by {
                None => channel.takes(alert),
                Some(_) if named(&channel.name) => channel.takes_named(alert),
                // What ends an incident goes wherever the incident may have gone.
                Some(_) => {
                    channel.resolves()
                        && matches!(on, Occasion::MetLate | Occasion::Corrected)
                        && channel.takes(alert)
                }
            };
            for destination in channel.destinations.iter().filter(|_| takes) {
                self.push(tx, about, way, alert, (channel.channel, destination))?;
            }
        }
        Ok(())
    }

    /// A message over a channel, which is for nobody by name.
    fn push(
        &mut self,
        tx: &mut Tx<'_>,
        about: &About<'_>,
        way: &Way<'_>,
        alert: &Alert,
        (channel, destination): (&'static str, &str),
    ) -> Result<(), DbError> {
        let manager = self.receivers.manager(tx, about.customer, self.now)?.name;
        let telling = Telling { rung: way.rung, ..Telling::default() };
        let mut message = outgoing(about, way, alert, channel, destination);
        message.alert = text(way, &Alert { manager, telling, ..alert.clone() })?;
        self.messages.push(message);
        Ok(())
    }

    /// A mail that waited for the end of quiet hours.
    pub(super) fn release(&mut self, about: &About<'_>, held: &Held, alert: &Alert) -> Result<(), DbError> {
        self.messages.push(NewMessage {
            key: held.key.clone(),
            subject: about.subject,
            channel: EMAIL,
            destination: held.destination.clone(),
            alert: serde_json::to_string(alert).map_err(|error| DbError::Data(error.to_string()))?,
            undeliverable: None,
            alert_key: Some(held.alert.clone()),
            rung: 0,
            person: held.person.clone(),
            cause: about.cause.to_owned(),
        });
        Ok(())
    }

    /// Who is told about a customer.
    pub(super) fn manager(&mut self, tx: &mut Tx<'_>, customer: &str) -> Result<String, DbError> {
        Ok(self.receivers.manager(tx, customer, self.now)?.name)
    }

    /// Writes everything down.
    ///
    /// # Errors
    /// The database's.
    pub(in crate::app) fn finish(self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        let nobody_to_tell = self.messages.iter().filter(|message| message.undeliverable.is_some()).count();
        if nobody_to_tell > 0 {
            metrics::counter!("linewatch_alerts_dead_total", "channel" => EMAIL)
                .increment(nobody_to_tell as u64);
        }
        alerts::insert(tx, &self.alerts)?;
        alerts::hold(tx, &self.held)?;
        insert_messages(tx, &self.messages, self.now)
    }
}

/// Who is told where no entry of the pack fits: the account manager and those on duty; of a decision that a supervisor
/// owes the supervisors too.
fn usual(effect: &Effect) -> Vec<Receiver> {
    match (effect.key.mark, effect.key.kind) {
        (Mark::MetLate, _) => Vec::new(),
        (_, DeadlineKind::Supervisor) => vec![Receiver::Manager, Receiver::Duty, Receiver::Supervisor],
        _ => vec![Receiver::Manager, Receiver::Duty],
    }
}

/// The key that receivers tell alerts apart by: a step of the ladder is told anew.
fn key_at(key: &str, rung: usize) -> String {
    if rung == 0 { key.to_owned() } else { format!("{key}/rung{rung}") }
}

fn text(way: &Way<'_>, alert: &Alert) -> Result<String, DbError> {
    let alert = Alert { key: key_at(&alert.key, way.rung), ..alert.clone() };
    serde_json::to_string(&alert).map_err(|error| DbError::Data(error.to_string()))
}

fn outgoing(
    about: &About<'_>,
    way: &Way<'_>,
    alert: &Alert,
    channel: &'static str,
    destination: &str,
) -> NewMessage {
    NewMessage {
        key: format!("{}/{channel}/{destination}", key_at(&alert.key, way.rung)),
        subject: about.subject,
        channel,
        destination: destination.to_owned(),
        alert_key: Some(alert.key.clone()),
        rung: way.rung,
        cause: about.cause.to_owned(),
        ..NewMessage::default()
    }
}
