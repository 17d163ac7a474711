//! A disk in memory that knows of each file what the program wrote, and what it made durable.
//!
//! A file's bytes become durable by `fsync` or `fdatasync` of that file, and names by `fsync` of their directory;
//! where names are lenient any `fsync` commits them all, as a journalling file system does. What is not durable may be
//! lost at a cut: all of it, or a part by chance, down to single sectors. Files and folders only: no links, no
//! owners, no times.

mod content;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

use content::Content;

use crate::harness::Seed;

pub(super) const ROOT: u64 = 1;

/// Why something cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `ENOENT`
    Absent,
    /// `EEXIST`
    Exists,
    /// `ENOTEMPTY`
    NotEmpty,
    /// `ENOSPC`
    Full,
}

/// How a disk keeps its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manners {
    /// Whether any `fsync` makes all names durable.
    pub are_names_lenient: bool,
    /// Whether `fsync` does nothing, and says that all is well.
    pub is_lying: bool,
}

/// How much of what was not synced is lost at a cut.
#[derive(Debug)]
pub enum Cut<'a> {
    /// Nothing: the process died, the machine did not.
    Nothing,
    /// Everything.
    All,
    /// A part, by chance.
    Some(&'a mut Seed),
}

/// What cuts did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Pages of which something was lost.
    pub pages: u64,
    /// Pages that are partly old and partly new.
    pub torn: u64,
    /// Changes of names that were lost.
    pub names: u64,
}

#[derive(Clone, Debug, Default)]
struct File {
    mode: u16,
    live: Content,
    durable: Content,
    dirty: BTreeSet<u64>,
    is_resized: bool,
    /// The shortest that it was since it was last synced, where it was made shorter.
    shrunk_to: Option<u64>,
}

#[derive(Clone, Debug)]
enum Node {
    Folder { mode: u16 },
    File(Box<File>),
}

type Place = (u64, OsString);

/// One change of names, whole or not at all.
#[derive(Clone, Debug)]
struct Renaming(Vec<(Place, Option<u64>)>);

impl Renaming {
    fn apply(&self, names: &mut BTreeMap<Place, u64>) {
        for (place, node) in &self.0 {
            match node {
                Some(node) => _ = names.insert(place.clone(), *node),
                None => _ = names.remove(place),
            }
        }
    }

    fn touches(&self, folder: u64) -> bool {
        self.0.iter().any(|((parent, _), _)| *parent == folder)
    }
}

/// What is known of a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its number.
    pub node: u64,
    /// Its length.
    pub size: u64,
    /// Its permissions.
    pub mode: u16,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// The disk. A clone is an image of it.
#[derive(Clone, Debug)]
pub struct Disk {
    nodes: BTreeMap<u64, Node>,
    names: BTreeMap<Place, u64>,
    durable_names: BTreeMap<Place, u64>,
    pending: Vec<Renaming>,
    next_node: u64,
    capacity_bytes: u64,
    manners: Manners,
}

impl Disk {
    /// An empty disk.
    #[must_use]
    pub fn new(manners: Manners) -> Self {
        Self {
            nodes: BTreeMap::from([(ROOT, Node::Folder { mode: 0o755 })]),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            pending: Vec::new(),
            next_node: ROOT + 1,
            capacity_bytes: u64::MAX / 2,
            manners,
        }
    }

    /// Changes how it keeps its word.
    pub const fn behave(&mut self, manners: Manners) {
        self.manners = manners;
    }

    /// Sets how much fits, in bytes.
    pub const fn set_capacity(&mut self, bytes: u64) {
        self.capacity_bytes = bytes;
    }

    /// How much fits, in bytes.
    #[must_use]
    pub const fn capacity(&self) -> u64 {
        self.capacity_bytes
    }

    /// Bytes that the files take.
    #[must_use]
    pub fn used(&self) -> u64 {
        let linked: BTreeSet<u64> = self.names.values().copied().collect();
        let files = self.nodes.iter().filter(|(number, _)| linked.contains(number));
        files
            .map(|(_, node)| match node {
                Node::File(file) => file.live.bytes_used(),
                Node::Folder { .. } => 0,
            })
            .sum()
    }

    /// Finds a name.
    #[must_use]
    pub fn find(&self, folder: u64, name: &OsStr) -> Option<u64> {
        self.names.get(&(folder, name.to_owned())).copied()
    }

    /// The name of a node, while it has one.
    #[must_use]
    pub fn name_of(&self, node: u64) -> Option<&OsStr> {
        self.names.iter().find(|(_, found)| **found == node).map(|((_, name), _)| name.as_os_str())
    }

    /// The names in a folder.
    pub fn list(&self, folder: u64) -> impl Iterator<Item = (&OsStr, u64)> {
        let places = self.names.iter().filter(move |((parent, _), _)| *parent == folder);
        places.map(|((_, name), node)| (name.as_os_str(), *node))
    }

    /// What is known of a node.
    ///
    /// # Errors
    /// When there is none.
    pub fn facts(&self, node: u64) -> Result<Facts, Refusal> {
        Ok(match self.nodes.get(&node).ok_or(Refusal::Absent)? {
            Node::Folder { mode } => Facts { node, size: 0, mode: *mode, is_folder: true },
            Node::File(file) => Facts { node, size: file.live.size, mode: file.mode, is_folder: false },
        })
    }

    /// Makes a file or a folder.
    ///
    /// # Errors
    /// When the name is taken, or there is no room.
    pub fn make(&mut self, folder: u64, name: &OsStr, mode: u16, is_folder: bool) -> Result<u64, Refusal> {
        if self.find(folder, name).is_some() {
            return Err(Refusal::Exists);
        }
        let node = self.next_node;
        self.next_node += 1;
        let fresh = if is_folder {
            Node::Folder { mode }
        } else {
            Node::File(Box::new(File { mode, ..File::default() }))
        };
        self.nodes.insert(node, fresh);
        self.rename_all(vec![((folder, name.to_owned()), Some(node))]);
        Ok(node)
    }

    /// Makes a file or a folder in the root, which is empty.
    pub fn make_root(&mut self, name: &str, is_folder: bool) -> u64 {
        self.make(ROOT, OsStr::new(name), 0o700, is_folder).unwrap_or(ROOT)
    }

    /// Removes a name.
    ///
    /// # Errors
    /// When there is none, or its folder is not empty.
    pub fn remove(&mut self, folder: u64, name: &OsStr) -> Result<(), Refusal> {
        let node = self.find(folder, name).ok_or(Refusal::Absent)?;
        if self.list(node).next().is_some() {
            return Err(Refusal::NotEmpty);
        }
        self.rename_all(vec![((folder, name.to_owned()), None)]);
        Ok(())
    }

    /// Renames; what had the new name goes.
    ///
    /// # Errors
    /// When there is no such name.
    pub fn rename(&mut self, from: (u64, &OsStr), to: (u64, &OsStr)) -> Result<(), Refusal> {
        let node = self.find(from.0, from.1).ok_or(Refusal::Absent)?;
        let (from, to) = ((from.0, from.1.to_owned()), (to.0, to.1.to_owned()));
        self.rename_all(vec![(from, None), (to, Some(node))]);
        Ok(())
    }

    fn rename_all(&mut self, changes: Vec<(Place, Option<u64>)>) {
        let renaming = Renaming(changes);
        renaming.apply(&mut self.names);
        self.pending.push(renaming);
    }

    /// Sets permissions.
    ///
    /// # Errors
    /// When there is no such node.
    pub fn set_mode(&mut self, node: u64, mode: u16) -> Result<(), Refusal> {
        match self.nodes.get_mut(&node).ok_or(Refusal::Absent)? {
            Node::Folder { mode: old } => *old = mode,
            Node::File(file) => file.mode = mode,
        }
        Ok(())
    }

    fn file(&self, node: u64) -> Result<&File, Refusal> {
        match self.nodes.get(&node) {
            Some(Node::File(file)) => Ok(file),
            _ => Err(Refusal::Absent),
        }
    }

    fn file_mut(&mut self, node: u64) -> Result<&mut File, Refusal> {
        match self.nodes.get_mut(&node) {
            Some(Node::File(file)) => Ok(file),
            _ => Err(Refusal::Absent),
        }
    }

    /// Reads.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn read(&self, node: u64, offset: u64, length: usize) -> Result<Vec<u8>, Refusal> {
        Ok(self.file(node)?.live.read(offset, length))
    }

    /// All bytes of a file, by its path.
    #[must_use]
    pub fn bytes_of(&self, path: &[&str]) -> Option<Vec<u8>> {
        let node = path.iter().try_fold(ROOT, |folder, name| self.find(folder, OsStr::new(name)))?;
        let file = self.file(node).ok()?;
        Some(file.live.read(0, file.live.size as usize))
    }

    fn check_room(&self, growth: u64) -> Result<(), Refusal> {
        if growth > 0 && self.used() + growth > self.capacity_bytes { Err(Refusal::Full) } else { Ok(()) }
    }

    /// Writes.
    ///
    /// # Errors
    /// When there is no such file, or no room: then nothing is written.
    pub fn write(&mut self, node: u64, offset: u64, bytes: &[u8]) -> Result<(), Refusal> {
        self.check_room(self.file(node)?.live.growth(offset, bytes.len() as u64))?;
        let file = self.file_mut(node)?;
        let before = file.live.size;
        let touched = file.live.write(offset, bytes);
        file.is_resized |= file.live.size != before;
        file.dirty.extend(touched);
        Ok(())
    }

    /// Sets a file's length.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn resize(&mut self, node: u64, size: u64) -> Result<(), Refusal> {
        let file = self.file_mut(node)?;
        if size < file.live.size {
            file.shrunk_to = Some(file.shrunk_to.map_or(size, |least| least.min(size)));
            drop(file.dirty.split_off(&size.div_ceil(content::PAGE_BYTES)));
        }
        file.live.resize(size);
        file.is_resized = true;
        Ok(())
    }

    /// Keeps room for a file's first bytes.
    ///
    /// # Errors
    /// When there is no such file, or no room.
    pub fn keep(&mut self, node: u64, bytes: u64) -> Result<(), Refusal> {
        let file = self.file(node)?;
        let growth = (bytes.div_ceil(content::PAGE_BYTES) * content::PAGE_BYTES)
            .saturating_sub(file.live.bytes_used());
        self.check_room(growth)?;
        let file = self.file_mut(node)?;
        file.live.kept_pages = file.live.kept_pages.max(bytes.div_ceil(content::PAGE_BYTES));
        file.live.size = file.live.size.max(bytes);
        file.is_resized = true;
        Ok(())
    }

    /// Makes a file's bytes durable.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn sync(&mut self, node: u64) -> Result<(), Refusal> {
        if self.manners.is_lying {
            return Ok(());
        }
        let file = self.file_mut(node)?;
        if let Some(size) = file.shrunk_to.take() {
            file.durable.resize(size);
        }
        for page in std::mem::take(&mut file.dirty) {
            file.durable.take_page(page, &file.live);
        }
        (file.durable.size, file.durable.kept_pages) = (file.live.size, file.live.kept_pages);
        file.is_resized = false;
        if self.manners.are_names_lenient {
            self.commit_names(|_| true);
        }
        Ok(())
    }

    /// Makes a folder's names durable.
    pub fn sync_folder(&mut self, folder: u64) {
        if !self.manners.is_lying {
            let all = self.manners.are_names_lenient;
            self.commit_names(|renaming| all || renaming.touches(folder));
        }
    }

    fn commit_names(&mut self, which: impl Fn(&Renaming) -> bool) {
        let (durable, rest) = std::mem::take(&mut self.pending).into_iter().partition(which);
        self.pending = rest;
        for renaming in durable {
            Renaming::apply(&renaming, &mut self.durable_names);
        }
    }

    /// Writes one page back early, as a kernel does when it likes.
    pub fn write_back_one(&mut self, chance: &mut Seed) {
        let dirty: Vec<(u64, u64)> = self
            .nodes
            .iter()
            .filter_map(|(number, node)| match node {
                // After a truncation nothing is written before that is.
                Node::File(file) if file.shrunk_to.is_none() => {
                    Some(file.dirty.iter().map(|page| (*number, *page)))
                }
                _ => None,
            })
            .flatten()
            .collect();
        if dirty.is_empty() || self.manners.is_lying {
            return;
        }
        let (node, page) = dirty[chance.below(dirty.len() as u64) as usize];
        if let Ok(file) = self.file_mut(node) {
            file.durable.take_page(page, &file.live);
        }
    }

    /// What is found at the next start, and what was lost.
    #[must_use]
    pub fn cut(&self, cut: Cut<'_>) -> (Self, Damage) {
        let mut damage = Damage::default();
        let mut found = self.clone();
        let mut chance = match cut {
            Cut::Nothing => {
                found.forget_unlinked();
                return (found, damage);
            }
            Cut::All => None,
            Cut::Some(seed) => Some(seed),
        };
        // Names come back in their order: a beginning of what was under way may have been written.
        let kept = match &mut chance {
            Some(seed) if self.manners.are_names_lenient => {
                seed.below(self.pending.len() as u64 + 1) as usize
            }
            _ => 0,
        };
        damage.names = (self.pending.len() - kept) as u64;
        for renaming in &self.pending[..kept] {
            renaming.apply(&mut found.durable_names);
        }
        found.names = found.durable_names.clone();
        found.pending.clear();
        found.forget_unlinked();
        for node in found.nodes.values_mut() {
            let Node::File(file) = node else { continue };
            if file.dirty.is_empty() && !file.is_resized {
                continue;
            }
            let (content, losses) =
                file.durable.after_cut(&file.live, &file.dirty, file.shrunk_to, chance.as_deref_mut());
            damage.pages += losses.dropped;
            damage.torn += losses.torn;
            **file = File { mode: file.mode, live: content.clone(), durable: content, ..File::default() };
        }
        (found, damage)
    }

    /// The same files as other nodes: a copy.
    #[must_use]
    pub fn copy(&self) -> Self {
        let mut copy = self.clone();
        let shift = self.next_node - ROOT;
        let moved = |node: u64| if node == ROOT { ROOT } else { node + shift };
        let again = |names: &BTreeMap<Place, u64>| {
            let places =
                names.iter().map(|((folder, name), node)| ((moved(*folder), name.clone()), moved(*node)));
            places.collect()
        };
        copy.nodes = self.nodes.iter().map(|(number, node)| (moved(*number), node.clone())).collect();
        copy.names = again(&self.names);
        copy.durable_names = again(&self.names);
        copy.pending.clear();
        copy.next_node = self.next_node + shift;
        copy
    }

    /// Makes everything durable, as a machine does that is shut down in order.
    pub fn sync_all(&mut self) {
        let manners =
            std::mem::replace(&mut self.manners, Manners { are_names_lenient: true, is_lying: false });
        let files: Vec<u64> = self.nodes.keys().copied().collect();
        for node in files {
            // A folder has no bytes of its own.
            let _ = self.sync(node);
        }
        self.manners = manners;
        self.forget_unlinked();
    }

    fn forget_unlinked(&mut self) {
        let mut linked: BTreeSet<u64> =
            self.names.values().chain(self.durable_names.values()).copied().collect();
        linked.insert(ROOT);
        self.nodes.retain(|number, _| linked.contains(number));
    }
}

#[cfg(test)]
mod tests;
