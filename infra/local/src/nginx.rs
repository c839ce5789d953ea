//! The web tier as a process: an nginx of our own, and its graceful reload.
//!
//! Invariant: a reload is only asked for with a configuration that `nginx -t` accepts, and is finished only when the new
//! workers serve and the old ones are gone; then no request reaches a replica that is not in it any more.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;
use nix::unistd::Uid;
use tokio::process::Command;
use tokio::time::timeout;

use crate::data::DataFolder;
use crate::process::{Process, Program, describe, tail};
use crate::procfs::{self, Identity};
use crate::web::{self, Http2, Tls, WebConfig, WebTree};
use crate::{probe, programs, tls};

const READY_WITHIN: Duration = Duration::from_secs(15);
const RELOAD_WITHIN: Duration = Duration::from_secs(10);
/// Above `worker_shutdown_timeout` (25 s), after which nginx itself cuts what is left.
const FINISHED_WITHIN: Duration = Duration::from_secs(28);
/// Nearly every request ends within this.
const MOST_FINISHED_WITHIN: Duration = Duration::from_secs(3);

/// How long a reload waits for nginx's old workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldWorkers {
    /// Until the last one has finished: a replica is to go.
    Finish,
    /// Until most requests go by the new list: a replica came, or one that is gone already is forgotten.
    MostRequests,
}

#[derive(Debug, Clone)]
pub struct Nginx {
    executable: PathBuf,
    data: DataFolder,
    tree: WebTree,
    listen: SocketAddr,
    tls: Option<(Tls, PathBuf)>,
    hostname: Option<String>,
    trusted_proxies: Vec<String>,
    picture_hosts: Vec<String>,
}

/// What a stack's options say about the web tier.
#[derive(Debug, Clone)]
pub struct Front {
    pub listen: SocketAddr,
    /// The https address; a private certificate is made for it.
    pub tls: Option<SocketAddr>,
    pub hostname: Option<String>,
    pub trusted_proxies: Vec<String>,
    pub picture_hosts: Vec<String>,
}

impl Nginx {
    pub fn find(data: &DataFolder, front: &Front) -> Result<Self> {
        let executable = programs::required("nginx", "nginx-core")?;
        let tls = front
            .tls
            .map(|listen| certificate(data, &executable, listen, front.hostname.as_deref()))
            .transpose()?;
        Ok(Self {
            executable,
            data: data.clone(),
            tree: WebTree::find()?,
            listen: front.listen,
            tls,
            hostname: front.hostname.clone(),
            trusted_proxies: front.trusted_proxies.clone(),
            picture_hosts: front.picture_hosts.clone(),
        })
    }

    /// The shop's address for people and tests.
    pub fn url(&self) -> String {
        match &self.tls {
            Some((tls, _)) => tls
                .listen
                .first()
                .map_or_else(String::new, |address| format!("https://{address}")),
            None => format!("http://{}", self.listen),
        }
    }

    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// The certificate of the private authority that signed ours, for clients to trust.
    pub fn authority(&self) -> Option<&Path> {
        self.tls.as_ref().map(|(_, authority)| authority.as_path())
    }

    /// Writes the configuration for these replicas and starts the server.
    pub async fn start(&self, upstreams: &[SocketAddr]) -> Result<Process> {
        let configuration = self.configure(upstreams).await?;
        let program = self.program(&configuration).arg("-g").arg("daemon off;");
        Process::spawn(&program, &self.data)
    }

    pub async fn ready(&self, process: &Process) -> Result<()> {
        let answered = probe::until(READY_WITHIN, || async {
            !process.is_running() || matches!(probe::http_status(self.listen, "/healthz").await, Ok(200))
        })
        .await;
        if let Some(status) = process.status() {
            bail!("nginx ended at start ({}); {}", describe(status), process.tail());
        }
        answered.with_context(|| {
            format!(
                "nginx does not answer {}/healthz; {}",
                self.listen,
                process.tail()
            )
        })
    }

    /// Gives a running nginx another list of replicas and waits until requests go by it: until every worker that knew the
    /// old list has finished its last request. False when some had not within their time.
    pub async fn reload(
        &self,
        process: &Process,
        upstreams: &[SocketAddr],
        wait: OldWorkers,
    ) -> Result<bool> {
        self.configure(upstreams).await?;
        let old = workers(process.pid());
        process.signal(Signal::SIGHUP)?;
        let is_new = |worker: &Identity| !old.contains(worker);
        probe::until(RELOAD_WITHIN, || async {
            !process.is_running() || workers(process.pid()).iter().any(is_new)
        })
        .await
        .with_context(|| format!("nginx did not take its new configuration; {}", self.error_tail()))?;
        let limit = match wait {
            OldWorkers::Finish => FINISHED_WITHIN,
            OldWorkers::MostRequests => MOST_FINISHED_WITHIN,
        };
        Ok(
            probe::until(limit, || async { !old.iter().any(Identity::is_alive) })
                .await
                .is_ok(),
        )
    }

    /// Renders the configuration and has nginx check it.
    async fn configure(&self, upstreams: &[SocketAddr]) -> Result<PathBuf> {
        let config = WebConfig {
            listen: vec![self.listen],
            tls: self.tls.as_ref().map(|(tls, _)| tls.clone()),
            upstreams: upstreams.to_vec(),
            storefront: self.tree.storefront.clone(),
            templates: self.tree.templates.clone(),
            release: self.tree.release.clone(),
            run_dir: self.data.path("nginx"),
            log_dir: self.data.path("logs"),
            run_as_root: Uid::effective().is_root(),
            hostname: self.hostname.clone(),
            trusted_proxies: self.trusted_proxies.clone(),
            picture_hosts: self.picture_hosts.clone(),
        };
        let path =
            web::render(&config, &self.data.path("nginx").join("conf")).context("nginx's configuration")?;
        let program = self.program(&path).arg("-t").arg("-q");
        let check = Command::new(&program.executable)
            .args(&program.arguments)
            .current_dir(self.data.root())
            .env_remove("NGINX")
            .kill_on_drop(true)
            .output();
        let output = timeout(READY_WITHIN, check)
            .await
            .context("nginx -t gives no answer")?
            .context("running nginx -t")?;
        if !output.status.success() {
            bail!(
                "nginx refuses its configuration: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(path)
    }

    fn program(&self, configuration: &Path) -> Program {
        Program::new("nginx", &self.executable)
            .arg("-p")
            .arg(self.data.path("nginx"))
            .arg("-e")
            .arg(self.error_log())
            .arg("-c")
            .arg(configuration)
    }

    fn error_log(&self) -> PathBuf {
        self.data.path("logs").join("error.log")
    }

    fn error_tail(&self) -> String {
        tail(&self.error_log(), 0, 5)
    }
}

fn workers(master: i32) -> Vec<Identity> {
    let boot = procfs::boot();
    procfs::children(master)
        .into_iter()
        .map(|stat| Identity {
            pid: stat.pid,
            started: stat.started,
            boot: boot.clone(),
        })
        .collect()
}

fn certificate(
    data: &DataFolder,
    nginx: &Path,
    listen: SocketAddr,
    hostname: Option<&str>,
) -> Result<(Tls, PathBuf)> {
    let own = hostname.map(|name| [name.to_owned(), format!("www.{name}")]);
    let names: Vec<String> = own
        .into_iter()
        .flatten()
        .chain(["localhost", "127.0.0.1", "::1"].map(ToOwned::to_owned))
        .collect();
    let files = tls::private_certificate(&data.path("tls"), &names)?;
    let tls = Tls {
        certificate: files.certificate,
        key: files.key,
        listen: vec![listen],
        http2: Http2::of(nginx)?,
    };
    Ok((tls, files.authority))
}
