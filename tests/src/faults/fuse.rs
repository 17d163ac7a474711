//! A [`Disk`] as the kernel sees it, by FUSE. Requests are served one after the other, so that all of them stand
//! still when one does. What is in the shared-memory file of `SQLite` is no one's to keep: it is not counted.

use std::ffi::OsStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    AccessFlags, BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use super::disk::{Disk, Facts, Refusal};
use super::gate::{Gate, Pass};
use crate::harness::Seed;

/// Nothing changes behind the kernel's back: it need not ask again.
const TTL: Duration = Duration::from_hours(1);
const BLOCK_BYTES: u64 = 4_096;
/// What `df` is shown at most, in blocks.
const BLOCKS_MAX: u64 = 1 << 24;
/// One change in so many is followed by an early write-back of some page.
const WRITE_BACK_EVERY: u64 = 5;

/// The disk behind a mount.
pub(super) struct Served {
    pub disk: Arc<Mutex<Disk>>,
    pub gate: Arc<Gate>,
    pub chance: Mutex<Seed>,
}

fn errno(refusal: Refusal) -> Errno {
    match refusal {
        Refusal::Absent => Errno::ENOENT,
        Refusal::Exists => Errno::EEXIST,
        Refusal::NotEmpty => Errno::ENOTEMPTY,
        Refusal::Full => Errno::ENOSPC,
    }
}

fn attr(facts: Facts) -> FileAttr {
    FileAttr {
        ino: INodeNo(facts.node),
        size: facts.size,
        blocks: facts.size.div_ceil(512),
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind: if facts.is_folder { FileType::Directory } else { FileType::RegularFile },
        perm: facts.mode & 0o7777,
        nlink: if facts.is_folder { 2 } else { 1 },
        uid: nix::unistd::getuid().as_raw(),
        gid: nix::unistd::getgid().as_raw(),
        rdev: 0,
        blksize: 4_096,
        flags: 0,
    }
}

impl Served {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a change, unless it is the one at which the disk fails or stops.
    fn change<T>(&self, make: impl FnOnce(&mut Disk) -> Result<T, Refusal>) -> Result<T, Errno> {
        self.passed(self.gate.pass(), make)
    }

    fn passed<T>(&self, pass: Pass, make: impl FnOnce(&mut Disk) -> Result<T, Refusal>) -> Result<T, Errno> {
        match pass {
            Pass::Go => {}
            Pass::Fail => return Err(Errno::EIO),
            Pass::Stop { .. } => {
                self.gate.stand();
                return Err(Errno::EIO);
            }
        }
        let made = self.made(make)?;
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        if chance.below(WRITE_BACK_EVERY) == 0 {
            self.disk().write_back_one(&mut chance);
        }
        Ok(made)
    }

    fn made<T>(&self, make: impl FnOnce(&mut Disk) -> Result<T, Refusal>) -> Result<T, Errno> {
        make(&mut self.disk()).map_err(|refusal| {
            if refusal == Refusal::Full {
                self.gate.note_full();
            }
            errno(refusal)
        })
    }

    fn write_counted(&self, node: u64, offset: u64, bytes: &[u8]) -> Result<(), Errno> {
        let pass = self.gate.pass();
        if let Pass::Stop { sectors } = pass {
            let part = bytes.len().min(sectors as usize * 512);
            if part > 0 {
                // What does not fit is not written: the machine dies anyway.
                let _ = self.made(|disk| disk.write(node, offset, &bytes[..part]));
            }
            self.gate.stand();
            return Err(Errno::EIO);
        }
        self.passed(pass, |disk| disk.write(node, offset, bytes))
    }

    fn is_shared_memory(&self, node: u64) -> bool {
        self.disk().name_of(node).is_some_and(|name| name.to_string_lossy().ends_with("-shm"))
    }

    fn entry(&self, node: u64) -> Result<FileAttr, Errno> {
        self.disk().facts(node).map(attr).map_err(errno)
    }
}

fn empty(result: Result<(), Errno>, reply: ReplyEmpty) {
    match result {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

impl Filesystem for Served {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = self.disk().find(parent.0, name).ok_or(Errno::ENOENT);
        match found.and_then(|node| self.entry(node)) {
            Ok(attr) => reply.entry(&TTL, &attr, Generation(0)),
            Err(error) => reply.error(error),
        }
    }

    fn getattr(&self, _: &Request, node: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.entry(node.0) {
            Ok(attr) => reply.attr(&TTL, &attr),
            Err(error) => reply.error(error),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        node: INodeNo,
        mode: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let resized = match size {
            Some(size) if self.is_shared_memory(node.0) => self.made(|disk| disk.resize(node.0, size)),
            Some(size) => self.change(|disk| disk.resize(node.0, size)),
            None => Ok(()),
        };
        let moded = resized.and_then(|()| match mode {
            Some(mode) => self.made(|disk| disk.set_mode(node.0, mode as u16)),
            None => Ok(()),
        });
        match moded.and_then(|()| self.entry(node.0)) {
            Ok(attr) => reply.attr(&TTL, &attr),
            Err(error) => reply.error(error),
        }
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, mode: u32, umask: u32, reply: ReplyEntry) {
        let made = self.change(|disk| disk.make(parent.0, name, (mode & !umask) as u16, true));
        match made.and_then(|node| self.entry(node)) {
            Ok(attr) => reply.entry(&TTL, &attr, Generation(0)),
            Err(error) => reply.error(error),
        }
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        let made = self.change(|disk| disk.make(parent.0, name, (mode & !umask) as u16, false));
        match made.and_then(|node| self.entry(node)) {
            Ok(attr) => {
                reply.created(&TTL, &attr, Generation(0), FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE);
            }
            Err(error) => reply.error(error),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(self.change(|disk| disk.remove(parent.0, name)), reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(self.change(|disk| disk.remove(parent.0, name)), reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        to: INodeNo,
        to_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        if !flags.is_empty() {
            return reply.error(Errno::EINVAL);
        }
        empty(self.change(|disk| disk.rename((parent.0, name), (to.0, to_name))), reply);
    }

    fn read(
        &self,
        _: &Request,
        node: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.disk().read(node.0, offset, size as usize) {
            Ok(bytes) => reply.data(&bytes),
            Err(refusal) => reply.error(errno(refusal)),
        }
    }

    fn write(
        &self,
        _: &Request,
        node: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let written = if self.is_shared_memory(node.0) {
            self.made(|disk| disk.write(node.0, offset, data))
        } else {
            self.write_counted(node.0, offset, data)
        };
        match written {
            Ok(()) => reply.written(data.len() as u32),
            Err(error) => reply.error(error),
        }
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        // What the kernel knows of the file stays true: nobody else changes it.
        reply.opened(FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE);
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, node: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        empty(self.change(|disk| disk.sync(node.0)), reply);
    }

    fn fsyncdir(&self, _: &Request, node: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let synced = self.change(|disk| {
            disk.sync_folder(node.0);
            Ok(())
        });
        empty(synced, reply);
    }

    fn fallocate(
        &self,
        _: &Request,
        node: INodeNo,
        _: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        if mode != 0 {
            return reply.error(Errno::EOPNOTSUPP);
        }
        empty(self.change(|disk| disk.keep(node.0, offset + length)), reply);
    }

    fn readdir(&self, _: &Request, node: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let disk = self.disk();
        let dots = [(OsStr::new("."), node.0, true), (OsStr::new(".."), node.0, true)];
        let names = disk.list(node.0).map(|(name, node)| {
            let is_folder = disk.facts(node).is_ok_and(|facts| facts.is_folder);
            (name, node, is_folder)
        });
        for (at, (name, node, is_folder)) in
            (1_u64..).zip(dots.into_iter().chain(names)).skip(offset as usize)
        {
            let kind = if is_folder { FileType::Directory } else { FileType::RegularFile };
            if reply.add(INodeNo(node), at, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn access(&self, _: &Request, _: INodeNo, _: AccessFlags, reply: ReplyEmpty) {
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let disk = self.disk();
        let blocks = (disk.capacity() / BLOCK_BYTES).min(BLOCKS_MAX);
        let free = blocks.saturating_sub(disk.used() / BLOCK_BYTES);
        reply.statfs(blocks, free, free, BLOCKS_MAX, BLOCKS_MAX, BLOCK_BYTES as u32, 255, BLOCK_BYTES as u32);
    }
}
