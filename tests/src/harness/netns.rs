//! Network namespaces with real links between them. Needs root.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use nix::sched::{CloneFlags, setns};

use super::run;

/// Whether namespaces can be made.
#[must_use]
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Runs `ip` with arguments, separated by spaces.
///
/// # Errors
/// When it fails, with what it said.
pub(super) fn ip(arguments: &str) -> Result<String> {
    let args: Vec<_> = arguments.split_whitespace().map(OsStr::new).collect();
    run(Path::new("ip"), &args, "")?.ok().with_context(|| format!("ip {arguments}"))
}

/// A network namespace; removed, with its links, when dropped.
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes it, with its loopback up.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(name: &str) -> Result<Self> {
        ip(&format!("netns add {name}"))?;
        let namespace = Self { name: name.to_owned() };
        namespace.ip("link set lo up")?;
        Ok(namespace)
    }

    /// Its name for `ip netns`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs `ip` inside.
    ///
    /// # Errors
    /// When it fails.
    pub fn ip(&self, arguments: &str) -> Result<String> {
        ip(&format!("-n {} {arguments}", self.name))
    }

    /// Lets it forward packets between its links.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn forward(&self) -> Result<()> {
        self.set("net/ipv4/ip_forward", "1")
    }

    /// Sets what stands below `/proc/sys` there.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn set(&self, name: &str, value: &str) -> Result<()> {
        let script = format!("echo '{value}' > /proc/sys/{name}");
        let args = ["netns", "exec", &self.name, "sh", "-c", &script].map(OsStr::new);
        run(Path::new("ip"), &args, "")?.ok().with_context(|| name.to_owned())?;
        Ok(())
    }

    /// A thread whose sockets, and those of its threads, are inside.
    ///
    /// # Errors
    /// When there is none to be had.
    pub fn spawn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<JoinHandle<Result<T>>> {
        let path = format!("/run/netns/{}", self.name);
        let inside = move || {
            setns(File::open(path)?, CloneFlags::CLONE_NEWNET)?;
            work()
        };
        Ok(std::thread::Builder::new().spawn(inside)?)
    }

    /// Links `name` here (address `own`) with `other_name` in `other` (address `others`), both with their
    /// prefix length, and sets both up.
    ///
    /// # Errors
    /// When a command fails.
    pub fn link(&self, name: &str, own: &str, other: &Self, other_name: &str, others: &str) -> Result<()> {
        let (here, there) = (&self.name, &other.name);
        ip(&format!("link add {name} netns {here} type veth peer name {other_name} netns {there}"))?;
        self.set_up(name, own)?;
        other.set_up(other_name, others)
    }

    /// Links `name` here with `host_name` outside of all namespaces.
    ///
    /// # Errors
    /// When a command fails.
    pub fn link_host(&self, name: &str, own: &str, host_name: &str, hosts: &str) -> Result<()> {
        ip(&format!("link add {host_name} type veth peer name {name} netns {}", self.name))?;
        self.set_up(name, own)?;
        ip(&format!("addr add {hosts} dev {host_name}"))?;
        ip(&format!("link set {host_name} up"))?;
        Ok(())
    }

    fn set_up(&self, link: &str, address: &str) -> Result<()> {
        self.ip(&format!("addr add {address} dev {link}"))?;
        self.ip(&format!("link set {link} up"))?;
        Ok(())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Its links go with it.
        let _ = ip(&format!("netns del {}", self.name));
    }
}

/// Removes namespaces that a killed process has left: those whose names are `prefix`, its process id, `-`
/// and more, where no such process exists any more.
///
/// # Errors
/// When `ip` cannot be run.
pub fn remove_leftovers(prefix: &str) -> Result<()> {
    let list = ip("netns list")?;
    for name in list.lines().filter_map(|line| line.split_whitespace().next()) {
        let pid = name.strip_prefix(prefix).and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            // Someone else may be removing it too.
            let _ = ip(&format!("netns del {name}"));
        }
    }
    Ok(())
}
