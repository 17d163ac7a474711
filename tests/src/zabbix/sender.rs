//! Hands values in as `zabbix_sender` does, as fast as they are taken: a connection for each request, acknowledged by its
//! answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;

use super::Values;

/// Requests under way at the same time: one less than the proxy has processes for them.
const AT_ONCE: usize = 4;
const TIMEOUT: Duration = Duration::from_secs(30);
/// What a message begins with; its length follows, as two words of which the second is of no use here.
const MAGIC: &[u8; 5] = b"ZBXD\x01";
const ANSWER_BYTES_MAX: u32 = 64 << 10;

/// Values on their way in.
pub struct Sending {
    acknowledged: Arc<AtomicU64>,
    threads: Vec<JoinHandle<Result<()>>>,
}

impl Sending {
    /// Begins.
    #[must_use]
    pub fn start(trapper: SocketAddr, values: &Arc<Values>) -> Self {
        let (acknowledged, next) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicUsize::new(0)));
        let threads = (0..AT_ONCE).map(|_| {
            let (acknowledged, next) = (Arc::clone(&acknowledged), Arc::clone(&next));
            let values = Arc::clone(values);
            std::thread::spawn(move || {
                while let Some(request) = values.request(next.fetch_add(1, Ordering::Relaxed)) {
                    acknowledged.fetch_add(hand_in(trapper, &request)?, Ordering::Relaxed);
                }
                Ok(())
            })
        });
        let threads = threads.collect();
        Self { acknowledged, threads }
    }

    /// How many values were acknowledged so far.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Waits until all are handed in, or nobody takes them any more: how many were acknowledged, and why it ended early
    /// if it did.
    ///
    /// # Errors
    /// When a thread panicked.
    pub fn finish(self) -> Result<(u64, Option<anyhow::Error>)> {
        let mut trouble = None;
        for thread in self.threads {
            let done = thread.join().map_err(|_| anyhow!("a sender panicked"))?;
            trouble = trouble.or(done.err());
        }
        Ok((self.acknowledged.load(Ordering::Relaxed), trouble))
    }
}

/// Hands one request in; how many values the answer says were taken.
pub(super) fn hand_in(trapper: SocketAddr, request: &str) -> Result<u64> {
    let mut stream = TcpStream::connect_timeout(&trapper, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_nodelay(true)?;
    let mut message = Vec::with_capacity(request.len() + 13);
    message.extend(MAGIC);
    message.extend(u32::try_from(request.len())?.to_le_bytes());
    message.extend([0; 4]);
    message.extend(request.as_bytes());
    stream.write_all(&message)?;
    let mut head = [0; 13];
    stream.read_exact(&mut head)?;
    let length = u32::from_le_bytes([head[5], head[6], head[7], head[8]]);
    ensure!(head[..5] == *MAGIC && length <= ANSWER_BYTES_MAX, "not an answer: {head:?}");
    let mut answer = vec![0; length as usize];
    stream.read_exact(&mut answer)?;
    let answer: Value = serde_json::from_slice(&answer)?;
    let info = answer["info"].as_str().with_context(|| answer.to_string())?;
    let processed = info.strip_prefix("processed: ").and_then(|rest| rest.split(';').next()?.parse().ok());
    processed.with_context(|| info.to_owned())
}
