//! One container and its row in the table: names and states are those of the local processes.

use std::collections::BTreeMap;

use crate::processes::ProcessInfo;
use crate::supervisor::Tier;

/// The end of the name of a replica that `roll` is replacing; before it stands how many replicas there are to be.
pub(super) const LEAVING: &str = "-leaving";

/// A container of the project.
#[derive(Debug, Clone)]
pub struct Container {
    pub id: String,
    /// As docker has it: `trestle-api-1`.
    pub docker_name: String,
    /// `api`, `web`, `mysql`, `redis`, `migrate` …
    pub service: String,
    pub number: usize,
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`.
    pub state: String,
    /// `starting`, `healthy` or `unhealthy`; `None` without a health check.
    pub health: Option<String>,
    /// Of its main process, as the engine's host counts.
    pub pid: Option<i32>,
    pub exit_code: i32,
    pub restarts: u32,
    /// The id of the image that it runs, and the name it was started by.
    pub image: String,
    pub image_name: String,
    /// The name of each network, and its address there; none while it does not run.
    pub addresses: BTreeMap<String, String>,
    /// Where the host publishes its first port: `127.0.0.1:8080`.
    pub published: Option<String>,
    /// The volumes that it writes to.
    pub volumes: Vec<String>,
    pub labels: BTreeMap<String, String>,
}

impl Container {
    /// As the local process is named: `nginx`, `api-2`, `redis`, `database`; of other services the service's name.
    pub fn name(&self) -> String {
        match self.service.as_str() {
            "web" => "nginx".to_owned(),
            "mysql" => "database".to_owned(),
            "api" => format!("api-{}", self.number),
            other => other.to_owned(),
        }
    }

    pub fn tier(&self) -> Option<Tier> {
        Tier::of(&self.name())
    }

    /// How the table calls its state.
    pub fn condition(&self) -> &'static str {
        match (self.state.as_str(), self.health.as_deref()) {
            ("removing", _) => "draining",
            ("running", Some("unhealthy")) => "unhealthy",
            ("running", Some("starting")) | ("restarting", _) => "starting",
            ("running", _) if self.leaving().is_some() => "draining",
            ("running", _) => "ready",
            ("paused", _) => "frozen",
            _ => "down",
        }
    }

    pub fn is_ready(&self) -> bool {
        self.condition() == "ready"
    }

    /// A one-shot that did what it was for.
    pub fn is_done(&self) -> bool {
        self.tier().is_none() && self.state == "exited" && self.exit_code == 0
    }

    /// Of a replica that `roll` is replacing: how many replicas there are to be in the end.
    pub(super) fn leaving(&self) -> Option<usize> {
        self.docker_name
            .strip_suffix(LEAVING)?
            .rsplit('-')
            .next()?
            .parse()
            .ok()
    }

    /// Its address in a network that it shares with who asks: a replica's in `app`, where its operations port is, too.
    pub fn address(&self) -> Option<&str> {
        let app = self
            .addresses
            .iter()
            .find(|(network, _)| network.ends_with("_app"));
        app.or_else(|| self.addresses.iter().next())
            .map(|(_, address)| address.as_str())
    }

    fn at(&self, port: u16) -> Option<String> {
        Some(format!("{}:{port}", self.address()?))
    }

    /// The shop's address as the host has it.
    pub fn url(&self) -> Option<String> {
        let at = self.published.clone().or_else(|| self.at(8080))?;
        Some(format!("http://{at}"))
    }

    pub(super) fn row(&self) -> ProcessInfo {
        let tier = self.tier();
        let address = match tier {
            Some(Tier::Web) => self.url(),
            Some(Tier::Api) => self.at(8000),
            Some(Tier::Redis) => self.at(6379),
            Some(Tier::Database) => self.at(3306),
            None => self
                .published
                .clone()
                .or_else(|| self.address().map(str::to_owned)),
        };
        ProcessInfo {
            name: self.name(),
            state: self.condition().to_owned(),
            address: address.unwrap_or_default(),
            ops_address: self.at(9000).filter(|_| tier == Some(Tier::Api)),
            pid: self.pid,
            memory: 0,
            restarts: self.restarts,
            log: format!("docker logs {}", self.docker_name),
        }
    }
}
