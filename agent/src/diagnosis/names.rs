//! Whether names resolve.

use std::fs;
use std::time::{Duration, Instant};

use linewatch_shared::facts::{Finding, Grade};
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::finding;

/// The longest look-up.
const TIMEOUT: Duration = Duration::from_secs(5);
/// A look-up that takes longer is slow.
const SLOW_MS: u128 = 1_000;

/// Looks a name up by the system's resolver.
pub async fn check(name: Option<&str>) -> Finding {
    let servers = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let servers: Vec<&str> =
        servers.lines().filter_map(|line| line.trim().strip_prefix("nameserver")).collect();
    let servers = ("servers", servers.iter().map(|server| server.trim()).collect::<Vec<_>>().join(" "));
    let Some(name) = name.filter(|name| name.parse::<std::net::IpAddr>().is_err()) else {
        return finding("dns", Grade::Unknown, "no_name", [servers]);
    };
    #[expect(clippy::disallowed_methods, reason = "how long a look-up took, dated by nothing")]
    let start = Instant::now();
    let answer = timeout(TIMEOUT, lookup_host((name, 0))).await;
    let took_ms = start.elapsed().as_millis();
    let asked = ("name", name.to_owned());
    let took = ("took_ms", took_ms.to_string());
    match answer {
        Ok(Ok(mut addresses)) => match addresses.next() {
            Some(address) => {
                let grade = if took_ms > SLOW_MS { Grade::Warn } else { Grade::Ok };
                let code = if took_ms > SLOW_MS { "slow" } else { "resolves" };
                finding("dns", grade, code, [asked, ("address", address.ip().to_string()), took])
            }
            None => finding("dns", Grade::Fail, "unknown_name", [asked, servers]),
        },
        Ok(Err(_)) => finding("dns", Grade::Fail, "unknown_name", [asked, servers]),
        Err(_) => finding("dns", Grade::Fail, "no_answer", [asked, servers]),
    }
}
