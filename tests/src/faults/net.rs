//! The net between one laptop and the server: a relay that can be away, cut in the middle of a request, or lose an
//! answer that the server has already given.
//!
//! A connection is seen as bursts, each in one direction: TLS shakes hands in the first two, then each request is a burst
//! upwards and its answer one downwards.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};

/// Bytes copied at a time: small, so that a cut can be anywhere.
const CHUNK_BYTES: usize = 1_024;
/// The first burst upwards that may hold records: before it come the handshake and the hello.
const FIRST_PUSH: u64 = 3;

/// What the net does to the next connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weather {
    /// Nothing.
    #[default]
    Fine,
    /// There is no way, until the weather is set again.
    Away,
    /// The connection is cut in its n-th burst upwards (from 1), after so many bytes of it.
    CutUp {
        /// Which burst.
        burst: u64,
        /// After how many bytes of it.
        after_bytes: u64,
    },
    /// The n-th burst downwards (from 1) is lost, and the connection with it.
    AnswerLost {
        /// Which burst.
        burst: u64,
    },
}

/// What the net has done.
#[derive(Debug, Default)]
pub struct NetCounts {
    /// Connections that found no way.
    pub away: AtomicU64,
    /// Requests cut in their middle, from the first that may hold records on.
    pub cut_batches: AtomicU64,
    /// Requests cut earlier.
    pub cut_early: AtomicU64,
    /// Answers lost.
    pub lost_answers: AtomicU64,
}

/// The relay. It ends with its value.
pub struct Net {
    /// Where agents find the server.
    pub address: SocketAddr,
    weather: Arc<Mutex<Weather>>,
    is_over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Net {
    /// Begins to relay to a server.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start(to: SocketAddr, counts: Arc<NetCounts>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("a port for the net")?;
        let address = listener.local_addr()?;
        let (weather, is_over) = (Arc::new(Mutex::new(Weather::Fine)), Arc::new(AtomicBool::new(false)));
        let (seen, end) = (Arc::clone(&weather), Arc::clone(&is_over));
        let thread = thread::Builder::new().name("net".to_owned()).spawn(move || {
            for stream in listener.incoming().flatten() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let now = {
                    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    // Bad weather is over after one connection, but there is no way until somebody finds one.
                    let next = if *seen == Weather::Away { Weather::Away } else { Weather::Fine };
                    std::mem::replace(&mut *seen, next)
                };
                if now == Weather::Away {
                    counts.away.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                let counts = Arc::clone(&counts);
                // Without a thread the connection is cut, which is what a net may do.
                let _ = thread::Builder::new()
                    .name("net".to_owned())
                    .spawn(move || relay(&stream, to, now, &counts));
            }
        })?;
        Ok(Self { address, weather, is_over, thread: Some(thread) })
    }

    /// Changes what becomes of the next connection.
    pub fn set(&self, weather: Weather) {
        *self.weather.lock().unwrap_or_else(PoisonError::into_inner) = weather;
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Which way the last bytes went, and which burst that is.
#[derive(Debug, Default)]
struct Bursts {
    is_down: bool,
    up: u64,
    down: u64,
    bytes: u64,
}

impl Bursts {
    /// So many bytes come; says of which burst, and how many came of it before.
    fn note(&mut self, is_down: bool, count: u64) -> (u64, u64) {
        if self.is_down != is_down || self.up == 0 {
            self.is_down = is_down;
            self.bytes = 0;
            *(if is_down { &mut self.down } else { &mut self.up }) += 1;
        }
        let before = self.bytes;
        self.bytes += count;
        (if is_down { self.down } else { self.up }, before)
    }
}

fn relay(client: &TcpStream, to: SocketAddr, weather: Weather, counts: &NetCounts) {
    let Ok(server) = TcpStream::connect(to) else { return };
    let bursts = Mutex::new(Bursts::default());
    thread::scope(|scope| {
        scope.spawn(|| copy(client, &server, false, &bursts, weather, counts));
        copy(&server, client, true, &bursts, weather, counts);
    });
}

fn copy(
    mut from: &TcpStream,
    mut to: &TcpStream,
    is_down: bool,
    bursts: &Mutex<Bursts>,
    weather: Weather,
    counts: &NetCounts,
) {
    let mut buffer = [0; CHUNK_BYTES];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let (burst, before) =
            bursts.lock().unwrap_or_else(PoisonError::into_inner).note(is_down, count as u64);
        let passed = match weather {
            Weather::CutUp { burst: at, after_bytes } if !is_down && burst >= at => {
                let left = if burst > at { 0 } else { after_bytes.saturating_sub(before) };
                (left as usize).min(count)
            }
            Weather::AnswerLost { burst: at } if is_down && burst >= at => 0,
            _ => count,
        };
        let is_cut = passed < count;
        if to.write_all(&buffer[..passed]).is_err() {
            break;
        }
        if is_cut {
            let counter = match (is_down, burst >= FIRST_PUSH) {
                (true, _) => &counts.lost_answers,
                (false, true) => &counts.cut_batches,
                (false, false) => &counts.cut_early,
            };
            counter.fetch_add(1, Ordering::Relaxed);
            break;
        }
    }
    // Either side may have gone already.
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_are_counted_by_direction() {
        let mut bursts = Bursts::default();
        let seen: Vec<_> = [(false, 5), (false, 3), (true, 9), (false, 1), (true, 2), (true, 2)]
            .into_iter()
            .map(|(is_down, count)| bursts.note(is_down, count))
            .collect();
        assert_eq!(seen, [(1, 0), (1, 5), (1, 0), (2, 0), (2, 0), (2, 2)]);
    }

    #[test]
    fn an_answer_is_lost_after_the_server_gave_it() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let counts = Arc::new(NetCounts::default());
        let net = Net::start(server.local_addr().unwrap(), Arc::clone(&counts)).unwrap();
        net.set(Weather::AnswerLost { burst: 1 });
        let mut client = TcpStream::connect(net.address).unwrap();
        client.write_all(b"question").unwrap();
        let (mut stream, _) = server.accept().unwrap();
        let mut question = [0; 8];
        stream.read_exact(&mut question).unwrap();
        assert_eq!(&question, b"question");
        stream.write_all(b"answer").unwrap();
        let mut answer = Vec::new();
        // The connection may end by a reset.
        let _ = client.read_to_end(&mut answer);
        assert!(answer.is_empty(), "{answer:?}");
        assert_eq!(counts.lost_answers.load(Ordering::Relaxed), 1);
    }
}
