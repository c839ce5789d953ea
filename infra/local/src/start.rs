//! From nothing, or from what an earlier launcher left, to a ready stack.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::api::Api;
use crate::data::{DataFolder, State as Record, remove_folder};
use crate::database::{Database, Flavour};
use crate::leftover::Leftover;
use crate::nginx::{Front, Nginx};
use crate::options::{MOST_REPLICAS, Options, Usage};
use crate::process::Process;
use crate::procfs::Identity;
use crate::redis::Redis;
use crate::supervisor::{Phase, Report, Service, State, Supervisor};
use crate::{ports, programs};

impl Supervisor {
    /// Checks everything that can be checked before something is started, takes the data folder and ends the leftovers of
    /// an earlier launcher.
    pub async fn prepare(mut options: Options, report: Report) -> Result<Self> {
        if options.replicas > MOST_REPLICAS {
            bail!(Usage(format!(
                "--replicas {}: at most {MOST_REPLICAS}",
                options.replicas
            )));
        }
        let data = DataFolder::create(&options.data)?;
        let lock = data.lock()?;
        end_leftovers(&data, &report).await?;
        choose_ports(&mut options)?;
        let run = data.run_folder()?;
        let own = Identity::own().context("this process in /proc")?;
        data.write_state(&Record {
            launcher: own,
            run: run.clone(),
        })?;
        let database = Database::find(
            options.mysqld.as_deref(),
            &options.database_arguments,
            &data,
            &run,
        )
        .await?;
        let redis = options
            .redis
            .then(|| Redis::find(&options.redis_arguments, &data, &run))
            .transpose()?;
        let nginx = options
            .web
            .then(|| Nginx::find(&data, &front(&options)))
            .transpose()?;
        let api = options
            .api
            .then(|| api(&options, &data, &database, redis.as_ref()))
            .transpose()?;
        Ok(Self {
            options,
            data,
            run,
            database,
            redis,
            api,
            nginx,
            report,
            state: Mutex::new(State::default()),
            changes: tokio::sync::Mutex::new(()),
            web: tokio::sync::Mutex::new(()),
            _lock: lock,
        })
    }

    /// Starts all tiers. On an error the caller ends what was started.
    pub async fn start(self: &Arc<Self>) -> Result<()> {
        let _one = self.changes.lock().await;
        let (database, redis) = tokio::join!(self.start_database(), self.start_redis());
        database?;
        redis?;
        self.fill().await?;
        self.start_replicas(self.options.replicas).await?;
        if self.nginx.is_some() {
            let start = Instant::now();
            self.start_service("nginx", 0).await?;
            self.step("nginx", "ready", start);
        }
        let mut state = self.state();
        if state.phase == Phase::Stopping {
            bail!("stopped while it started");
        }
        state.phase = Phase::Running;
        Ok(())
    }

    async fn start_database(self: &Arc<Self>) -> Result<()> {
        let start = Instant::now();
        let name = self.flavour();
        match self.data.finished_with() {
            None => {
                if self.data.database().exists() {
                    self.say("the first start did not finish: beginning again with an empty database");
                }
                self.data.remove_database()?;
                self.say(&format!(
                    "database   initialising {name} in {}",
                    self.data.database().display()
                ));
                let process = self.register_command(self.database.initialise()?)?;
                let outcome = self.database.initialised(&process).await;
                self.forget_commands();
                outcome?;
            }
            Some(made_by) if made_by != name => bail!(
                "--data {} holds a {made_by} database, and {name} would serve it: use that server, another --data, or `trestle reset`",
                self.data.root().display()
            ),
            Some(_) => {}
        }
        self.start_service("database", 0).await?;
        self.database.prepare().await?;
        self.step("database", "ready", start);
        Ok(())
    }

    async fn start_redis(self: &Arc<Self>) -> Result<()> {
        if self.redis.is_none() {
            return Ok(());
        }
        let start = Instant::now();
        self.start_service("redis", 0).await?;
        self.step("redis", "ready", start);
        Ok(())
    }

    /// Schema, products, and the mark that the first start came to its end.
    async fn fill(&self) -> Result<()> {
        if self.api.is_some() {
            let start = Instant::now();
            self.run_command(&["migrate".to_owned()]).await?;
            self.step("schema", "current", start);
            if self.options.products > 0 {
                let start = Instant::now();
                self.run_command(&self.seed_arguments()).await?;
                self.step("shop", "has its products", start);
            }
        }
        if self.data.finished_with().is_none() {
            self.data.mark_finished(self.flavour())?;
        }
        Ok(())
    }

    fn seed_arguments(&self) -> Vec<String> {
        let Options {
            products, customers, ..
        } = self.options;
        let line =
            format!("seed --products {products} --customers {customers} --orders 0 --seed 1 --if-empty");
        line.split(' ').map(ToOwned::to_owned).collect()
    }

    async fn run_command(&self, arguments: &[String]) -> Result<()> {
        let api = self.api.as_ref().context("this stack has no API")?;
        let process = self.register_command(api.command(arguments)?)?;
        let outcome = Api::finish(&process).await;
        self.forget_commands();
        outcome
    }

    /// Makes a one-shot process known, so that it ends with the stack.
    pub fn register_command(&self, process: Process) -> Result<Arc<Process>> {
        let process = Arc::new(process);
        let mut state = self.state();
        if state.phase == Phase::Stopping {
            process.kill();
            bail!("stopped while it started");
        }
        state.commands.push(Arc::clone(&process));
        Ok(process)
    }

    pub fn forget_commands(&self) {
        self.state().commands.retain(|process| process.status().is_none());
    }

    /// Starts replicas until there are `count`, all at the same time. Those that fail are taken out again.
    pub async fn start_replicas(self: &Arc<Self>, count: usize) -> Result<()> {
        let names = self.new_names(count);
        let starts: Vec<_> = names
            .iter()
            .map(|name| {
                let (own, name, start) = (Arc::clone(self), name.clone(), Instant::now());
                tokio::spawn(async move {
                    let outcome = own.start_service(&name, 0).await;
                    if outcome.is_ok() {
                        own.step(&name, "ready", start);
                    }
                    (name, outcome)
                })
            })
            .collect();
        let mut first_error = None;
        for start in starts {
            let (name, outcome) = start.await.context("a replica's start was cut off")?;
            if let Err(error) = outcome {
                self.state().services.remove(&name);
                first_error.get_or_insert(error);
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    /// Enters the lowest free numbers into the list of services, until `count` replicas are wanted.
    fn new_names(&self, count: usize) -> Vec<String> {
        let mut state = self.state();
        let missing = count.saturating_sub(replicas(&state).len());
        let names: Vec<String> = (1..)
            .map(|number| format!("api-{number}"))
            .filter(|name| !state.services.contains_key(name))
            .take(missing)
            .collect();
        for name in &names {
            state.services.insert(name.clone(), Service::default());
        }
        names
    }

    fn flavour(&self) -> &'static str {
        match self.database.flavour {
            Flavour::MariaDb => "MariaDB",
            Flavour::MySql => "MySQL",
        }
    }

    fn step(&self, what: &str, state: &str, start: Instant) {
        self.say(&format!(
            "{what:<10} {state} ({:.1} s)",
            start.elapsed().as_secs_f32()
        ));
    }
}

/// Names of the replicas that are wanted.
pub(crate) fn replicas(state: &State) -> Vec<String> {
    let mut names: Vec<(usize, String)> = state
        .services
        .iter()
        .filter(|(_, service)| !service.draining)
        .filter_map(|(name, _)| Some((crate::supervisor::replica_number(name)?, name.clone())))
        .collect();
    names.sort_unstable();
    names.into_iter().map(|(_, name)| name).collect()
}

/// Ends all that an earlier launcher left behind. The caller holds the folder's lock.
pub async fn end_leftovers(data: &DataFolder, report: &Report) -> Result<usize> {
    let mut leftovers = Leftover::find(data);
    let count = leftovers.len();
    // The front first, so that nothing is sent to what is ended next; all of a tier at once.
    for tier in [
        &["nginx"][..],
        &["api-", "burn-", "migrate", "seed"][..],
        &[""][..],
    ] {
        let (now, later): (Vec<_>, Vec<_>) = leftovers
            .into_iter()
            .partition(|one| tier.iter().any(|prefix| one.name.starts_with(prefix)));
        leftovers = later;
        let ends: Vec<_> = now
            .into_iter()
            .map(|leftover| {
                let Leftover { name, identity, .. } = &leftover;
                report(&format!(
                    "ending {name} (pid {}), left by an earlier launcher",
                    identity.pid
                ));
                tokio::spawn(async move { leftover.end().await })
            })
            .collect();
        for end in ends {
            end.await.context("ending a leftover was cut off")?;
        }
    }
    if let Some(state) = data.state() {
        data.remove_run_folder(&state.run)?;
        data.remove_state()?;
    }
    // Sockets and temporary files of processes that are gone.
    for name in ["run", "tmp"] {
        remove_folder(&data.path(name))?;
        crate::data::private_folder(&data.path(name))?;
    }
    Ok(count)
}

/// Replaces port 0 by a free one and checks that a fixed one is free, before anything is started.
fn choose_ports(options: &mut Options) -> Result<()> {
    if !options.web {
        return Ok(());
    }
    if options.port != 0 {
        ports::check_free(local(options.port), "--port")?;
    }
    if let Some(port) = options.tls_port.filter(|port| *port != 0) {
        ports::check_free(local(port), "--tls-port")?;
    }
    let free = ports::free(2)?;
    let [first, second] = free.as_slice() else {
        bail!("two free ports were asked for")
    };
    if options.port == 0 {
        options.port = *first;
    }
    if options.tls_port == Some(0) {
        options.tls_port = Some(*second);
    }
    Ok(())
}

fn front(options: &Options) -> Front {
    Front {
        listen: local(options.port),
        tls: options.tls_port.map(local),
        hostname: options.hostname.clone(),
        trusted_proxies: options.trusted_proxies.clone(),
        picture_hosts: options.picture_hosts.clone(),
    }
}

fn api(options: &Options, data: &DataFolder, database: &Database, redis: Option<&Redis>) -> Result<Api> {
    let executable = match &options.api_executable {
        Some(path) => programs::named("--api", path)?,
        None => programs::built("trestle-api")
            .map_err(|error| Usage(format!("{error:#}, or name another with --api")))?,
    };
    let mut environment = vec![
        ("TRESTLE_DATABASE_URL".to_owned(), database.url()),
        (
            "TRESTLE_REDIS_URL".to_owned(),
            redis.map_or_else(String::new, Redis::url),
        ),
        (
            "TRESTLE_SECRETS_KEY_FILE".to_owned(),
            data.secrets_key()?.display().to_string(),
        ),
        // nginx, which asks from here, says who the client is.
        ("TRESTLE_TRUSTED_PROXIES".to_owned(), "127.0.0.1".to_owned()),
    ];
    if options.tls_port.is_some() {
        environment.push(("TRESTLE_COOKIE_SECURE".to_owned(), "on".to_owned()));
    }
    environment.extend(options.environment.clone());
    Ok(Api {
        executable,
        environment,
        data: data.clone(),
    })
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
