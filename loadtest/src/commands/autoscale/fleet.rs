//! The replicas as the exercise sees them: each under its quota, in warm-up or serving, with the CPU that it used of its quota.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use tokio::task::JoinHandle;

use crate::commands::common;
use crate::stack::Root;
use crate::stack::cgroup::{Held, Quota};
use crate::stack::cpu::{Meter, Snapshot};
use crate::stack::driver::{Driver, Process, Status};

/// Which replicas serve, and since when.
#[derive(Debug, Default)]
pub struct Roster {
    /// By name: the pid (a new one is a new replica) and for how many points it has been ready; none: it was there at the beginning.
    ready: BTreeMap<String, (Option<i32>, Option<u32>)>,
    warm_up: u32,
}

impl Roster {
    /// Those that are ready now have had their warm-up.
    pub fn new(status: &Status, warm_up: u32) -> Self {
        let ready = status.replicas().into_iter().filter(|it| it.is_ready());
        Self {
            ready: ready.map(|it| (it.name.clone(), (it.pid, None))).collect(),
            warm_up,
        }
    }

    /// Takes a point; answers the names of those that serve.
    pub fn point(&mut self, status: &Status) -> Vec<String> {
        let mut now = BTreeMap::new();
        for replica in status.replicas().into_iter().filter(|it| it.is_ready()) {
            let points = match self.ready.get(&replica.name) {
                Some((pid, points)) if *pid == replica.pid => points.map(|points| points + 1),
                _ => Some(0),
            };
            now.insert(replica.name.clone(), (replica.pid, points));
        }
        self.ready = now;
        let served = |points: &Option<u32>| points.is_none_or(|points| points >= self.warm_up);
        let serving = self.ready.iter().filter(|(_, (_, points))| served(points));
        serving.map(|(name, _)| name.clone()).collect()
    }
}

/// What holds the replicas and changes their number.
pub struct Fleet {
    driver: Driver,
    pub meter: Meter,
    /// None where others decide what a replica may use.
    quota: Option<Quota>,
    /// Cores of a replica.
    pub cores: f64,
    held: BTreeMap<String, (i32, Held)>,
    changing: Option<JoinHandle<Result<()>>>,
    before: Option<Snapshot>,
}

impl Fleet {
    /// One that holds each replica at so many cores, or with none only looks on.
    ///
    /// # Errors
    /// When this machine has no quotas.
    pub fn new(driver: Driver, cores: Option<f64>) -> Result<Self> {
        Ok(Self {
            driver,
            meter: Meter::new(Root::default()),
            quota: cores.map(|_| Quota::open(Root::default())).transpose()?,
            cores: cores.unwrap_or(1.0),
            held: BTreeMap::new(),
            changing: None,
            before: None,
        })
    }

    /// The processes now; who is new is held at the quota.
    ///
    /// # Errors
    /// When the stack's command fails.
    pub async fn look(&mut self) -> Result<Status> {
        let status = self.driver.status().await?;
        self.hold(&status)?;
        Ok(status)
    }

    fn hold(&mut self, status: &Status) -> Result<()> {
        let Some(quota) = &self.quota else { return Ok(()) };
        let running: BTreeMap<&str, i32> = status
            .replicas()
            .into_iter()
            .filter_map(|it| Some((it.name.as_str(), it.pid?)))
            .collect();
        self.held
            .retain(|name, (pid, _)| running.get(name.as_str()) == Some(pid));
        for (name, pid) in running {
            if self.held.contains_key(name) {
                continue;
            }
            match quota.hold(name, pid, self.cores) {
                Ok(held) => {
                    self.held.insert(name.to_owned(), (pid, held));
                }
                // It ended between the two looks; who follows it is held.
                Err(_) if !std::path::Path::new(&format!("/proc/{pid}")).exists() => {}
                Err(error) => return Err(error.context("--quota")),
            }
        }
        Ok(())
    }

    /// CPU of each replica as a share of its quota since this was asked last; as the status says it, where it does.
    pub fn cpu(&mut self, processes: &[Process]) -> BTreeMap<String, f64> {
        let now = self.meter.snapshot(processes, None);
        let usage = self.before.as_ref().map(|before| now.since(before));
        self.before = Some(now);
        let mut shares = BTreeMap::new();
        if let Some(usage) = usage.filter(|usage| usage.seconds > 0.0) {
            for replica in &usage.api {
                let share = usage.cores(replica.seconds) / self.cores;
                shares.insert(replica.name.clone(), share);
            }
        }
        for process in processes.iter().filter(|it| it.replica().is_some()) {
            if let Some(share) = process.cpu {
                shares.insert(process.name.clone(), share);
            }
        }
        shares
    }

    /// Starts or drains replicas, meanwhile.
    pub fn scale(&mut self, count: usize) {
        let driver = self.driver.clone();
        self.changing = Some(tokio::spawn(async move { driver.scale(count).await }));
    }

    /// Burns CPU in a replica; returns when it burns.
    pub fn stress(&self, name: &str, seconds: u64) -> JoinHandle<Result<()>> {
        let (driver, name) = (self.driver.clone(), name.to_owned());
        tokio::spawn(async move { driver.stress(&name, seconds).await })
    }

    /// Whether replicas are being started or drained.
    ///
    /// # Errors
    /// When that failed.
    pub async fn is_changing(&mut self) -> Result<bool> {
        match &self.changing {
            None => Ok(false),
            Some(handle) if !handle.is_finished() => Ok(true),
            Some(_) => {
                self.changed().await?;
                Ok(false)
            }
        }
    }

    /// Waits for the end of what was begun.
    async fn changed(&mut self) -> Result<()> {
        match self.changing.take() {
            Some(handle) => handle.await?,
            None => Ok(()),
        }
    }

    /// Changes the number and waits for it.
    ///
    /// # Errors
    /// When that fails.
    pub async fn scale_now(&mut self, count: usize) -> Result<()> {
        self.changed().await?;
        self.driver.scale(count).await
    }

    /// Takes all quotas away, and goes back to so many replicas. Without quotas nothing was changed.
    ///
    /// # Errors
    /// When the stack's command fails.
    pub async fn restore(mut self, count: usize) -> Result<()> {
        if self.quota.is_none() {
            return Ok(());
        }
        if let Err(error) = self.changed().await {
            common::say(&format!("scaling: {error:#}"));
        }
        self.held.clear();
        if self.driver.status().await?.replicas().len() == count {
            return Ok(());
        }
        common::say(&format!("replicas as before: {count}"));
        if let Err(error) = self.driver.scale(count).await {
            bail!("the stack could not be brought back to {count} replicas: {error:#}");
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    fn status(replicas: &[(&str, &str, i32)]) -> Status {
        let processes = replicas.iter().map(
            |(name, state, pid)| serde_json::json!({"name": name, "state": state, "address": "", "pid": pid}),
        );
        let processes: Vec<serde_json::Value> = processes.collect();
        serde_json::from_value(serde_json::json!({"url": "http://127.0.0.1", "processes": processes}))
            .unwrap()
    }

    #[test]
    fn a_new_replica_serves_after_its_warm_up_and_the_first_one_at_once() {
        let first = ("api-1", "ready", 7);
        let mut roster = Roster::new(&status(&[first]), 2);
        assert_eq!(roster.point(&status(&[first])), ["api-1"]);
        let starting = status(&[first, ("api-2", "starting", 8)]);
        assert_eq!(roster.point(&starting), ["api-1"]);
        let ready = status(&[first, ("api-2", "ready", 8)]);
        assert_eq!(roster.point(&ready), ["api-1"]);
        assert_eq!(roster.point(&ready), ["api-1"]);
        assert_eq!(roster.point(&ready), ["api-1", "api-2"]);
        let draining = status(&[first, ("api-2", "draining", 8)]);
        assert_eq!(roster.point(&draining), ["api-1"]);
    }

    #[test]
    fn one_that_was_started_again_warms_up_again() {
        let mut roster = Roster::new(&status(&[("api-1", "ready", 7)]), 1);
        let again = status(&[("api-1", "ready", 9)]);
        assert!(roster.point(&again).is_empty());
        assert_eq!(roster.point(&again), ["api-1"]);
    }

    #[tokio::test]
    async fn what_the_status_says_of_cpu_is_taken() {
        let driver: Driver = "none".parse().unwrap();
        let mut fleet = Fleet::new(driver, None).unwrap();
        let process: Process = serde_json::from_value(
            serde_json::json!({"name": "api-1", "state": "ready", "address": "", "cpu": 0.42}),
        )
        .unwrap();
        let shares = fleet.cpu(&[process]);
        assert_eq!(shares.get("api-1"), Some(&0.42));
    }
}
