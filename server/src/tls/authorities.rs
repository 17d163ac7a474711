//! Which authorities there are: the one that agents are shown, the one that signs for them, and all that are trusted.
//!
//! Mostly these are the same one. While the authority is rotated there are two: `rotate` makes the next one and has it
//! trusted, `switch` lets it sign for agents, `retire` shows it in place of the one before, which then counts no more.
//! A file of its own says which is which, and is replaced whole; running servers read it again when it changes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};

use super::Authority;
use super::authority::{FIRST, file_error, write_whole};
use crate::app::AppError;

/// The file that says which is which.
const FILE_NAME: &str = "authorities.json";
/// At most this one, and the next or the one before.
const TRUSTED_MAX: usize = 2;

/// Names of authorities, as their files are called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Roles {
    shown: String,
    issuing: String,
    trusted: Vec<String>,
}

impl Default for Roles {
    fn default() -> Self {
        Self { shown: FIRST.to_owned(), issuing: FIRST.to_owned(), trusted: vec![FIRST.to_owned()] }
    }
}

/// The authorities at one moment.
#[derive(Debug)]
pub struct Set {
    roles: Roles,
    /// Signs the server's own certificate, and is named in enrolment tokens.
    pub shown: Arc<Authority>,
    /// Signs agents' certificates.
    pub issuing: Arc<Authority>,
    /// All that are trusted; what is shown comes first.
    pub trusted: Vec<Arc<Authority>>,
}

impl Set {
    fn load(folder: &Path, now: UnixMs) -> Result<Self, AppError> {
        let roles = read(folder)?;
        let mut trusted = Vec::new();
        for name in &roles.trusted {
            let made = name == FIRST;
            trusted.push(Arc::new(if made {
                Authority::load_or_create(folder, now)?
            } else {
                Authority::load(folder, name)?
            }));
        }
        let of = |name: &String| {
            let at = roles.trusted.iter().position(|known| known == name);
            at.map(|at| Arc::clone(&trusted[at])).ok_or_else(|| {
                AppError::Certificate(format!(
                    "{}: {name} is not among those trusted",
                    path(folder).display()
                ))
            })
        };
        let (shown, issuing) = (of(&roles.shown)?, of(&roles.issuing)?);
        trusted.sort_by_key(|known| known.fingerprint() != shown.fingerprint());
        Ok(Self { roles, shown, issuing, trusted })
    }

    /// The fingerprints of all that are trusted.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<[u8; 32]> {
        self.trusted.iter().map(|known| known.fingerprint()).collect()
    }

    /// The certificates of all that are trusted, what is shown first.
    #[must_use]
    pub fn pem(&self) -> String {
        self.trusted.iter().map(|known| known.pem().trim_end()).collect::<Vec<_>>().join("\n") + "\n"
    }

    /// The one that takes over: made, and not shown yet.
    #[must_use]
    pub fn next(&self) -> Option<&Arc<Authority>> {
        self.trusted.iter().find(|known| known.fingerprint() != self.shown.fingerprint())
    }
}

/// The authorities of this installation.
#[derive(Debug)]
pub struct Authorities {
    folder: PathBuf,
    set: RwLock<Arc<Set>>,
}

impl Authorities {
    /// Reads them, or makes the first one.
    ///
    /// # Errors
    /// When a file cannot be read or written, or does not hold what it should.
    pub fn load_or_create(folder: &Path, now: UnixMs) -> Result<Self, AppError> {
        let set = RwLock::new(Arc::new(Set::load(folder, now)?));
        Ok(Self { folder: folder.to_owned(), set })
    }

    /// As they are now.
    pub fn now(&self) -> Arc<Set> {
        Arc::clone(&self.set.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads them again where they have changed; says whether they had.
    ///
    /// # Errors
    /// When they cannot be read; then those that were known go on.
    pub fn reload(&self, now: UnixMs) -> Result<bool, AppError> {
        if read(&self.folder)? == self.now().roles {
            return Ok(false);
        }
        let set = Arc::new(Set::load(&self.folder, now)?);
        *self.set.write().unwrap_or_else(PoisonError::into_inner) = set;
        Ok(true)
    }

    /// Makes the next authority. From now on it is trusted, and agents hear of it.
    ///
    /// # Errors
    /// [`AppError::Refused`] when there is one already.
    pub fn rotate(&self, now: UnixMs) -> Result<(), AppError> {
        let mut roles = self.now().roles.clone();
        if roles.trusted.len() >= TRUSTED_MAX {
            return Err(AppError::Refused("a rotation is under way: switch, then retire".to_owned()));
        }
        let name = format!("{FIRST}-{}", now.0);
        Authority::create(&self.folder, &name, now)?;
        roles.trusted.push(name);
        self.store(&roles, now)
    }

    /// Lets the next authority sign for agents.
    ///
    /// # Errors
    /// [`AppError::Refused`] when there is none.
    pub fn switch(&self, now: UnixMs) -> Result<(), AppError> {
        let mut roles = self.now().roles.clone();
        let next = roles.trusted.iter().find(|name| **name != roles.shown).cloned();
        let next =
            next.ok_or_else(|| AppError::Refused("there is no next authority: rotate first".to_owned()))?;
        if roles.issuing == next {
            return Err(AppError::Refused("the next authority signs for agents already".to_owned()));
        }
        roles.issuing = next;
        self.store(&roles, now)
    }

    /// Shows the authority that signs for agents, and trusts the one before it no more. Its key is deleted.
    ///
    /// # Errors
    /// [`AppError::Refused`] when the next one does not sign for agents yet.
    pub fn retire(&self, now: UnixMs) -> Result<(), AppError> {
        let roles = self.now().roles.clone();
        if roles.issuing == roles.shown {
            return Err(AppError::Refused(
                "the next authority does not sign for agents yet: switch first".to_owned(),
            ));
        }
        let next = Roles {
            shown: roles.issuing.clone(),
            issuing: roles.issuing.clone(),
            trusted: vec![roles.issuing],
        };
        self.store(&next, now)?;
        Authority::delete_key(&self.folder, &roles.shown)
    }

    fn store(&self, roles: &Roles, now: UnixMs) -> Result<(), AppError> {
        let text = serde_json::to_vec_pretty(roles).map_err(|e| AppError::Certificate(e.to_string()))?;
        write_whole(&path(&self.folder), &text, 0o644)?;
        self.reload(now).map(drop)
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join(FILE_NAME)
}

fn read(folder: &Path) -> Result<Roles, AppError> {
    let path = path(folder);
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|e| AppError::Certificate(format!("{}: {e}", path.display()))),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Roles::default()),
        Err(e) => Err(file_error(&path, e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_takes_over_from_the_other_in_three_steps() {
        let folder = tempfile::tempdir().unwrap();
        let now = UnixMs(1_790_000_000_000);
        let ours = Authorities::load_or_create(folder.path(), now).unwrap();
        let server = Authorities::load_or_create(folder.path(), now).unwrap();
        let first = ours.now().shown.fingerprint();
        let roles = |of: &Authorities| {
            let set = of.now();
            (set.shown.fingerprint(), set.issuing.fingerprint(), set.fingerprints())
        };
        assert_eq!(roles(&ours), (first, first, vec![first]));
        assert!(ours.switch(now).is_err() && ours.retire(now).is_err());

        ours.rotate(now).unwrap();
        let next = ours.now().next().unwrap().fingerprint();
        assert_eq!(roles(&ours), (first, first, vec![first, next]));
        assert!(ours.rotate(now).is_err() && ours.retire(now).is_err());
        assert_eq!(ours.now().pem().matches("BEGIN CERTIFICATE").count(), 2);

        ours.switch(now).unwrap();
        assert_eq!(roles(&ours), (first, next, vec![first, next]));
        assert!(ours.switch(now).is_err());

        assert!(server.reload(now).unwrap(), "a running server follows");
        assert_eq!(roles(&server), roles(&ours));
        ours.retire(now).unwrap();
        assert_eq!(roles(&ours), (next, next, vec![next]));
        assert!(!folder.path().join("authority.key").exists(), "nobody signs by the old one");
        assert!(server.reload(now).unwrap() && !server.reload(now).unwrap());
        assert_eq!(
            roles(&Authorities::load_or_create(folder.path(), now).unwrap()),
            (next, next, vec![next])
        );
        // And the next time.
        let later = UnixMs(now.0 + 1);
        ours.rotate(later).unwrap();
        assert_eq!(ours.now().trusted.len(), 2);
    }
}
