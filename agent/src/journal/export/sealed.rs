//! A stream in sealed chunks, in bounded memory.
//!
//! ```text
//! ( u8 last (1 in the last chunk) | u32 length | sealed bytes with their tag ) …
//! ```
//! Each chunk is AES-256-GCM under the file's own key with its number as the nonce; number, `last` and the head's hash are
//! associated data. So a chunk that is missing, doubled, moved, of another file or after the last one does not open.

use std::io::{self, Read, Write};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::vault::{Key, VaultError};

/// A chunk's bytes before it is sealed.
pub(super) const CHUNK_BYTES: usize = 64 << 10;
const TAG_BYTES: usize = 16;

/// The key of one file.
pub(super) struct FileKey {
    key: LessSafeKey,
    head: [u8; 32],
}

impl FileKey {
    pub(super) fn new(key: &Key, head: [u8; 32]) -> Result<Self, VaultError> {
        let key = UnboundKey::new(&AES_256_GCM, key.bytes()).map_err(|_| VaultError::Cipher)?;
        Ok(Self { key: LessSafeKey::new(key), head })
    }

    fn place(&self, number: u64, is_last: bool) -> (Nonce, Aad<[u8; 41]>) {
        let mut nonce = [0; NONCE_LEN];
        nonce[NONCE_LEN - 8..].copy_from_slice(&number.to_be_bytes());
        let mut aad = [0; 41];
        aad[..32].copy_from_slice(&self.head);
        aad[32..40].copy_from_slice(&number.to_be_bytes());
        aad[40] = u8::from(is_last);
        (Nonce::assume_unique_for_key(nonce), Aad::from(aad))
    }
}

/// Seals what is written; nothing of the last chunk is there before [`SealedWriter::finish`].
pub(super) struct SealedWriter<W> {
    inner: W,
    key: FileKey,
    number: u64,
    plain: Zeroizing<Vec<u8>>,
}

impl<W: Write> SealedWriter<W> {
    pub(super) fn new(inner: W, key: FileKey) -> Self {
        Self { inner, key, number: 0, plain: Zeroizing::new(Vec::with_capacity(CHUNK_BYTES + TAG_BYTES)) }
    }

    fn chunk(&mut self, is_last: bool) -> io::Result<()> {
        let (nonce, aad) = self.key.place(self.number, is_last);
        let sealed = self.key.key.seal_in_place_append_tag(nonce, aad, &mut *self.plain);
        sealed.map_err(|_| io::Error::other("the cipher refused"))?;
        self.inner.write_all(&[u8::from(is_last)])?;
        self.inner.write_all(&(self.plain.len() as u32).to_be_bytes())?;
        self.inner.write_all(&self.plain)?;
        self.plain.clear();
        self.number += 1;
        Ok(())
    }

    /// Writes the last chunk.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.chunk(true)?;
        self.inner.flush()?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for SealedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.plain.len() == CHUNK_BYTES {
            self.chunk(false)?;
        }
        let taken = bytes.len().min(CHUNK_BYTES - self.plain.len());
        self.plain.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens what a [`SealedWriter`] wrote. The end is only reached when the last chunk was there and nothing comes after it.
pub(super) struct SealedReader<R> {
    inner: R,
    key: FileKey,
    number: u64,
    plain: Zeroizing<Vec<u8>>,
    at: usize,
    is_over: bool,
}

fn wrong(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text.to_owned())
}

impl<R: Read> SealedReader<R> {
    pub(super) fn new(inner: R, key: FileKey) -> Self {
        Self { inner, key, number: 0, plain: Zeroizing::default(), at: 0, is_over: false }
    }

    fn chunk(&mut self) -> io::Result<()> {
        let mut head = [0; 5];
        self.inner.read_exact(&mut head)?;
        let is_last = head[0] == 1;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if length > CHUNK_BYTES + TAG_BYTES {
            return Err(wrong("a chunk is longer than its bound"));
        }
        self.plain.resize(length, 0);
        self.inner.read_exact(&mut self.plain)?;
        let (nonce, aad) = self.key.place(self.number, is_last);
        let opened = self.key.key.open_in_place(nonce, aad, &mut self.plain);
        let text =
            if self.number == 0 { "it was sealed with another key, or is damaged" } else { "it is damaged" };
        let length = opened.map_err(|_| wrong(text))?.len();
        self.plain.truncate(length);
        (self.at, self.is_over) = (0, is_last);
        self.number += 1;
        if is_last && self.inner.read(&mut [0])? != 0 {
            return Err(wrong("something follows its end"));
        }
        Ok(())
    }
}

impl<R: Read> Read for SealedReader<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while self.at == self.plain.len() && !self.is_over {
            self.chunk()?;
        }
        let given = bytes.len().min(self.plain.len() - self.at);
        bytes[..given].copy_from_slice(&self.plain[self.at..self.at + given]);
        self.at += given;
        Ok(given)
    }
}
