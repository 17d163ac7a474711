//! Ways out that packs name and the configuration does not have: the one knows nothing of the other, so both are compared
//! where both are at hand.

use std::collections::BTreeSet;

use linewatch_shared::rules::Mistake;

use super::PackSet;
use crate::config::Settings;
use crate::notify::{EMAIL, WEBHOOK_NAME};

/// A mistake for each way of a pack that is not configured.
#[must_use]
pub fn unknown_ways(packs: &PackSet, settings: &Settings) -> Vec<Mistake> {
    let mut known: BTreeSet<&str> = settings.channels.iter().map(|channel| channel.name.as_str()).collect();
    known.extend(settings.smtp.iter().map(|_| EMAIL));
    known.extend(settings.webhook.iter().map(|_| WEBHOOK_NAME));
    let configured =
        if known.is_empty() { "nothing".to_owned() } else { Vec::from_iter(known.clone()).join(", ") };
    let mut mistakes = Vec::new();
    for loaded in packs.iter() {
        for way in loaded.pack.ways().into_iter().filter(|way| !known.contains(way)) {
            let named = format!("\"{way}\"");
            let place = (1..).zip(loaded.text.lines()).find_map(|(number, line)| {
                let column = line.find(&named).filter(|_| line.contains("by"))?;
                Some((number, line[..column].chars().count() + 1))
            });
            let (line, column) = place.unwrap_or_default();
            let reason = format!("no way out is called {named}; configured: {configured}");
            mistakes.push(Mistake {
                file: loaded.origin.clone(),
                line,
                column,
                key: "alert.by".to_owned(),
                reason,
            });
        }
    }
    mistakes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_that_is_not_configured_is_named_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[pack]\nname = \"p\"\nversion = \"1\"\ntime_zone = \"UTC\"\n[[tier]]\nname = \"A\"\nrestore_within = \"2h\"\n\
             [[alert]]\non = [\"missed\"]\nto = []\nby = [\"email\", \"duty\", \"gone\"]\n";
        std::fs::write(folder.path().join("p.toml"), text).unwrap();
        let packs = PackSet::load(Some(folder.path())).unwrap();
        let text = "[smtp]\nhost = \"h\"\nfrom = \"a@example.com\"\n[channels.duty]\nkind = \"slack\"\nurl = \"https://chat.example\"\n";
        let settings = Settings::parse(text, "server.toml", Vec::new()).unwrap();
        let mistakes = unknown_ways(&packs, &settings);
        assert_eq!(mistakes.len(), 1);
        let said = mistakes[0].to_string();
        assert!(
            said.ends_with("p.toml:11:24: alert.by: no way out is called \"gone\"; configured: duty, email"),
            "{said}"
        );
        assert_eq!(unknown_ways(&PackSet::load(None).unwrap(), &settings), []);
    }
}
