//! Where an alert goes that its channel cannot hand over.

use std::collections::HashMap;

use super::channel::Way;
use super::settings::NotifySettings;

/// Each channel's other way, by the name of its configuration; mail's is called `email`.
#[derive(Debug, Default)]
pub(super) struct Fallbacks(HashMap<String, Vec<(&'static str, String)>>);

impl Fallbacks {
    pub(super) fn new(settings: &NotifySettings) -> Self {
        let ways: HashMap<&str, Way> =
            settings.channels.iter().map(|channel| (channel.name.as_str(), Way::of(channel))).collect();
        let wanted = settings.channels.iter().map(|channel| (channel.name.as_str(), &channel.fallback));
        let mail = settings.mail.iter().map(|mail| (super::EMAIL, &mail.fallback));
        let other = |name: &String| {
            let way = ways.get(name.as_str())?;
            Some(way.destinations.iter().map(|to| (way.channel, to.clone())).collect())
        };
        let found = wanted
            .chain(mail)
            .filter_map(|(name, fallback)| Some((name.to_owned(), fallback.as_ref().and_then(other)?)));
        Self(found.collect())
    }

    /// Channel and destination of each other way; none for the last resort.
    pub(super) fn of(&self, channel: &str, destination: &str) -> &[(&'static str, String)] {
        let name = if channel == super::EMAIL { super::EMAIL } else { destination };
        let name = name.split_once('/').map_or(name, |(name, _)| name);
        self.0.get(name).map_or(&[], Vec::as_slice)
    }
}
