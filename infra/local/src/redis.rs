//! The Redis tier: a cache of our own on a Unix socket, with nothing written to disk.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::data::DataFolder;
use crate::database::encode;
use crate::process::{Process, Program, describe};
use crate::{probe, programs};

const READY_WITHIN: Duration = Duration::from_secs(15);

#[derive(Debug, Clone)]
pub struct Redis {
    executable: PathBuf,
    data: DataFolder,
    socket: PathBuf,
    /// Of the caller.
    arguments: Vec<String>,
}

impl Redis {
    pub fn find(arguments: &[String], data: &DataFolder, run: &Path) -> Result<Self> {
        let executable = programs::installed(&["redis-server", "valkey-server"]).context(
            "redis-server is not installed; `make up` installs it, or install the package redis-server",
        )?;
        Ok(Self {
            executable,
            data: data.clone(),
            socket: run.join("redis.sock"),
            arguments: arguments.to_vec(),
        })
    }

    pub fn start(&self) -> Result<Process> {
        // A killed server leaves its socket, which would answer the readiness question with "refused" only.
        crate::data::remove_file(&self.socket)?;
        let program = Program::new("redis", &self.executable)
            .arg("--port")
            .arg("0")
            .arg("--unixsocket")
            .arg(&self.socket)
            .arg("--unixsocketperm")
            .arg("700")
            .arg("--dir")
            .arg(self.data.path("redis"))
            // A cache: what is lost is read again from the database.
            .arg("--save")
            .arg("")
            .arg("--appendonly")
            .arg("no")
            .arg("--maxmemory")
            .arg("64mb")
            .arg("--maxmemory-policy")
            .arg("allkeys-lru")
            .arg("--daemonize")
            .arg("no");
        let program = self.arguments.iter().fold(program, Program::arg);
        Process::spawn(&program, &self.data)
    }

    pub async fn ready(&self, process: &Process) -> Result<()> {
        let answered = probe::until(READY_WITHIN, || async {
            !process.is_running() || probe::redis_answers(&self.socket).await
        })
        .await;
        if let Some(status) = process.status() {
            bail!("redis ended at start ({}); {}", describe(status), process.tail());
        }
        answered.with_context(|| format!("redis is not ready; {}", process.tail()))
    }

    pub fn url(&self) -> String {
        format!("redis+unix://{}", encode(&self.socket.to_string_lossy()))
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }
}
