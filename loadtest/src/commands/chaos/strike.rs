//! Faults at their times, while the load runs, and the watch on the stack until all of it is ready again.
//!
//! Invariant: what was frozen is resumed, also when the load ends early or the user gives up.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::fault::{Blow, Fault};
use crate::commands::common;
use crate::stack::driver::{Driver, Status};

/// After its end a fault has so long until all is ready again.
pub const HEALTHY_WITHIN: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(200);
const RESUME_TRIES: u32 = 3;

/// Where the load stands, for whoever waits for a moment of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    WarmingUp,
    MeasuredFrom(Instant),
    Over,
}

/// A fault that came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Struck {
    pub fault: Fault,
    /// Seconds since measuring began: when the command was given.
    pub at: f64,
    /// Seconds from the fault's end (of a freeze: its resumption) until the stack said that all is ready, with another process
    /// in the place of a killed one. None: not within 30 s.
    pub healthy: Option<f64>,
    /// Whether all was ready when it came, so that what follows is of this fault alone.
    pub is_alone: bool,
    /// Why it could not be carried out.
    pub trouble: Option<String>,
}

/// Carries faults out.
pub struct Striker {
    driver: Driver,
    latest: RefCell<Status>,
    /// Faults that came and are not over.
    open: Cell<usize>,
    frozen: RefCell<BTreeSet<String>>,
}

impl Striker {
    /// `status` is the stack with all ready.
    pub fn new(driver: Driver, status: Status) -> Self {
        Self {
            driver,
            latest: RefCell::new(status),
            open: Cell::new(0),
            frozen: RefCell::default(),
        }
    }

    /// All faults, each at its time; those that the load did not come to are left out.
    pub async fn strike_all(self: &Rc<Self>, faults: &[Fault], load: &watch::Receiver<Load>) -> Vec<Struck> {
        let work: Vec<_> = faults
            .iter()
            .map(|fault| {
                let (own, fault, load) = (Rc::clone(self), fault.clone(), load.clone());
                tokio::task::spawn_local(async move { own.strike_in_time(fault, load).await })
            })
            .collect();
        let mut struck = Vec::new();
        for task in work {
            struck.extend(task.await.ok().flatten());
        }
        struck
    }

    async fn strike_in_time(&self, fault: Fault, mut load: watch::Receiver<Load>) -> Option<Struck> {
        let state = *load.wait_for(|load| *load != Load::WarmingUp).await.ok()?;
        let Load::MeasuredFrom(from) = state else {
            return None;
        };
        let moment = from + Duration::try_from_secs_f64(fault.at).ok()?;
        tokio::select! {
            () = tokio::time::sleep_until(moment.into()) => {}
            _ = load.wait_for(|load| *load == Load::Over) => return None,
        }
        Some(self.strike(fault, from).await)
    }

    async fn strike(&self, fault: Fault, from: Instant) -> Struck {
        let is_alone = self.open.replace(self.open.get() + 1) == 0;
        let before = self.latest.borrow().clone();
        let at = from.elapsed().as_secs_f64();
        common::say(&format!("{at:.1} s: {fault}"));
        let done = match fault.blow {
            Blow::Kill => self.driver.kill(&fault.name).await,
            Blow::Freeze(seconds) => self.freeze(&fault.name, seconds, at, from).await,
        };
        let over = match fault.blow {
            Blow::Kill => from + Duration::try_from_secs_f64(at).unwrap_or_default(),
            Blow::Freeze(_) => Instant::now(),
        };
        let healthy = match &done {
            Ok(()) => self.until_ready(&fault, &before, over).await,
            Err(_) => None,
        };
        self.open.set(self.open.get() - 1);
        match healthy {
            Some(healthy) => common::say(&format!("{fault}: all ready again {healthy:.1} s after it")),
            None => common::say(&format!("{fault}: NOT all ready again")),
        }
        Struck {
            fault,
            at,
            healthy,
            is_alone,
            trouble: done.err().map(|error| format!("{error:#}")),
        }
    }

    async fn freeze(&self, name: &str, seconds: f64, at: f64, from: Instant) -> anyhow::Result<()> {
        self.frozen.borrow_mut().insert(name.to_owned());
        let paused = self.driver.pause(name).await;
        if paused.is_ok() {
            let until = from + Duration::try_from_secs_f64(at + seconds).unwrap_or_default();
            tokio::time::sleep_until(until.into()).await;
        }
        let resumed = self.resume(name).await;
        common::say(&format!("{:.1} s: {name} resumed", from.elapsed().as_secs_f64()));
        paused.and(resumed)
    }

    async fn resume(&self, name: &str) -> anyhow::Result<()> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.driver.resume(name).await {
                Err(_) if tries < RESUME_TRIES => tokio::time::sleep(LOOK_AGAIN).await,
                outcome => {
                    self.frozen.borrow_mut().remove(name);
                    return outcome;
                }
            }
        }
    }

    /// Resumes what is frozen at the moment: when the user gives up.
    pub async fn release(&self) {
        let frozen: Vec<String> = self.frozen.borrow().iter().cloned().collect();
        for name in frozen {
            match self.resume(&name).await {
                Ok(()) => common::say(&format!("{name} resumed")),
                Err(error) => common::say(&format!("{name} is still frozen: {error:#}")),
            }
        }
    }

    /// Seconds from the fault's end until all are ready; none after 30 s.
    async fn until_ready(&self, fault: &Fault, before: &Status, over: Instant) -> Option<f64> {
        loop {
            if let Ok(status) = self.driver.status().await {
                let took = over.elapsed();
                let is_back = is_back(fault, before, &status);
                *self.latest.borrow_mut() = status;
                if is_back {
                    return Some(took.as_secs_f64());
                }
            }
            if over.elapsed() >= HEALTHY_WITHIN {
                return None;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

/// As many as before are there and ready, and none is the process that was killed: right after its death nobody may have noticed.
fn is_back(fault: &Fault, before: &Status, now: &Status) -> bool {
    let pid = |status: &Status| status.find(&fault.name).and_then(|it| it.pid);
    let is_another = fault.blow != Blow::Kill || pid(before).is_none() || pid(before) != pid(now);
    let all_ready = now.processes.iter().all(crate::stack::driver::Process::is_ready);
    is_another && all_ready && now.processes.len() >= before.processes.len()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    fn status(processes: &[(&str, &str, i32)]) -> Status {
        let processes: Vec<_> = processes
            .iter()
            .map(|(name, state, pid)| serde_json::json!({"name": name, "state": state, "pid": pid, "address": "a"}))
            .collect();
        serde_json::from_value(serde_json::json!({"url": "u", "processes": processes})).unwrap()
    }

    #[test]
    fn a_killed_process_is_back_when_another_is_ready_in_its_place() {
        let fault: Fault = "kill:api-1@10".parse().unwrap();
        let before = status(&[("api-1", "ready", 1), ("api-2", "ready", 2)]);
        let back = |now: &[(&str, &str, i32)]| is_back(&fault, &before, &status(now));
        assert!(
            !back(&[("api-1", "ready", 1), ("api-2", "ready", 2)]),
            "not noticed yet"
        );
        assert!(!back(&[("api-2", "ready", 2)]), "one is missing");
        assert!(!back(&[("api-1", "starting", 3), ("api-2", "ready", 2)]));
        assert!(back(&[("api-1", "ready", 3), ("api-2", "ready", 2)]));
        assert!(
            back(&[("api-3", "ready", 3), ("api-2", "ready", 2)]),
            "another name"
        );
    }

    #[test]
    fn a_resumed_process_is_the_same() {
        let fault: Fault = "freeze:api-1@10+3".parse().unwrap();
        let before = status(&[("api-1", "ready", 1)]);
        assert!(!is_back(&fault, &before, &status(&[("api-1", "frozen", 1)])));
        assert!(is_back(&fault, &before, &status(&[("api-1", "ready", 1)])));
    }
}
