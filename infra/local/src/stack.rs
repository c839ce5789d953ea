//! The library's face: a whole shop, or a part of it, as one value.
//!
//! It is one face for two worlds. A stack of local processes is watched on a runtime of its own, so that one stack can be
//! shared by tests that each run on theirs; dropping it kills every process by its handle, [`Stack::stop`] ends them in
//! order. Containers belong to the Docker engine: a stack of them is only looked at, and nothing ends with it.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;
use tokio::process::Command;

use crate::builder::StackBuilder;
use crate::compose::{Addresses, Compose};
use crate::options::Options;
use crate::own::Own;
use crate::processes::ProcessInfo;
use crate::supervisor::{Phase, Report, Supervisor, Tier};

/// A running stack.
pub struct Stack {
    world: World,
}

enum World {
    Processes(Box<Own>),
    Containers(Compose, Addresses),
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
        Ok(Self::of(Own::prepare(options, report).await?))
    }

    pub(crate) fn of(own: Own) -> Self {
        Self {
            world: World::Processes(Box::new(own)),
        }
    }

    /// The shop that runs as this compose project (`trestle`, unless it was started under another name).
    pub async fn compose(project: &str) -> Result<Self> {
        Self::containers(Compose::project(project)).await
    }

    /// The same, where the project's folder, files or environment are to be named.
    pub async fn containers(compose: Compose) -> Result<Self> {
        let (compose, addresses) = blocking(move || {
            let addresses = Addresses::read(&compose)?;
            Ok((compose, addresses))
        })
        .await?;
        Ok(Self {
            world: World::Containers(compose, addresses),
        })
    }

    /// Starts the processes of a prepared stack and waits until all are ready.
    pub async fn run(&self) -> Result<()> {
        match &self.world {
            World::Processes(own) => own.run(|it| async move { it.start().await }).await,
            World::Containers(..) => Ok(()),
        }
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

    fn own(&self) -> Option<&Supervisor> {
        match &self.world {
            World::Processes(own) => Some(&own.supervisor),
            World::Containers(..) => None,
        }
    }

    /// For what containers do not have. Who asks for it has the wrong stack, which no error could mend.
    #[expect(
        clippy::panic,
        reason = "a mistake of the program that uses this library, as is an index out of bounds"
    )]
    fn processes_only(&self, what: &str) -> &Supervisor {
        match self.own() {
            Some(supervisor) => supervisor,
            None => panic!("{what}: a stack of containers has none"),
        }
    }

    /// The shop's address: `http://127.0.0.1:PORT`, or https with TLS.
    pub fn url(&self) -> String {
        match &self.world {
            World::Processes(own) => {
                let nginx = own.supervisor.nginx.as_ref();
                nginx.map_or_else(String::new, crate::nginx::Nginx::url)
            }
            World::Containers(_, addresses) => addresses.url.clone(),
        }
    }

    /// The plain http address; with TLS it only leads to https.
    pub fn http_address(&self) -> Option<SocketAddr> {
        match &self.world {
            World::Processes(own) => own.supervisor.nginx.as_ref().map(crate::nginx::Nginx::listen),
            World::Containers(_, addresses) => addresses.url.strip_prefix("http://")?.parse().ok(),
        }
    }

    /// The authority that a client has to trust for https, as a PEM file.
    pub fn authority(&self) -> Option<&Path> {
        self.own()?.nginx.as_ref()?.authority()
    }

    /// The database as the shop's own account. Of a container it holds until that is started again.
    pub fn database_url(&self) -> String {
        match &self.world {
            World::Processes(own) => own.supervisor.database.url(),
            World::Containers(compose, addresses) => addresses.database(compose),
        }
    }

    /// The database as `root`, who may do anything to it. In a container nobody but the container has it.
    ///
    /// # Panics
    /// With containers.
    pub fn database_root_url(&self) -> String {
        self.processes_only("database_root_url").database.root_url()
    }

    /// The server's own words about its version.
    ///
    /// # Panics
    /// With containers.
    pub fn database_version(&self) -> &str {
        &self.processes_only("database_version").database.version
    }

    pub fn redis_url(&self) -> Option<String> {
        match &self.world {
            World::Processes(own) => own.supervisor.redis.as_ref().map(crate::redis::Redis::url),
            World::Containers(compose, addresses) => Some(addresses.redis(compose)),
        }
    }

    /// `None` with containers.
    pub fn redis_socket(&self) -> Option<&Path> {
        self.own()?.redis.as_ref().map(crate::redis::Redis::socket)
    }

    /// The data folder.
    ///
    /// # Panics
    /// With containers, as the two below.
    pub fn data(&self) -> &Path {
        self.processes_only("data").data.root()
    }

    /// Where the sockets are.
    pub fn run_folder(&self) -> &Path {
        &self.processes_only("run_folder").run
    }

    /// A process's log file.
    pub fn log(&self, name: &str) -> PathBuf {
        self.processes_only("log").data.log(name)
    }

    /// Whether a replica that dies is replaced: containers are, by their restart policy.
    pub fn replaces_dead(&self) -> bool {
        self.own().is_none_or(|it| it.options.replace_dead)
    }

    pub fn phase(&self) -> Phase {
        self.own().map_or(Phase::Running, |it| it.state().phase)
    }

    /// All processes or containers; none when docker does not answer. The `memory` of containers is 0 here.
    pub fn processes(&self) -> Vec<ProcessInfo> {
        match &self.world {
            World::Processes(own) => own.supervisor.processes(),
            World::Containers(compose, _) => compose.processes().unwrap_or_default(),
        }
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
        match &self.world {
            World::Processes(own) => own.run(move |it| async move { it.scale(count).await }).await,
            World::Containers(compose, _) => on(compose, move |it| it.scale(count)).await,
        }
    }

    /// Replaces all replicas by new ones of the image that there is now, with no failed request. Containers only.
    pub async fn roll(&self) -> Result<()> {
        match &self.world {
            World::Processes(_) => bail!("only containers are rolled: local replicas have no image"),
            World::Containers(compose, _) => on(compose, |it| it.roll().map(drop)).await,
        }
    }

    /// SIGKILL, as a fault: a replica is replaced (unless told otherwise), `redis`, `database` and `nginx` come back.
    pub fn kill(&self, name: &str) -> Result<()> {
        self.signal(name, Signal::SIGKILL)
    }

    /// Any signal to `api-1`, `redis`, `database` or `nginx`; what dies of it is started again, as after [`Stack::kill`].
    pub fn signal(&self, name: &str, signal: Signal) -> Result<()> {
        match &self.world {
            World::Processes(own) => own.supervisor.signal(name, signal),
            World::Containers(compose, _) => compose.signal(&[name], signal),
        }
    }

    /// Freezes a process with its workers (SIGSTOP): it keeps its connections and answers nothing.
    pub fn pause(&self, name: &str) -> Result<()> {
        self.signal(name, Signal::SIGSTOP)
    }

    pub fn resume(&self, name: &str) -> Result<()> {
        self.signal(name, Signal::SIGCONT)
    }

    /// Burns CPU inside a replica's allowance for so many seconds (1 to 3600): in its container, or in its cgroup where it
    /// has one of its own. Returns at once.
    pub async fn stress(&self, name: &str, seconds: u64) -> Result<()> {
        let name = name.to_owned();
        match &self.world {
            World::Processes(own) => {
                own.run(move |it| async move { it.stress(&name, seconds).await })
                    .await
            }
            World::Containers(compose, _) => on(compose, move |it| it.stress(&name, seconds)).await,
        }
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
        match &self.world {
            World::Processes(own) => own.run(|it| async move { it.restart(&name).await }).await,
            World::Containers(compose, _) => on(compose, move |it| it.restart_process(&name)).await,
        }
    }

    async fn hold(&self, name: &str, signal: Signal) -> Result<()> {
        let name = name.to_owned();
        match &self.world {
            World::Processes(own) => {
                own.run(move |it| async move { it.hold(&name, signal).await })
                    .await
            }
            World::Containers(compose, _) if signal == Signal::SIGKILL => {
                on(compose, move |it| it.kill_and_hold(&name)).await
            }
            World::Containers(compose, _) => on(compose, move |it| it.stop_process(&name)).await,
        }
    }

    /// What trestle-api is told in this stack: executable and environment. `None` for a stack without API, and with containers.
    pub fn api(&self) -> Option<(&Path, &[(String, String)])> {
        let api = self.own()?.api.as_ref()?;
        Some((api.executable.as_path(), api.environment.as_slice()))
    }

    /// A trestle-api command of this stack (`audit`, `seed …`, `import …`), not started.
    pub fn api_command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = match &self.world {
            World::Processes(_) => {
                let (executable, environment) = self.api().context("this stack has no API")?;
                let mut command = Command::new(executable);
                command.args(arguments).envs(environment.iter().cloned());
                command
            }
            World::Containers(compose, _) => {
                let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
                Command::from(compose.api_command(&arguments, false)?)
            }
        };
        command.kill_on_drop(true);
        Ok(command)
    }

    /// Runs such a command to its end.
    pub async fn api_output(&self, arguments: &[&str]) -> Result<Output> {
        self.api_command(arguments)?
            .output()
            .await
            .with_context(|| format!("running trestle-api {}", arguments.join(" ")))
    }

    /// Ends the stack in order: nginx, replicas, Redis, database. The data stays, unless the folder is temporary. When this
    /// returns, the folder is free for the next stack. Containers run on.
    pub async fn stop(mut self) -> Result<()> {
        let outcome = self.halt().await;
        if let World::Processes(own) = &mut self.world {
            own.end_runtime().await?;
        }
        outcome
    }

    /// Ends all processes; the value stays, to be asked what was there. Containers run on.
    pub async fn halt(&self) -> Result<()> {
        match &self.world {
            World::Processes(own) => own.run(|it| async move { it.stop().await }).await,
            World::Containers(..) => Ok(()),
        }
    }

    /// SIGKILL to every process, at once. Containers run on.
    pub fn kill_all(&self) {
        if let Some(supervisor) = self.own() {
            supervisor.kill_all();
        }
    }
}

/// Docker is waited for on a thread where that holds up nobody.
async fn on(compose: &Compose, work: impl FnOnce(&Compose) -> Result<()> + Send + 'static) -> Result<()> {
    let compose = compose.clone();
    blocking(move || work(&compose)).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .context("the work on the containers was cut off")?
}
