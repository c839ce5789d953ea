//! The view of a stack's processes: what the table and `status --json` show.

use serde::{Deserialize, Serialize};

use crate::nginx::Nginx;
use crate::procfs;
use crate::supervisor::{Service, Supervisor, Tier, replica_number};

/// One row of the table and of `status --json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProcessInfo {
    pub name: String,
    /// `ready`, `starting`, `frozen`, `down`, `held` or `draining`; of a container also `unhealthy`.
    pub state: String,
    pub address: String,
    /// The operations address of a replica (`/` lists its pages).
    pub ops_address: Option<String>,
    pub pid: Option<i32>,
    /// Resident bytes, of nginx with its workers; of a container what its cgroup holds, where that was asked for.
    pub memory: u64,
    /// How often it was started again after it had ended by itself.
    pub restarts: u32,
    /// Its log file, or the command that shows its log.
    pub log: String,
}

impl Supervisor {
    /// All processes, tier by tier from the front.
    pub fn processes(&self) -> Vec<ProcessInfo> {
        let state = self.state();
        let mut rows: Vec<(usize, ProcessInfo)> = state
            .services
            .iter()
            .map(|(name, service)| (rank(name), self.info(name, service)))
            .collect();
        rows.sort_by_key(|(rank, _)| *rank);
        rows.into_iter().map(|(_, row)| row).collect()
    }

    fn info(&self, name: &str, service: &Service) -> ProcessInfo {
        let process = service.process.as_ref().filter(|process| process.is_running());
        let state = match process {
            _ if service.draining => "draining",
            None if service.held => "held",
            None => "down",
            Some(process) if process.is_frozen() => "frozen",
            Some(_) if service.ready => "ready",
            Some(_) => "starting",
        };
        let address = match Tier::of(name) {
            Some(Tier::Database) => self.database.socket().display().to_string(),
            Some(Tier::Redis) => self
                .redis
                .as_ref()
                .map_or_else(String::new, |redis| redis.socket().display().to_string()),
            Some(Tier::Web) => self.nginx.as_ref().map_or_else(String::new, Nginx::url),
            Some(Tier::Api) | None => service
                .addresses
                .map_or_else(String::new, |addresses| addresses.api.to_string()),
        };
        ProcessInfo {
            name: name.to_owned(),
            state: state.to_owned(),
            address,
            ops_address: service.addresses.map(|addresses| addresses.ops.to_string()),
            pid: process.map(|process| process.pid()),
            memory: process.map_or(0, |process| procfs::group_memory(process.pid())),
            restarts: service.restarts,
            log: self.data.log(name).display().to_string(),
        }
    }
}

/// The order of the table; replicas by number, not by letter.
pub(crate) fn rank(name: &str) -> usize {
    match Tier::of(name) {
        Some(Tier::Web) => 0,
        Some(Tier::Api) => replica_number(name).unwrap_or(1),
        Some(Tier::Redis) => usize::MAX - 2,
        Some(Tier::Database) => usize::MAX - 1,
        None => usize::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_stand_between_nginx_and_the_data_tier_by_number() {
        let mut names = ["database", "api-10", "redis", "api-2", "nginx"];
        names.sort_by_key(|name| rank(name));
        assert_eq!(names, ["nginx", "api-2", "api-10", "redis", "database"]);
    }
}
