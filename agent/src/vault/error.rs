//! What can go wrong with the vault. Nothing of what is sealed is changed by any of these.

use std::path::PathBuf;

/// The key is not there, or does not fit.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The system gave no random numbers.
    #[error("no random numbers: {0}")]
    Random(String),
    /// The cipher refused.
    #[error("the cipher refused")]
    Cipher,
    /// Something sealed does not open.
    #[error("what is sealed as {0:?} does not open: it is damaged, or was sealed with another key")]
    Unreadable(String),
    /// The key is another one than the data was sealed with.
    #[error(
        "the data is sealed with another key than {0}: put the key back that it was sealed with; nothing has been changed"
    )]
    WrongKey(String),
    /// There is sealed data, and no key.
    #[error("the data is sealed and its key is nowhere to be found; looked at {}: put the key back, nothing has been changed", .0.join(", "))]
    NoKey(Vec<String>),
    /// The key beside the data directory is in use, and the configuration wants a passphrase.
    #[error(
        "the data is sealed with the key in {0} and the configuration asks for a passphrase: run `linewatch-agent vault passphrase` once"
    )]
    UnderOwnKey(PathBuf),
    /// The configured key file is not there.
    #[error(
        "the key_file {0} is not there: put it back; for an agent that has no data yet, make one by `head -c 32 /dev/urandom > FILE`"
    )]
    KeyFileMissing(PathBuf),
    /// A file does not hold a key.
    #[error(
        "{0} does not hold a key (32 bytes, or 64 hexadecimal digits); a new one is made by `head -c 32 /dev/urandom > FILE`"
    )]
    NotAKey(PathBuf),
    /// The agent cannot make its own key.
    #[error(
        "no key can be made at {path} ({source}): make one there that this user can read (32 random bytes), or set key_file or passphrase_file in [vault]"
    )]
    CannotMake {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file beside the data.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// `vault.toml` cannot be used.
    #[error(
        "{path} cannot be used ({reason}): put it back from a copy; without it the passphrase opens nothing"
    )]
    Toml {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is nobody to ask.
    #[error(
        "a passphrase is needed: name its file by passphrase_file in [vault] (or LINEWATCH_VAULT__PASSPHRASE_FILE), or run this at a terminal"
    )]
    PassphraseNeeded,
    /// There is nobody to ask for the passphrase of an export.
    #[error(
        "the file is sealed with a passphrase: give it by --passphrase-file FILE, or run this at a terminal"
    )]
    FilePassphraseNeeded,
    /// It is not the right one.
    #[error("the passphrase is wrong; nothing has been changed")]
    WrongPassphrase,
    /// It is not fit to be one.
    #[error("a passphrase has at least {0} characters", super::cost::PASSPHRASE_MIN)]
    WeakPassphrase,
    /// Two entries differ.
    #[error("the two entries differ; nothing has been changed")]
    Differ,
}

impl VaultError {
    /// For a file's own trouble.
    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}
