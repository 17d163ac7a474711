//! Where alerts may go: not to this machine itself, nor to what only machines of one network segment or cloud reach, unless
//! `notify.allow_private` says so. A gateway in one's own network is no such place.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::source::Source;
use super::{Channel, Service, Webhook};

/// Where clouds answer what their machines may know.
const METADATA: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// Whether an address is this machine's own, of its segment alone, or of a cloud's inside.
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let own = address.is_loopback() || address.is_unspecified() || address.is_multicast();
    let near = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast() || v4.octets()[0] == 0,
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    own || near || METADATA.contains(&address)
}

/// Names every address of the configuration that is such a place by itself; names are looked at when they are resolved.
pub(super) fn check(s: &mut Source, webhook: Option<&Webhook>, channels: &[Channel]) {
    if let Some(webhook) = webhook {
        check_one(s, "webhook.url", &webhook.url);
    }
    for channel in channels {
        let url = match &channel.service {
            Service::WecomRobot { url }
            | Service::Slack { url }
            | Service::DingtalkRobot { url, .. }
            | Service::FeishuRobot { url, .. } => url.reveal(),
            Service::WecomApp { url, .. }
            | Service::Pagerduty { url, .. }
            | Service::Alertmanager { url, .. }
            | Service::Webhook { url, .. } => url,
            Service::Sms(sms) => sms.url.reveal(),
        };
        check_one(s, &format!("channels.{}.url", channel.name), url);
    }
}

fn check_one(s: &mut Source, key: &str, url: &str) {
    if points_inside(url) {
        let reason = "leads to this machine or its own segment; notify.allow_private = true allows it";
        s.mistake(key, reason);
    }
}

/// The parser knows each way in which an address may be spelled.
fn points_inside(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let is_own_name =
        host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost");
    is_own_name || host.trim_matches(['[', ']']).parse().is_ok_and(is_private)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    #[test]
    fn each_spelling_of_this_machine_is_known() {
        for inside in [
            "http://127.0.0.1/",
            "http://localhost:9093/x",
            "http://LOCALHOST./",
            "http://a.localhost/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://0.0.0.0/",
            "http://169.254.169.254/latest/meta-data/",
            "http://100.100.100.200/",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
            "http://user@127.0.0.1/",
        ] {
            assert!(points_inside(inside), "{inside}");
        }
        for outside in [
            "https://hooks.example/",
            "http://10.1.2.3/",
            "http://[2001:db8::1]/",
            "http://127.0.0.1.example/",
        ] {
            assert!(!points_inside(outside), "{outside}");
        }
    }

    #[test]
    fn a_channel_to_this_machine_is_allowed_by_a_word_alone() {
        let text = "[webhook]\nurl = \"http://127.0.0.1:1/\"\n[channels.duty]\nkind = \"slack\"\nurl = \"http://169.254.169.254/\"\n";
        let found: Vec<String> =
            Settings::parse(text, "s", vec![]).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found.iter().any(|m| m.contains("webhook.url"))
                && found.iter().any(|m| m.contains("channels.duty.url"))
        );
        let allowed = format!("{text}[notify]\nallow_private = true\n");
        assert!(Settings::parse(&allowed, "s", vec![]).unwrap().allow_private);
    }
}
