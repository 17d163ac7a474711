//! What an enrolled agent's client shows of itself, and keeps of what the server says to that.

use std::path::{Path, PathBuf};

use linewatch_shared::wire::{Hash, HelloAnswer};

use super::generation::Generations;
use crate::enroll::Identity;

/// The data directory, as a client knows it.
#[derive(Clone, Debug)]
pub struct Home {
    data_dir: PathBuf,
    generations: Generations,
    trusts: Vec<Hash>,
}

impl Home {
    /// Of an agent that trusts these authorities.
    #[must_use]
    pub fn new(data_dir: &Path, trusts: Vec<Hash>) -> Self {
        Self { data_dir: data_dir.to_owned(), generations: Generations::of(data_dir), trusts }
    }

    /// The generation to show.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn newest(&self) -> std::io::Result<Option<Vec<u8>>> {
        self.generations.newest()
    }

    /// The authorities that are trusted.
    #[must_use]
    pub fn trusts(&self) -> Vec<Hash> {
        self.trusts.clone()
    }

    /// Keeps what came with a hello, which waits for the disk. Where that fails, what was kept before goes on, and the
    /// server says it again.
    pub fn keep(&self, answer: &HelloAnswer) {
        if let Some(next) = &answer.generation {
            self.generations.keep(next);
        }
        if !answer.authorities.is_empty()
            && let Err(error) = Identity::trust(&self.data_dir, &answer.authorities)
        {
            tracing::warn!(%error, "the server's authorities are not kept; those before go on");
        }
    }
}
