//! The library's face: a whole shop, or a part of it, as one value.
//!
//! A stack's processes are watched on a runtime of its own, so that one stack can be shared by tests that each run on
//! theirs. Dropping it kills every process by its handle; [`Stack::stop`] ends them in order.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::sys::signal::Signal;
use tokio::process::Command;
use tokio::runtime::Runtime;

use crate::builder::StackBuilder;
use crate::guard::Guard;
use crate::options::Options;
use crate::processes::ProcessInfo;
use crate::supervisor::{Phase, Report, Supervisor, Tier};

/// A running stack.
pub struct Stack {
    supervisor: Arc<Supervisor>,
    runtime: Option<Runtime>,
    pub(crate) guard: Option<Guard>,
    pub(crate) temporary: Option<tempfile::TempDir>,
}

/// One API replica.
#[derive(Debug, Clone)]
pub struct Replica {
    pub name: String,
    pub address: SocketAddr,
    /// `/livez`, `/readyz`, `/metrics`, `/log`.
    pub ops_address: SocketAddr,
    pub pid: i32,
}

impl Stack {
    /// A stack for a test: two replicas, nginx at a free port, an empty shop, a data folder that goes with it.
    pub fn builder() -> StackBuilder {
        StackBuilder::default()
    }

    /// Starts a stack in a folder of the caller's, with its progress told line by line.
    pub async fn start(options: Options, report: Report) -> Result<Self> {
        let stack = Self::prepare(options, report).await?;
        stack.run_or_stop().await
    }

    /// Everything that comes before the first process. `run` does the rest.
    pub async fn prepare(options: Options, report: Report) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("trestle")
            .enable_all()
            .build()
            .context("the stack's runtime")?;
        let prepared = runtime.spawn(Supervisor::prepare(options, report)).await;
        match prepared.context("the stack's start was cut off").flatten() {
            Ok(supervisor) => Ok(Self {
                supervisor: Arc::new(supervisor),
                runtime: Some(runtime),
                guard: None,
                temporary: None,
            }),
            Err(error) => {
                // A runtime must not be dropped inside another one.
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    /// Starts the processes of a prepared stack and waits until all are ready.
    pub async fn run(&self) -> Result<()> {
        self.on_own_runtime(|supervisor| async move { supervisor.start().await })
            .await
    }

    pub(crate) async fn run_or_stop(self) -> Result<Self> {
        match self.run().await {
            Ok(()) => Ok(self),
            Err(error) => {
                // The first error is the one to tell.
                let _ = self.stop().await;
                Err(error)
            }
        }
    }

    /// The shop's address: `http://127.0.0.1:PORT`, or https with TLS.
    pub fn url(&self) -> String {
        self.supervisor
            .nginx
            .as_ref()
            .map_or_else(String::new, crate::nginx::Nginx::url)
    }

    /// The plain http address; with TLS it only leads to https.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.supervisor.nginx.as_ref().map(crate::nginx::Nginx::listen)
    }

    /// The authority that a client has to trust for https, as a PEM file.
    pub fn authority(&self) -> Option<&Path> {
        self.supervisor
            .nginx
            .as_ref()
            .and_then(crate::nginx::Nginx::authority)
    }

    pub fn database_url(&self) -> String {
        self.supervisor.database.url()
    }

    /// The database as `root`, who may do anything to it.
    pub fn database_root_url(&self) -> String {
        self.supervisor.database.root_url()
    }

    /// The server's own words about its version.
    pub fn database_version(&self) -> &str {
        &self.supervisor.database.version
    }

    pub fn redis_url(&self) -> Option<String> {
        self.supervisor.redis.as_ref().map(crate::redis::Redis::url)
    }

    pub fn redis_socket(&self) -> Option<&Path> {
        self.supervisor.redis.as_ref().map(crate::redis::Redis::socket)
    }

    pub fn data(&self) -> &Path {
        self.supervisor.data.root()
    }

    /// Where the sockets are.
    pub fn run_folder(&self) -> &Path {
        &self.supervisor.run
    }

    pub fn replaces_dead(&self) -> bool {
        self.supervisor.options.replace_dead
    }

    pub fn log(&self, name: &str) -> PathBuf {
        self.supervisor.data.log(name)
    }

    pub fn phase(&self) -> Phase {
        self.supervisor.state().phase
    }

    pub fn processes(&self) -> Vec<ProcessInfo> {
        self.supervisor.processes()
    }

    /// The replicas that run now, by number.
    pub fn replicas(&self) -> Vec<Replica> {
        let replica = |info: ProcessInfo| {
            Some(Replica {
                address: info.address.parse().ok()?,
                ops_address: info.ops_address?.parse().ok()?,
                pid: info.pid?,
                name: info.name,
            })
        };
        self.processes()
            .into_iter()
            .filter(|info| Tier::of(&info.name) == Some(Tier::Api) && info.state != "draining")
            .filter_map(replica)
            .collect()
    }

    /// Adds or drains replicas until there are `count`, with no failed request.
    pub async fn scale(&self, count: usize) -> Result<()> {
        self.on_own_runtime(move |supervisor| async move { supervisor.scale(count).await })
            .await
    }

    /// SIGKILL, as a fault: a replica is replaced (unless told otherwise), `redis`, `database` and `nginx` come back.
    pub fn kill(&self, name: &str) -> Result<()> {
        self.signal(name, Signal::SIGKILL)
    }

    /// Any signal to `api-1`, `redis`, `database` or `nginx`; what dies of it is started again, as after [`Stack::kill`].
    pub fn signal(&self, name: &str, signal: Signal) -> Result<()> {
        self.supervisor.signal(name, signal)
    }

    /// Freezes a process (SIGSTOP): it keeps its connections and answers nothing.
    pub fn pause(&self, name: &str) -> Result<()> {
        self.signal(name, Signal::SIGSTOP)
    }

    pub fn resume(&self, name: &str) -> Result<()> {
        self.signal(name, Signal::SIGCONT)
    }

    /// SIGKILL to a process, which then stays down until [`Stack::restart_process`].
    pub async fn kill_and_hold(&self, name: &str) -> Result<()> {
        self.hold(name, Signal::SIGKILL).await
    }

    /// SIGTERM to a process, which then stays down until [`Stack::restart_process`].
    pub async fn stop_process(&self, name: &str) -> Result<()> {
        self.hold(name, Signal::SIGTERM).await
    }

    /// Starts a process that was held down, or ends and starts one that runs; returns when it is ready.
    pub async fn restart_process(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        self.on_own_runtime(|supervisor| async move { supervisor.restart(&name).await })
            .await
    }

    async fn hold(&self, name: &str, signal: Signal) -> Result<()> {
        let name = name.to_owned();
        self.on_own_runtime(move |supervisor| async move { supervisor.hold(&name, signal).await })
            .await
    }

    /// What trestle-api is told in this stack: executable and environment. `None` for a stack without API.
    pub fn api(&self) -> Option<(&Path, &[(String, String)])> {
        self.supervisor
            .api
            .as_ref()
            .map(|api| (api.executable.as_path(), api.environment.as_slice()))
    }

    /// A trestle-api command of this stack (`audit`, `seed …`, `import …`), not started.
    pub fn api_command(&self, arguments: &[&str]) -> Result<Command> {
        let (executable, environment) = self.api().context("this stack has no API")?;
        let mut command = Command::new(executable);
        command
            .args(arguments)
            .envs(environment.iter().cloned())
            .kill_on_drop(true);
        Ok(command)
    }

    /// Runs such a command to its end.
    pub async fn api_output(&self, arguments: &[&str]) -> Result<Output> {
        self.api_command(arguments)?
            .output()
            .await
            .with_context(|| format!("running trestle-api {}", arguments.join(" ")))
    }

    /// Ends the stack in order: nginx, replicas, Redis, database. The data stays, unless the folder is temporary. When this returns, the folder is free for the next stack.
    pub async fn stop(mut self) -> Result<()> {
        let outcome = self.halt().await;
        if let Some(runtime) = self.runtime.take() {
            let ended = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(Duration::from_secs(5)));
            ended.await.context("ending the stack's runtime")?;
        }
        outcome
    }

    /// Ends all processes; the value stays, to be asked what was there.
    pub async fn halt(&self) -> Result<()> {
        self.on_own_runtime(|supervisor| async move { supervisor.stop().await })
            .await
    }

    /// SIGKILL to every process, at once.
    pub fn kill_all(&self) {
        self.supervisor.kill_all();
    }

    /// Runs the work on the stack's runtime, where its processes are watched; the caller may run on any other.
    async fn on_own_runtime<T, F>(&self, work: impl FnOnce(Arc<Supervisor>) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let runtime = self.runtime.as_ref().context("the stack has ended")?;
        runtime
            .spawn(work(Arc::clone(&self.supervisor)))
            .await
            .context("the stack's work was cut off")?
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.supervisor.kill_all();
        if let Some(runtime) = self.runtime.take() {
            // Not waited for: this may be inside another runtime. What is left of the children dies with its tasks.
            runtime.shutdown_background();
        }
        // The guard looks after what a kill did not reach in time, then removes a temporary folder.
        if let (Some(guard), Some(temporary)) = (self.guard.take(), self.temporary.take()) {
            let _ = temporary.keep();
            drop(guard);
        }
    }
}
