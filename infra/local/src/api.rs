//! The API tier: trestle-api's replicas, and its one-shot commands with the stack's environment.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::time::timeout;

use crate::data::DataFolder;
use crate::process::{Process, Program, describe};
use crate::{ports, probe};

const READY_WITHIN: Duration = Duration::from_secs(30);
const MIGRATE_WITHIN: Duration = Duration::from_secs(300);
/// How often a replica is started again at another port when somebody took its port in between.
const PORT_TRIES: u32 = 4;

/// trestle-api and what all its processes are told.
#[derive(Debug, Clone)]
pub struct Api {
    pub executable: PathBuf,
    pub environment: Vec<(String, String)>,
    pub data: DataFolder,
}

/// Where a replica listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    pub api: SocketAddr,
    pub ops: SocketAddr,
}

impl Api {
    /// Starts a replica at free ports. The process is handed to `started` before the wait for its readiness, so that
    /// whoever ends the stack meanwhile knows it.
    pub async fn start(
        &self,
        name: &str,
        started: impl Fn(Process, Addresses) -> Result<Arc<Process>>,
    ) -> Result<()> {
        for attempt in 1..=PORT_TRIES {
            let ports = ports::free(2)?;
            let [api, ops] = ports.as_slice() else {
                bail!("two free ports were asked for")
            };
            let addresses = Addresses {
                api: (Ipv4Addr::LOCALHOST, *api).into(),
                ops: (Ipv4Addr::LOCALHOST, *ops).into(),
            };
            let process = started(self.spawn(name, addresses)?, addresses)?;
            let lost_the_port = || process.status().is_some() && is_port_taken(&process.tail());
            match self.ready(&process, addresses).await {
                Err(_) if attempt < PORT_TRIES && lost_the_port() => {}
                other => return other,
            }
        }
        Ok(())
    }

    fn spawn(&self, name: &str, addresses: Addresses) -> Result<Process> {
        let own = [
            ("TRESTLE_LISTEN", addresses.api.to_string()),
            ("TRESTLE_OPS_LISTEN", addresses.ops.to_string()),
            ("TRESTLE_REPLICA", name.to_owned()),
        ];
        let program = Program::new(name, &self.executable)
            .arg("serve")
            .environment(self.environment.clone())
            .environment(own.map(|(name, value)| (name.to_owned(), value)).to_vec());
        Process::spawn(&program, &self.data)
    }

    async fn ready(&self, process: &Process, addresses: Addresses) -> Result<()> {
        let name = &process.name;
        let answered = probe::until(READY_WITHIN, || async {
            !process.is_running() || matches!(probe::http_status(addresses.ops, "/readyz").await, Ok(200))
        })
        .await;
        if let Some(status) = process.status() {
            bail!("{name} ended at start ({}); {}", describe(status), process.tail());
        }
        answered.with_context(|| format!("{name} is not ready; {}", process.tail()))
    }

    /// Starts a one-shot command (`migrate`, `seed …`) whose output goes to the log of that name.
    pub fn command(&self, arguments: &[String]) -> Result<Process> {
        let name = arguments.first().map_or("api", String::as_str);
        let program = arguments
            .iter()
            .fold(Program::new(name, &self.executable), Program::arg);
        Process::spawn(&program.environment(self.environment.clone()), &self.data)
    }

    /// Waits for a one-shot command; migrations are bounded, seeding takes what it takes.
    pub async fn finish(process: &Process) -> Result<()> {
        let status = if process.name == "migrate" {
            let Ok(status) = timeout(MIGRATE_WITHIN, process.wait()).await else {
                process.kill();
                bail!(
                    "migrations took more than {} s; {}",
                    MIGRATE_WITHIN.as_secs(),
                    process.tail()
                );
            };
            status
        } else {
            process.wait().await
        };
        process.forget();
        check(process, status)
    }
}

fn check(process: &Process, status: ExitStatus) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    bail!(
        "trestle-api {} failed ({}); {}",
        process.name,
        describe(status),
        process.tail()
    );
}

/// Whether a log's end says that an address was taken.
pub fn is_port_taken(log: &str) -> bool {
    let log = log.to_ascii_lowercase();
    [
        "address already in use",
        "address in use",
        "eaddrinuse",
        "os error 98",
    ]
    .iter()
    .any(|text| log.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_port_is_told_from_other_failures() {
        assert!(is_port_taken("Error: Address already in use (os error 98)"));
        assert!(is_port_taken(
            "nginx: [emerg] bind() to 127.0.0.1:8080 failed (98: Address already in use)"
        ));
        assert!(!is_port_taken("TRESTLE_CURRENCY is not an ISO 4217 code"));
    }
}
