//! CPU quotas: a process, or a container, that may use only so many cores, and what it used of them.
//!
//! A process is moved, with all that descend from it, into a folder of its own under the `cpu` controller; what it starts
//! later is born there. A container has a cgroup already: its quota is changed and later set back. cgroup v1 and v2.
//!
//! Invariants: dropping a [`Held`] takes the quota away. All that is made is named after this process (pid and start
//! time), so that whoever comes after a killed one finds what it left, and touches nothing of one that lives.

mod held;
mod leftover;
mod limit;
mod tree;

#[cfg(test)]
mod tests;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::Root;
use super::proc::Stat;
pub use held::Held;
use leftover::Owner;
use limit::Limit;
use tree::{Tree, Version};

/// Sets quotas.
#[derive(Debug, Clone)]
pub struct Quota {
    root: Root,
    tree: Tree,
    owner: Owner,
}

/// What a cgroup has used and how often it had to wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Counters {
    /// CPU seconds.
    pub seconds: f64,
    /// Periods in which it wanted to run.
    pub periods: u64,
    /// Those of them in which its quota was used up.
    pub throttled: u64,
}

impl Counters {
    /// What came since an earlier moment.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            seconds: (self.seconds - earlier.seconds).max(0.0),
            periods: self.periods.saturating_sub(earlier.periods),
            throttled: self.throttled.saturating_sub(earlier.throttled),
        }
    }
}

impl Quota {
    /// Finds the `cpu` controller, and takes away what killed load tests left at the usual places.
    ///
    /// # Errors
    /// When this machine shows no cgroups.
    pub fn open(root: Root) -> Result<Self> {
        let tree = Tree::find(&root)?;
        let own = i32::try_from(std::process::id()).context("this process's pid")?;
        let stat = Stat::read(&root.proc, own).context("this process in /proc")?;
        let quota = Self {
            owner: Owner {
                pid: own,
                started: stat.started,
            },
            root,
            tree,
        };
        for parent in quota.parents() {
            quota.clear(&parent);
        }
        Ok(quota)
    }

    /// Takes away what killed load tests left on these processes and containers.
    pub fn sweep(&self, pids: &[i32]) {
        for pid in pids {
            for home in self.homes(*pid) {
                self.clear(&home);
            }
        }
    }

    /// Gives a process with its descendants, or the container that it is the main process of, this many cores.
    ///
    /// # Errors
    /// When that needs a right which this process has not (the error says which), the process is gone, or it is held already.
    pub fn hold(&self, name: &str, pid: i32, cores: f64) -> Result<Held> {
        let limit = Limit::of(cores).with_context(|| name.to_owned())?;
        self.sweep(&[pid]);
        let held = match self.tree.container(&self.root, pid) {
            Some(folders) => Held::container(self, folders, limit),
            None => Held::process(self, name, pid, limit),
        };
        held.with_context(|| format!("limiting {name} to {cores} cores"))
    }

    /// What a process's cgroup used, if that is its own: its container's, or one that a [`Held`] made. None where the kernel
    /// counts it together with others.
    pub fn counters(&self, pid: i32) -> Option<Counters> {
        let folders = match self.tree.container(&self.root, pid) {
            Some(folders) => folders,
            None => self
                .tree
                .folders(&self.root, pid)
                .filter(|folders| folders.iter().all(|folder| leftover::is_held(folder)))?,
        };
        self.tree.counters(&folders)
    }

    /// Where a process is when nobody holds it.
    fn homes(&self, pid: i32) -> Vec<PathBuf> {
        let folders = self
            .tree
            .container(&self.root, pid)
            .or_else(|| self.tree.folders(&self.root, pid));
        let folders = folders.unwrap_or_default();
        folders.iter().map(|folder| leftover::outside(folder)).collect()
    }

    /// Where folders may be made with v2: at the top, or in a cgroup that was delegated to us.
    fn parents(&self) -> Vec<PathBuf> {
        let mut parents = self.tree.top();
        for own in self.homes(self.owner.pid) {
            if !parents.contains(&own) {
                parents.push(own);
            }
        }
        parents
    }

    /// Makes a folder in which `cpu` limits.
    fn create(&self, home: &[PathBuf], name: &str) -> Result<Vec<PathBuf>> {
        let name = self.owner.folder(name);
        if self.tree.version == Version::One {
            let folders: Vec<PathBuf> = home.iter().map(|home| home.join(&name)).collect();
            for (made, folder) in folders.iter().enumerate() {
                if let Err(error) = make(folder) {
                    remove_all(folders.get(..made).unwrap_or_default());
                    return Err(error);
                }
            }
            return Ok(folders);
        }
        let mut first = None;
        for parent in self.parents() {
            let folder = parent.join(&name);
            match make(&folder).and_then(|()| self.enable(&parent)) {
                Ok(()) => return Ok(vec![folder]),
                Err(error) => {
                    fs::remove_dir(&folder).ok();
                    first.get_or_insert(error);
                }
            }
        }
        Err(first.unwrap_or_else(|| anyhow::anyhow!("no cgroup to make one in")))
    }

    /// With v2, a cgroup that limits its children has no processes itself, unless it is the kernel's own first one.
    fn enable(&self, parent: &Path) -> Result<()> {
        let control = parent.join("cgroup.subtree_control");
        let enabled = fs::read_to_string(&control).unwrap_or_default();
        if enabled.split_whitespace().any(|one| one == "cpu") {
            return Ok(());
        }
        if tree::is_inner(parent) {
            let rest = parent.join(self.owner.folder(leftover::REST));
            if !rest.is_dir() {
                make(&rest)?;
            }
            move_members(parent, &rest)?;
        }
        write(&control, "+cpu").inspect_err(|_| self.undo(parent))
    }

    /// The processes that were moved aside go back when nothing of ours is left to be limited.
    fn undo(&self, parent: &Path) {
        let rest = parent.join(self.owner.folder(leftover::REST));
        let others = leftover::folders(parent)
            .into_iter()
            .any(|(folder, _)| folder != rest);
        if rest.is_dir() && !others {
            // Best effort: what stays is taken away by the next load test.
            write(&parent.join("cgroup.subtree_control"), "-cpu").ok();
            move_members(&rest, parent).ok();
            remove(&rest);
        }
    }
}

fn make(folder: &Path) -> Result<()> {
    match fs::create_dir(folder) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!("it is held already"),
        Err(error) => Err(told(error, folder)),
    }
}

fn remove(folder: &Path) {
    // A process that has just ended or been moved may still be counted there for a moment.
    for _ in 0..20 {
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            _ => return,
        }
    }
}

fn remove_all(folders: &[PathBuf]) {
    for folder in folders {
        remove(folder);
    }
}

fn write(file: &Path, value: &str) -> Result<()> {
    fs::write(file, value).map_err(|error| told(error, file))
}

/// Moves one process with all its threads. False when it has ended.
fn put(pid: i32, folder: &Path) -> Result<bool> {
    const ESRCH: i32 = 3;
    let file = folder.join("cgroup.procs");
    let written = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(&file)
        .and_then(|mut open| std::io::Write::write_all(&mut open, format!("{pid}\n").as_bytes()));
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == Some(ESRCH) => Ok(false),
        Err(error) => Err(told(error, &file)),
    }
}

/// Moves all processes of a cgroup, also those that are started meanwhile.
fn move_members(from: &Path, to: &Path) -> Result<()> {
    for _ in 0..5 {
        let members = fs::read_to_string(from.join("cgroup.procs")).unwrap_or_default();
        let members: Vec<i32> = members.lines().filter_map(|line| line.parse().ok()).collect();
        if members.is_empty() {
            break;
        }
        for pid in members {
            put(pid, to)?;
        }
    }
    Ok(())
}

/// What is missing, when it is a right.
fn told(error: std::io::Error, file: &Path) -> anyhow::Error {
    let needs = matches!(
        error.kind(),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
    );
    let error = anyhow::Error::new(error).context(file.display().to_string());
    if needs {
        error.context(
            "a CPU quota needs root, or a delegated cgroup v2 in which both the stack and the load test were started: \
             systemd-run --user --scope -p Delegate=yes bash",
        )
    } else {
        error
    }
}

/// That a name can be part of a folder's.
fn check_name(name: &str) -> Result<()> {
    let fits = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
    ensure!(
        !name.is_empty() && name.len() <= 64 && name.chars().all(fits),
        "{name:?} cannot name a cgroup"
    );
    Ok(())
}
