//! Changes to a running stack: scaling, ending and starting single processes, and the end of it all.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;

use crate::nginx::OldWorkers;
use crate::options::MOST_REPLICAS;
use crate::process::Process;
use crate::start::replicas;
use crate::supervisor::{Phase, Supervisor, Tier};

/// Above the API's own hard limit (25 s).
const DRAIN_WITHIN: Duration = Duration::from_secs(30);
const DATABASE_WITHIN: Duration = Duration::from_secs(30);
const NGINX_WITHIN: Duration = Duration::from_secs(5);
const REDIS_WITHIN: Duration = Duration::from_secs(3);

impl Supervisor {
    /// Adds replicas, or drains those with the highest numbers: nginx forgets them, its old workers finish, then SIGTERM.
    pub async fn scale(self: &Arc<Self>, count: usize) -> Result<()> {
        if count > MOST_REPLICAS {
            bail!("{count} replicas: at most {MOST_REPLICAS}");
        }
        let _one = self.changes.lock().await;
        self.check_running()?;
        let leaving = {
            let mut state = self.state();
            let leaving: Vec<String> = replicas(&state).into_iter().skip(count).collect();
            for name in &leaving {
                if let Some(service) = state.services.get_mut(name) {
                    service.draining = true;
                }
            }
            leaving
        };
        if leaving.is_empty() {
            self.start_replicas(count).await?;
            return self.reload(OldWorkers::MostRequests).await;
        }
        self.say(&format!("nginx      forgets {}", leaving.join(", ")));
        if let Err(error) = self.reload(OldWorkers::Finish).await {
            // nginx may still send to them: they stay.
            let mut state = self.state();
            for name in &leaving {
                if let Some(service) = state.services.get_mut(name) {
                    service.draining = false;
                }
            }
            return Err(error);
        }
        self.drain(leaving).await
    }

    async fn drain(self: &Arc<Self>, names: Vec<String>) -> Result<()> {
        let ends: Vec<_> = names
            .into_iter()
            .map(|name| {
                let own = Arc::clone(self);
                tokio::spawn(async move {
                    let process = own
                        .state()
                        .services
                        .get(&name)
                        .and_then(|service| service.process.clone());
                    let outcome = match process {
                        Some(process) => process.end(Signal::SIGTERM, DRAIN_WITHIN).await,
                        None => Ok(true),
                    };
                    own.state().services.remove(&name);
                    match outcome {
                        Ok(true) => own.say(&format!("{name:<10} drained")),
                        Ok(false) => own.say(&format!(
                            "{name:<10} did not drain within {} s and was killed",
                            DRAIN_WITHIN.as_secs()
                        )),
                        Err(error) => own.say(&format!("{name:<10} {error:#}")),
                    }
                })
            })
            .collect();
        for end in ends {
            end.await.context("a drain was cut off")?;
        }
        Ok(())
    }

    /// Sends a signal to a process and leaves what follows to the supervisor: what dies of it is started again.
    pub fn signal(&self, name: &str, signal: Signal) -> Result<()> {
        let process = self.running(name)?;
        match signal {
            // nginx is frozen when its workers are.
            Signal::SIGSTOP | Signal::SIGCONT => process.signal_group(signal),
            _ => process.signal(signal),
        }
    }

    /// Ends a process with `signal` and holds it down until it is started again. nginx forgets a replica, afterwards: this is
    /// a fault, not a drain.
    pub async fn hold(self: &Arc<Self>, name: &str, signal: Signal) -> Result<()> {
        let _one = self.changes.lock().await;
        self.check_running()?;
        let process = self.running(name)?;
        {
            let mut state = self.state();
            let service = state.services.get_mut(name).with_context(|| unknown(name))?;
            service.held = true;
            service.ready = false;
            service.generation += 1;
        }
        process.end(signal, limit(name)).await?;
        if Tier::of(name) == Some(Tier::Api) {
            self.reload(OldWorkers::MostRequests).await?;
        }
        Ok(())
    }

    /// Starts a process that was held down; one that runs is ended first.
    pub async fn restart(self: &Arc<Self>, name: &str) -> Result<()> {
        if self.running(name).is_ok() {
            self.hold(name, Signal::SIGTERM).await?;
        }
        let _one = self.changes.lock().await;
        self.check_running()?;
        let generation = {
            let mut state = self.state();
            let service = state.services.get_mut(name).with_context(|| unknown(name))?;
            service.held = false;
            service.generation += 1;
            service.generation
        };
        self.start_service(name, generation).await?;
        if Tier::of(name) == Some(Tier::Api) {
            self.reload(OldWorkers::MostRequests).await?;
        }
        Ok(())
    }

    /// Ends everything: nginx, the replicas, Redis, the database. May be called again; never starts anything.
    pub async fn stop(self: &Arc<Self>) -> Result<()> {
        self.state().phase = Phase::Stopping;
        for tier in [Tier::Web, Tier::Api, Tier::Redis, Tier::Database] {
            let mut processes = self.processes_of(tier);
            if tier == Tier::Api {
                processes.extend(self.state().commands.clone());
            }
            let ends: Vec<_> = processes
                .into_iter()
                .map(|process| tokio::spawn(end(process, tier)))
                .collect();
            for ended in ends {
                match ended.await.context("an end was cut off")? {
                    Ok((name, true)) => self.say(&format!("{name:<10} ended")),
                    Ok((name, false)) => self.say(&format!("{name:<10} did not end in time and was killed")),
                    Err(error) => self.say(&format!("{error:#}")),
                }
            }
        }
        self.data.remove_run_folder(&self.run)?;
        self.data.remove_state()
    }

    /// SIGKILL to everything at once.
    pub fn kill_all(&self) {
        let mut state = self.state();
        state.phase = Phase::Stopping;
        for process in state
            .services
            .values()
            .filter_map(|service| service.process.as_ref())
            .chain(&state.commands)
        {
            process.kill();
        }
    }

    fn processes_of(&self, tier: Tier) -> Vec<Arc<Process>> {
        let state = self.state();
        let ours = state
            .services
            .iter()
            .filter(|(name, _)| Tier::of(name) == Some(tier));
        ours.filter_map(|(_, service)| service.process.clone())
            .filter(|process| process.is_running())
            .collect()
    }

    pub fn running(&self, name: &str) -> Result<Arc<Process>> {
        let state = self.state();
        let service = state.services.get(name).with_context(|| unknown(name))?;
        let process = service.process.clone().filter(|process| process.is_running());
        process.with_context(|| format!("{name} does not run"))
    }

    fn check_running(&self) -> Result<()> {
        match self.state().phase {
            Phase::Running => Ok(()),
            Phase::Starting => bail!("the stack is still starting"),
            Phase::Stopping => bail!("the stack is stopping"),
        }
    }
}

async fn end(process: Arc<Process>, tier: Tier) -> Result<(String, bool)> {
    let (signal, limit) = match tier {
        // Graceful: what is in flight is answered.
        Tier::Web => (Signal::SIGQUIT, NGINX_WITHIN),
        Tier::Api => (Signal::SIGTERM, DRAIN_WITHIN),
        Tier::Redis => (Signal::SIGTERM, REDIS_WITHIN),
        Tier::Database => (Signal::SIGTERM, DATABASE_WITHIN),
    };
    let by_itself = process.end(signal, limit).await?;
    Ok((process.name.clone(), by_itself))
}

fn limit(name: &str) -> Duration {
    match Tier::of(name) {
        Some(Tier::Database) => DATABASE_WITHIN,
        Some(Tier::Redis) => REDIS_WITHIN,
        Some(Tier::Web) => NGINX_WITHIN,
        Some(Tier::Api) | None => DRAIN_WITHIN,
    }
}

fn unknown(name: &str) -> String {
    format!("no process is named {name}")
}
