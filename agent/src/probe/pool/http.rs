//! HTTP(S): GET, a fresh connection each time, no redirects followed, 2xx and 3xx are answers.
//! The round trip ends with the answer's head; of the body no more than a bound is read.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::OnceLock;

use linewatch_shared::sample::{LossCause, NotSentCause, Outcome};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;

use super::{answered_since, tcp};
use crate::clock::NanoClock;

/// Most of a body that is read before the connection is dropped.
const MAX_BODY_BYTES: usize = 64 * 1024;
const USER_AGENT: &str = concat!("linewatch-agent/", env!("CARGO_PKG_VERSION"));

/// The one client that all HTTP probes share, made when the first is due.
#[derive(Default)]
pub(super) struct Client {
    inner: OnceLock<Option<reqwest::Client>>,
}

impl Client {
    pub(super) async fn probe(&self, clock: &dyn NanoClock, url: &str) -> Outcome {
        let Some(client) = self.inner.get_or_init(build) else {
            return Outcome::NotSent(NotSentCause::Refused);
        };
        let start_ns = clock.mono_ns();
        match client.get(url).send().await {
            Ok(mut response) => {
                let outcome = answered_since(clock, start_ns);
                let good = response.status().is_success() || response.status().is_redirection();
                let whole = read_some(&mut response).await;
                if good && whole { outcome } else { Outcome::Lost(LossCause::BadAnswer) }
            }
            Err(error) => outcome_of(&error),
        }
    }
}

/// A machine without certificate authorities can still probe plain HTTP: then no certificate is trusted.
fn build() -> Option<reqwest::Client> {
    let builder = || {
        reqwest::Client::builder()
            .redirect(Policy::none())
            .pool_max_idle_per_host(0)
            .no_proxy()
            .user_agent(USER_AGENT)
            .dns_resolver(SystemNames)
    };
    builder().build().or_else(|_| builder().tls_certs_only([]).build()).ok()
}

async fn read_some(response: &mut reqwest::Response) -> bool {
    let mut left = MAX_BODY_BYTES;
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if chunk.len() < left => left -= chunk.len(),
            Ok(_) => return true,
            Err(_) => return false,
        }
    }
}

fn outcome_of(error: &reqwest::Error) -> Outcome {
    if error.is_timeout() {
        return Outcome::Lost(LossCause::Timeout);
    }
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(this) = cause {
        if this.is::<NameFailure>() {
            return Outcome::NotSent(NotSentCause::NoRoute);
        }
        if let Some(io_error) = this.downcast_ref::<io::Error>().filter(|e| e.raw_os_error().is_some()) {
            let ip =
                error.url().and_then(|u| u.host_str()).and_then(|h| h.trim_matches(['[', ']']).parse().ok());
            return tcp::outcome_of(io_error, ip);
        }
        cause = this.source();
    }
    Outcome::Lost(LossCause::BadAnswer)
}

/// The system's resolver, with an error that can be told from the others.
struct SystemNames;

#[derive(Debug)]
struct NameFailure(io::Error);

impl fmt::Display for NameFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "name does not resolve: {}", self.0)
    }
}

impl Error for NameFailure {}

impl Resolve for SystemNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            match tokio::net::lookup_host((name.as_str(), 0)).await {
                Ok(found) => {
                    let found: Vec<SocketAddr> = found.collect();
                    Ok(Box::new(found.into_iter()) as Addrs)
                }
                Err(error) => Err(Box::new(NameFailure(error)) as Box<dyn Error + Send + Sync>),
            }
        })
    }
}
