//! One quota, for as long as it is kept.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::limit::Limit;
use super::{Counters, Quota, check_name, leftover, make, move_members, put, remove, remove_all};
use crate::stack::proc;

/// A process or container under a quota. Dropping it takes the quota away.
#[derive(Debug)]
pub struct Held {
    quota: Quota,
    /// Where it is limited, then where it is counted if that is elsewhere.
    pub(super) folders: Vec<PathBuf>,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    /// The folders are ours; where the process was before.
    Process { home: Vec<PathBuf> },
    /// The folders are the container's; an empty cgroup in it whose name says which limit it had.
    Container { former: Limit, marker: PathBuf },
}

impl Held {
    pub(super) fn process(quota: &Quota, name: &str, pid: i32, limit: Limit) -> Result<Self> {
        check_name(name)?;
        let folders = |when: &str| {
            let folders = quota.tree.folders(&quota.root, pid);
            folders.with_context(|| format!("process {pid} does not run{when}"))
        };
        if let Some(held) = folders("")?.iter().find(|folder| leftover::is_held(folder)) {
            bail!("it is held already, in {}", held.display());
        }
        let made = quota.create(&folders("")?, name)?;
        // Asked again: with v2 it may have been moved aside just now.
        let home = folders(" any more").inspect_err(|_| remove_all(&made))?;
        let held = Self {
            quota: quota.clone(),
            folders: made,
            kept: Kept::Process { home },
        };
        held.limit(limit)?;
        held.fill(pid)?;
        Ok(held)
    }

    pub(super) fn container(quota: &Quota, folders: Vec<PathBuf>, limit: Limit) -> Result<Self> {
        let folder = folders.first().context("the container's cgroup")?;
        let former = Limit::read(quota.tree.version, folder)?;
        let marker = folder.join(quota.owner.folder(&leftover::was(former)));
        let is_held = |(_, owner): &(PathBuf, leftover::Left)| quota.is_alive(&owner.owner);
        if leftover::folders(folder).iter().any(is_held) {
            bail!("it is held already");
        }
        make(&marker)?;
        let held = Self {
            quota: quota.clone(),
            folders,
            kept: Kept::Container { former, marker },
        };
        held.limit(limit)?;
        Ok(held)
    }

    /// Gives it another number of cores.
    pub fn set(&self, cores: f64) -> Result<()> {
        self.limit(Limit::of(cores)?)
    }

    /// What it has used since its cgroup exists.
    pub fn counters(&self) -> Result<Counters> {
        self.quota
            .tree
            .counters(&self.folders)
            .context("the CPU counters of a cgroup: it is gone")
    }

    fn limit(&self, limit: Limit) -> Result<()> {
        let folder = self.folders.first().context("a cgroup")?;
        limit.write(self.quota.tree.version, folder)
    }

    /// Moves the process and its descendants; twice, for those that are started meanwhile.
    fn fill(&self, pid: i32) -> Result<()> {
        let mut moved = BTreeSet::new();
        for _ in 0..2 {
            for member in proc::family(&self.quota.root.proc, pid) {
                if !moved.insert(member.pid) {
                    continue;
                }
                for folder in &self.folders {
                    if !put(member.pid, folder)? && member.pid == pid {
                        bail!("process {pid} has ended");
                    }
                }
            }
        }
        if !moved.contains(&pid) {
            bail!("process {pid} does not run");
        }
        Ok(())
    }
}

impl Drop for Held {
    /// Best effort: the process or container may have gone. What stays is taken away by the next load test.
    fn drop(&mut self) {
        match &self.kept {
            Kept::Process { home } => {
                for (folder, home) in self.folders.iter().zip(home) {
                    move_members(folder, home).ok();
                    remove(folder);
                    if let Some(parent) = folder.parent() {
                        self.quota.undo(parent);
                    }
                }
            }
            Kept::Container { former, marker } => {
                self.limit(*former).ok();
                remove(marker);
            }
        }
    }
}
