//! The stack's processes and what keeps them there.
//!
//! Invariants: every process is registered the moment it exists, so that ending the stack at any point ends all of them.
//! Each service has a generation; whoever stops or restarts a service raises it, and a replacement that was under way
//! for an older generation ends itself. Once the stack is stopping nothing is started any more.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::api::{Addresses, Api};
use crate::data::{DataFolder, Lock};
use crate::database::Database;
use crate::nginx::{Nginx, OldWorkers};
use crate::options::Options;
use crate::process::{Process, describe};
use crate::redis::Redis;

/// Where progress and events go, one line each.
pub type Report = Arc<dyn Fn(&str) + Send + Sync>;

/// A crash loop slows down to one start in this time.
const LONGEST_DELAY: Duration = Duration::from_secs(10);
/// A process that ran for this long did start: its end is not part of a crash loop.
const STEADY_AFTER: Duration = Duration::from_secs(10);

pub(crate) struct Supervisor {
    pub options: Options,
    pub data: DataFolder,
    pub run: PathBuf,
    pub database: Database,
    pub redis: Option<Redis>,
    pub api: Option<Api>,
    pub nginx: Option<Nginx>,
    pub report: Report,
    pub state: Mutex<State>,
    /// One scaling, stop or restart at a time.
    pub changes: tokio::sync::Mutex<()>,
    /// One configuration of nginx at a time.
    pub web: tokio::sync::Mutex<()>,
    pub _lock: Lock,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub phase: Phase,
    pub services: BTreeMap<String, Service>,
    /// migrate and seed, while they run.
    pub commands: Vec<Arc<Process>>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    #[default]
    Starting,
    Running,
    Stopping,
}

#[derive(Debug, Default)]
pub(crate) struct Service {
    pub process: Option<Arc<Process>>,
    pub addresses: Option<Addresses>,
    pub generation: u64,
    pub ready: bool,
    /// Ended on purpose, until it is started again: nobody replaces it.
    pub held: bool,
    /// A replica on its way out: nginx is to forget it, and it counts no more.
    pub draining: bool,
    pub restarts: u32,
}

/// The tier that a process name belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    Database,
    Redis,
    Api,
    Web,
}

impl Tier {
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "database" => Some(Self::Database),
            "redis" => Some(Self::Redis),
            "nginx" => Some(Self::Web),
            _ => replica_number(name).map(|_| Self::Api),
        }
    }
}

/// The number of a replica's name.
pub fn replica_number(name: &str) -> Option<usize> {
    name.strip_prefix("api-")?
        .parse()
        .ok()
        .filter(|number| *number > 0)
}

impl Supervisor {
    pub fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the state; if it did, the processes would still have to be ended.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn say(&self, line: &str) {
        (self.report)(line);
    }

    /// Starts a service of the given generation, waits until it is ready, and watches over it from then on.
    pub async fn start_service(self: &Arc<Self>, name: &str, generation: u64) -> Result<()> {
        let started = self.start_unwatched(name, generation).await;
        if started.is_err() {
            self.abandon(name, generation).await;
            return started;
        }
        let process = {
            let mut state = self.state();
            let service = state
                .services
                .get_mut(name)
                .filter(|service| service.generation == generation);
            let Some(service) = service else {
                bail!("{name} was stopped while it started")
            };
            service.ready = true;
            service.process.clone().context("a started process")?
        };
        let watch = Arc::clone(self).watch(name.to_owned(), generation, process);
        tokio::spawn(watch);
        Ok(())
    }

    async fn start_unwatched(self: &Arc<Self>, name: &str, generation: u64) -> Result<()> {
        match Tier::of(name).with_context(|| format!("{name} is no process of a stack"))? {
            Tier::Database => {
                let process = self.register(name, generation, self.database.start()?, None)?;
                self.database.ready(&process).await
            }
            Tier::Redis => {
                let redis = self.redis.as_ref().context("this stack has no Redis")?;
                let process = self.register(name, generation, redis.start()?, None)?;
                redis.ready(&process).await
            }
            Tier::Api => {
                let api = self.api.as_ref().context("this stack has no API")?;
                api.start(name, |process, addresses| {
                    self.register(name, generation, process, Some(addresses))
                })
                .await
            }
            Tier::Web => {
                let nginx = self.nginx.as_ref().context("this stack has no nginx")?;
                let _one = self.web.lock().await;
                let process = nginx.start(&self.upstreams()).await?;
                let process = self.register(name, generation, process, None)?;
                nginx.ready(&process).await
            }
        }
    }

    /// Makes a new process known. One that nobody wants any more is killed by dropping it.
    fn register(
        &self,
        name: &str,
        generation: u64,
        process: Process,
        addresses: Option<Addresses>,
    ) -> Result<Arc<Process>> {
        let mut state = self.state();
        let stopping = state.phase == Phase::Stopping;
        let service = state.services.entry(name.to_owned()).or_default();
        if stopping || service.generation != generation {
            process.kill();
            bail!("{name} was stopped while it started");
        }
        let process = Arc::new(process);
        service.process = Some(Arc::clone(&process));
        service.addresses = addresses;
        service.ready = false;
        Ok(process)
    }

    /// Ends what a failed start left running.
    async fn abandon(&self, name: &str, generation: u64) {
        let process = {
            let state = self.state();
            let service = state
                .services
                .get(name)
                .filter(|service| service.generation == generation);
            service.and_then(|service| service.process.clone())
        };
        if let Some(process) = process {
            process.kill();
            process.wait().await;
            process.forget();
        }
    }

    /// Waits for the end of a service and starts it again, unless it was ended on purpose.
    async fn watch(self: Arc<Self>, name: String, generation: u64, process: Arc<Process>) {
        let since = Instant::now();
        let status = process.wait().await;
        process.kill_group();
        let Some(failures) = self.note_end(&name, generation, since.elapsed()) else {
            return;
        };
        let end = describe(status);
        if Tier::of(&name) == Some(Tier::Api) && !self.options.replace_dead {
            self.say(&format!(
                "{name} ended ({end}); it is not replaced (--no-replace)"
            ));
            self.reload_or_say().await;
            return;
        }
        self.say(&format!("{name} ended ({end}); starting another"));
        // A task of its own: the watch of the next process is not this one's child for ever.
        tokio::spawn(self.replace(name, generation, failures));
    }

    /// Records an end. `None` when it was wanted; else how many quick ends came in a row.
    fn note_end(&self, name: &str, generation: u64, lived: Duration) -> Option<u32> {
        let mut state = self.state();
        if state.phase == Phase::Stopping {
            return None;
        }
        let service = state.services.get_mut(name)?;
        if service.generation != generation || service.held || service.draining {
            return None;
        }
        service.ready = false;
        service.restarts = if lived > STEADY_AFTER {
            1
        } else {
            service.restarts + 1
        };
        Some(service.restarts - 1)
    }

    /// A boxed future: starting watches, and watching starts.
    fn replace(
        self: Arc<Self>,
        name: String,
        generation: u64,
        mut failures: u32,
    ) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            loop {
                sleep(delay(failures)).await;
                if !self.is_wanted(&name, generation) {
                    return;
                }
                let start = Instant::now();
                match self.start_service(&name, generation).await {
                    Ok(()) => {
                        if Tier::of(&name) == Some(Tier::Api) {
                            self.reload_or_say().await;
                        }
                        self.say(&format!(
                            "{name} is back after {:.1} s",
                            start.elapsed().as_secs_f32()
                        ));
                        return;
                    }
                    Err(error) => {
                        failures += 1;
                        if self.is_wanted(&name, generation) {
                            self.say(&format!("{name} did not start: {error:#}"));
                        }
                    }
                }
            }
        })
    }

    fn is_wanted(&self, name: &str, generation: u64) -> bool {
        let state = self.state();
        let service = state.services.get(name);
        state.phase != Phase::Stopping
            && service
                .is_some_and(|service| service.generation == generation && !service.held && !service.draining)
    }

    /// The replicas that nginx is to know.
    pub fn upstreams(&self) -> Vec<SocketAddr> {
        let state = self.state();
        let mut replicas: Vec<(usize, SocketAddr)> = state
            .services
            .iter()
            .filter(|(_, service)| service.ready && !service.held && !service.draining)
            .filter(|(_, service)| {
                service
                    .process
                    .as_ref()
                    .is_some_and(|process| process.is_running())
            })
            .filter_map(|(name, service)| Some((replica_number(name)?, service.addresses?.api)))
            .collect();
        replicas.sort_unstable();
        replicas.into_iter().map(|(_, address)| address).collect()
    }

    /// Tells nginx the replicas there are now. Nothing to do while nginx is down: it starts with the current list.
    pub async fn reload(&self, wait: OldWorkers) -> Result<()> {
        let Some(nginx) = &self.nginx else { return Ok(()) };
        let _one = self.web.lock().await;
        let process = {
            let state = self.state();
            let service = state.services.get("nginx").filter(|service| service.ready);
            service.and_then(|service| service.process.clone())
        };
        let Some(process) = process.filter(|process| process.is_running()) else {
            return Ok(());
        };
        let finished = nginx.reload(&process, &self.upstreams(), wait).await?;
        if !finished && wait == OldWorkers::Finish {
            bail!("nginx's old workers did not finish");
        }
        Ok(())
    }

    async fn reload_or_say(&self) {
        if let Err(error) = self.reload(OldWorkers::MostRequests).await {
            self.say(&format!("nginx: {error:#}"));
        }
    }
}

/// How long to wait before the start after `failures` failed ones in a row.
fn delay(failures: u32) -> Duration {
    Duration::from_millis(50)
        .saturating_mul(1 << failures.min(12))
        .min(LONGEST_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_loop_slows_down_to_one_start_in_ten_seconds() {
        assert_eq!(delay(0), Duration::from_millis(50));
        assert!(delay(3) < delay(4));
        assert_eq!(delay(40), LONGEST_DELAY);
    }

    #[test]
    fn only_numbered_replicas_are_replicas() {
        assert_eq!(replica_number("api-12"), Some(12));
        assert_eq!(replica_number("api-0"), None);
        assert_eq!(replica_number("api-x"), None);
        assert_eq!(Tier::of("mysql"), None);
    }
}
