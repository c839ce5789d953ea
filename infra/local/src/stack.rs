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

use crate::guard::Guard;
use crate::options::Options;
use crate::supervisor::{Phase, ProcessInfo, Report, Supervisor, Tier};

/// A running stack.
pub struct Stack {
    supervisor: Arc<Supervisor>,
    runtime: Option<Runtime>,
    guard: Option<Guard>,
    temporary: Option<tempfile::TempDir>,
}

/// One API replica.
#[derive(Debug, Clone)]
pub struct Replica {
    pub name: String,
    pub address: SocketAddr,
    /// `/livez`, `/readyz`, `/metrics`.
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

    async fn run_or_stop(self) -> Result<Self> {
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

/// How a test wants its stack.
#[derive(Debug, Clone)]
pub struct StackBuilder {
    options: Options,
    folder: Option<PathBuf>,
}

impl Default for StackBuilder {
    fn default() -> Self {
        let options = Options {
            port: 0,
            products: 0,
            customers: 0,
            ..Options::default()
        };
        Self {
            options,
            folder: None,
        }
    }
}

impl StackBuilder {
    /// A data folder that stays; without one the stack has a temporary one.
    pub fn data_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    pub fn replicas(mut self, count: usize) -> Self {
        self.options.replicas = count;
        self
    }

    /// Products that the empty shop is seeded with.
    pub fn products(mut self, count: u64) -> Self {
        self.options.products = count;
        self
    }

    /// Customers that come with the products.
    pub fn customers(mut self, count: u64) -> Self {
        self.options.customers = count;
        self
    }

    /// The shop's port; 0, the default, takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.options.port = port;
        self
    }

    /// Speaks https at a free port, with a certificate of a private authority.
    pub fn tls(mut self) -> Self {
        self.options.tls_port = Some(0);
        self
    }

    pub fn hostname(mut self, name: &str) -> Self {
        self.options.hostname = Some(name.to_owned());
        self
    }

    /// Addresses or networks whose X-Forwarded-* headers nginx believes.
    pub fn trusted_proxies(mut self, proxies: &[&str]) -> Self {
        self.options.trusted_proxies = proxies.iter().map(|&proxy| proxy.to_owned()).collect();
        self
    }

    /// A variable for trestle-api.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.options.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Whether a dead replica is replaced; it is by default.
    pub fn replace_dead(mut self, replace: bool) -> Self {
        self.options.replace_dead = replace;
        self
    }

    pub fn redis(mut self, wanted: bool) -> Self {
        self.options.redis = wanted;
        self
    }

    /// nginx; without it the replicas are asked directly.
    pub fn web(mut self, wanted: bool) -> Self {
        self.options.web = wanted;
        self
    }

    /// A database server and nothing else: no schema either.
    pub fn database_only(mut self) -> Self {
        self.options = Options {
            replicas: 0,
            redis: false,
            api: false,
            web: false,
            ..self.options
        };
        self
    }

    pub fn mysqld(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.mysqld = Some(path.into());
        self
    }

    pub fn api_executable(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.api_executable = Some(path.into());
        self
    }

    /// Starts the stack and returns when all of it is ready. Its events go to `logs/launcher.log` in the data folder.
    pub async fn start(self) -> Result<Stack> {
        let mut options = self.options;
        let temporary = if self.folder.is_none() {
            Some(
                tempfile::Builder::new()
                    .prefix("trestle-")
                    .tempdir()
                    .context("a temporary data folder")?,
            )
        } else {
            None
        };
        if let Some(folder) = self
            .folder
            .as_deref()
            .or(temporary.as_ref().map(tempfile::TempDir::path))
        {
            folder.clone_into(&mut options.data);
        }
        let log = options.data.join("logs").join("launcher.log");
        let mut stack = Stack::prepare(options, crate::events::to_file(log)).await?;
        // A database alone belongs to a tool that ends it by itself; `trestle` may not be built then.
        let guard = Guard::start(stack.data(), temporary.is_some());
        stack.guard = if stack.api().is_some() {
            Some(guard?)
        } else {
            guard.ok()
        };
        stack.temporary = temporary;
        stack.run_or_stop().await
    }
}
