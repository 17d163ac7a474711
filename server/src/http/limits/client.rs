//! Whose request it is, when proxies stand in between.

use std::net::IpAddr;

use axum::http::HeaderMap;

use crate::config::Proxies;

/// Proxies in a row that are looked through.
const HOPS_MAX: usize = 8;

/// The caller's address by `X-Forwarded-For`, which a trusted proxy sent: the last one that is no trusted proxy itself. What
/// stands before it may be anybody's invention.
pub(super) fn client_of(headers: &HeaderMap, trusted: &Proxies) -> Option<IpAddr> {
    let values: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    let hops = values.iter().rev().flat_map(|value| value.rsplit(',')).take(HOPS_MAX);
    let mut found = None;
    for hop in hops {
        let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
        found = Some(address);
        if !trusted.contains(address) {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::config::Settings;

    #[test]
    fn what_the_last_trusted_proxy_saw_counts() {
        let text = "[http]\ntrusted_proxies = [\"192.0.2.0/24\"]";
        let trusted = Settings::parse(text, "s", vec![]).unwrap().http.trusted_proxies;
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("x-forwarded-for", HeaderValue::from_static(value));
            }
            client_of(&headers, &trusted).map(|ip| ip.to_string())
        };
        let is = |ip: &str| Some(ip.to_owned());
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["203.0.113.5"]), is("203.0.113.5"));
        assert_eq!(of(&["10.0.0.1, 203.0.113.5"]), is("203.0.113.5"), "the first is the caller's own word");
        assert_eq!(of(&["203.0.113.5, 192.0.2.9"]), is("203.0.113.5"));
        assert_eq!(of(&["203.0.113.5", "192.0.2.9,192.0.2.8"]), is("203.0.113.5"));
        assert_eq!(of(&["203.0.113.5, nonsense"]), None);
        assert_eq!(of(&["nonsense, 192.0.2.9"]), is("192.0.2.9"));
        assert_eq!(of(&["2001:db8::1"]), is("2001:db8::1"));
    }
}
