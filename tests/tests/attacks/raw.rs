//! HTTP written by hand: what no client library would send.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

/// How long an answer may take here.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// More of an answer is not read.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Connects.
pub fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.set_write_timeout(Some(ANSWER_WITHIN))?;
    Ok(stream)
}

/// Everything that comes until the server closes the connection.
pub fn rest(stream: &mut TcpStream) -> Result<String> {
    let mut bytes = Vec::new();
    let mut part = [0; 16 * 1024];
    while bytes.len() < ANSWER_BYTES_MAX {
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(n) => bytes.extend_from_slice(&part[..n]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => return Err(error).context("the connection was not closed"),
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Sends bytes and reads the whole answer.
pub fn send(address: SocketAddr, bytes: &[u8]) -> Result<String> {
    let mut stream = connect(address)?;
    // A server that refuses may close before everything was written.
    let _ = stream.write_all(bytes);
    rest(&mut stream)
}

/// Asks for a path as it is written, without a client's tidying.
pub fn get(address: SocketAddr, path: &str) -> Result<(u16, String)> {
    let answer = send(
        address,
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes(),
    )?;
    Ok((status(&answer), answer))
}

/// The status of an answer; 0 where there is none.
pub fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}
