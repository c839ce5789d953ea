//! The replicas' CPU quotas. Two cores cannot show six machines: what stands for a machine is a replica that may use a part of a core.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::stack::Root;
use crate::stack::cgroup::{Held, Quota};
use crate::stack::driver::Process;

/// All replicas under one quota. Dropping it takes the quotas away.
pub struct Caps {
    quota: Quota,
    cores: f64,
    held: BTreeMap<i32, Held>,
}

impl Caps {
    /// # Errors
    /// When this machine shows no cgroups.
    pub fn open(cores: f64) -> Result<Self> {
        let quota = Quota::open(Root::default()).context("capping the replicas (--uncapped does without)")?;
        Ok(Self {
            quota,
            cores,
            held: BTreeMap::new(),
        })
    }

    /// Cores of each replica.
    pub fn cores(&self) -> f64 {
        self.cores
    }

    /// Holds these replicas, and lets go of those that are not among them. Answers how many are new.
    ///
    /// # Errors
    /// When a quota cannot be set.
    pub fn hold(&mut self, replicas: &[Process]) -> Result<usize> {
        let pid = |replica: &Process| {
            replica.pid.with_context(|| {
                let name = &replica.name;
                format!("{name} is on another machine, where it cannot be capped from here: --uncapped")
            })
        };
        let pids: Vec<i32> = replicas.iter().map(pid).collect::<Result<_>>()?;
        self.held.retain(|held, _| pids.contains(held));
        let mut new = 0;
        for (replica, pid) in replicas.iter().zip(pids) {
            if !self.held.contains_key(&pid) {
                let held = self.quota.hold(&replica.name, pid, self.cores);
                self.held.insert(
                    pid,
                    held.context("capping the replicas (--uncapped does without)")?,
                );
                new += 1;
            }
        }
        Ok(new)
    }

    /// Gives each replica so many cores.
    ///
    /// # Errors
    /// When a quota cannot be set.
    pub fn set(&mut self, cores: f64) -> Result<()> {
        self.cores = cores;
        self.held.values().try_for_each(|held| held.set(cores))
    }

    /// So many for the moment; [`Caps::set`] ends it.
    ///
    /// # Errors
    /// When a quota cannot be set.
    pub fn lift(&self, cores: f64) -> Result<()> {
        self.held.values().try_for_each(|held| held.set(cores))
    }
}
