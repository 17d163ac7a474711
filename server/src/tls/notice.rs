//! Who hears of connections that were refused before there was a request to answer.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// Told from where, and the stable code of the reason.
#[derive(Clone)]
pub struct Notice(Arc<dyn Fn(IpAddr, &'static str) + Send + Sync>);

impl Notice {
    /// Tells `hear`, which must not wait for anything.
    pub fn new(hear: impl Fn(IpAddr, &'static str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }

    pub(super) fn tell(&self, address: IpAddr, code: &'static str) {
        (self.0)(address, code);
    }
}

impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notice")
    }
}
