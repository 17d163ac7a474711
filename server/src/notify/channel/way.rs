//! Which alerts a channel gets: what the desk knows of it when it puts messages into the outbox.

use crate::config::{Channel, Service};
use crate::notify::alert::Alert;

/// A channel, as far as it decides who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// What it is called in the configuration.
    pub name: String,
    /// `outbox.channel`.
    pub channel: &'static str,
    /// `outbox.destination` of each of its messages.
    pub destinations: Vec<String>,
    marks: Vec<String>,
    tiers: Vec<String>,
    only_fallback: bool,
    /// Keeps incidents: it wants to hear that one is over too.
    resolves: bool,
}

impl Way {
    /// What the desk needs to know of a configured channel.
    #[must_use]
    pub fn of(channel: &Channel) -> Self {
        let destinations = match &channel.service {
            Service::Sms(gateway) => {
                gateway.numbers.iter().map(|number| format!("{}/{number}", channel.name)).collect()
            }
            _ => vec![channel.name.clone()],
        };
        Self {
            name: channel.name.clone(),
            channel: super::kind(&channel.service),
            destinations,
            marks: channel.marks.clone(),
            tiers: channel.tiers.clone(),
            only_fallback: channel.only_fallback,
            resolves: matches!(channel.service, Service::Pagerduty { .. } | Service::Alertmanager { .. }),
        }
    }

    /// Whether a channel keeps incidents and wants to hear of their ends.
    #[must_use]
    pub const fn resolves(&self) -> bool {
        self.resolves
    }

    /// Whether it gets this alert where a pack names the channel: also one that otherwise gets only what falls back to it.
    #[must_use]
    pub fn takes_named(&self, alert: &Alert) -> bool {
        let marked = self.marks.is_empty() || self.marks.contains(&alert.mark);
        let tiered = self.tiers.is_empty() || self.tiers.contains(&alert.tier);
        tiered && (marked || matches!(alert.mark.as_str(), "corrected" | "met_late"))
    }

    /// Whether it gets this alert by itself. What ends an incident goes wherever the incident may have gone.
    #[must_use]
    pub fn takes(&self, alert: &Alert) -> bool {
        let ends = alert.mark == "met_late";
        let marked = self.marks.is_empty() || self.marks.contains(&alert.mark) || alert.mark == "corrected";
        let tiered = self.tiers.is_empty() || self.tiers.contains(&alert.tier);
        !self.only_fallback && tiered && if ends { self.resolves } else { marked }
    }
}
