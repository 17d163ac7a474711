//! Asks a person at the terminal, without showing what is typed.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::{VaultError, passphrase};

const TERMINAL_PATH: &str = "/dev/tty";

/// Puts the terminal back as it was.
struct Hidden<'a> {
    terminal: &'a File,
    before: Termios,
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, SetArg::TCSANOW, &self.before);
    }
}

/// Asks for a passphrase.
///
/// # Errors
/// When there is no terminal to ask at.
pub fn ask(prompt: &str) -> Result<Zeroizing<String>, VaultError> {
    let opened = OpenOptions::new().read(true).write(true).open(TERMINAL_PATH);
    let terminal = opened.map_err(|_| VaultError::PassphraseNeeded)?;
    let before = tcgetattr(&terminal).map_err(|_| VaultError::PassphraseNeeded)?;
    let mut hidden = before.clone();
    hidden.local_flags.remove(LocalFlags::ECHO);
    hidden.local_flags.insert(LocalFlags::ECHONL);
    tcsetattr(&terminal, SetArg::TCSAFLUSH, &hidden).map_err(|_| VaultError::PassphraseNeeded)?;
    let shown = Hidden { terminal: &terminal, before };
    let fail = VaultError::file(Path::new(TERMINAL_PATH));
    let mut line = Zeroizing::new(String::new());
    let read = write!(&terminal, "{prompt}: ").and_then(|()| BufReader::new(&terminal).read_line(&mut line));
    drop(shown);
    read.map_err(fail)?;
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// A passphrase from a file, or from the terminal; `twice` for a new one.
///
/// # Errors
/// When there is neither, or the two entries differ.
pub fn read_passphrase(
    file: Option<&Path>,
    prompt: &str,
    twice: bool,
) -> Result<Zeroizing<String>, VaultError> {
    if let Some(path) = file {
        return passphrase::read(path);
    }
    let first = ask(prompt)?;
    if twice && *ask(&format!("{prompt}, once more"))? != *first {
        return Err(VaultError::Differ);
    }
    Ok(first)
}
