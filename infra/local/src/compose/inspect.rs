//! What `docker inspect` says, as far as it is needed.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::Container;
use crate::processes::rank;

const SERVICE: &str = "com.docker.compose.service";
const NUMBER: &str = "com.docker.compose.container-number";

/// The containers of such an answer, in the order of the table.
pub(super) fn parse(json: &str) -> Result<Vec<Container>> {
    let inspected: Vec<Inspected> = serde_json::from_str(json).context("what docker inspect answered")?;
    let mut containers: Vec<Container> = inspected.into_iter().map(Container::from).collect();
    containers.sort_by_key(|container| (rank(&container.name()), container.docker_name.clone()));
    Ok(containers)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    name: String,
    image: String,
    state: State,
    restart_count: u32,
    config: Config,
    network_settings: NetworkSettings,
    #[serde(default)]
    mounts: Vec<Mount>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    status: String,
    pid: i32,
    exit_code: i32,
    health: Option<Health>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Health {
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    image: String,
    labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkSettings {
    networks: BTreeMap<String, Network>,
    #[serde(default)]
    ports: Option<BTreeMap<String, Option<Vec<Published>>>>,
}

#[derive(Deserialize)]
struct Network {
    #[serde(rename = "IPAddress", default)]
    address: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Published {
    host_ip: String,
    host_port: String,
}

#[derive(Deserialize)]
struct Mount {
    #[serde(rename = "Name")]
    name: Option<String>,
    #[serde(rename = "RW")]
    is_writable: bool,
}

impl Published {
    /// As this machine reaches it; one that is published everywhere is at the loopback address, too.
    fn address(&self) -> Option<String> {
        match self.host_ip.as_str() {
            "" | "0.0.0.0" => Some(format!("127.0.0.1:{}", self.host_port)),
            other if other.contains(':') => None,
            other => Some(format!("{other}:{}", self.host_port)),
        }
    }
}

impl From<Inspected> for Container {
    fn from(it: Inspected) -> Self {
        let label = |name: &str| it.config.labels.get(name).cloned().unwrap_or_default();
        let ports = it.network_settings.ports.unwrap_or_default();
        Self {
            service: label(SERVICE),
            number: label(NUMBER).parse().unwrap_or(1),
            id: it.id,
            docker_name: it.name.trim_start_matches('/').to_owned(),
            state: it.state.status,
            health: it
                .state
                .health
                .map(|health| health.status)
                .filter(|status| status != "none"),
            pid: Some(it.state.pid).filter(|pid| *pid > 0),
            exit_code: it.state.exit_code,
            restarts: it.restart_count,
            image: it.image,
            image_name: it.config.image,
            addresses: it
                .network_settings
                .networks
                .into_iter()
                .map(|(name, network)| (name, network.address))
                .filter(|(_, address)| !address.is_empty())
                .collect(),
            published: ports.values().flatten().flatten().find_map(Published::address),
            volumes: it
                .mounts
                .into_iter()
                .filter(|mount| mount.is_writable)
                .filter_map(|mount| mount.name)
                .collect(),
            labels: it.config.labels,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]
    use serde_json::{Value, json};

    use super::*;

    /// What docker inspect says of a container that runs, without what nobody here reads.
    fn inspected(service: &str, number: usize, address: &str) -> Value {
        json!({
            "Id": format!("{service}{number}"),
            "Name": format!("/shop-{service}-{number}"),
            "Image": "sha256:1",
            "State": {"Status": "running", "Pid": 4000 + number, "ExitCode": 0, "Health": {"Status": "healthy", "Log": []}},
            "RestartCount": 1,
            "Mounts": [],
            "Config": {"Image": "shop:local", "Labels": {
                "com.docker.compose.service": service,
                "com.docker.compose.container-number": number.to_string(),
            }},
            "NetworkSettings": {"Ports": {}, "Networks": {
                "shop_data": {"IPAddress": "10.0.1.9"},
                "shop_app": {"IPAddress": address},
            }},
        })
    }

    fn one(json: Value) -> Container {
        parse(&json!([json]).to_string()).unwrap().remove(0)
    }

    #[test]
    fn containers_are_named_and_ordered_as_local_processes() {
        let all = json!([
            inspected("prometheus", 1, ""),
            inspected("mysql", 1, ""),
            inspected("api", 10, ""),
            inspected("redis", 1, ""),
            inspected("api", 2, ""),
            inspected("web", 1, ""),
        ]);
        let containers = parse(&all.to_string()).unwrap();
        let names: Vec<String> = containers.iter().map(Container::name).collect();
        assert_eq!(
            names,
            ["nginx", "api-2", "api-10", "redis", "database", "prometheus"]
        );
    }

    #[test]
    fn a_replica_is_shown_at_its_address_in_the_network_of_the_app() {
        let row = one(inspected("api", 2, "10.0.0.7")).row();
        assert_eq!((row.name.as_str(), row.state.as_str()), ("api-2", "ready"));
        assert_eq!(row.address, "10.0.0.7:8000");
        assert_eq!(row.ops_address.as_deref(), Some("10.0.0.7:9000"));
        assert_eq!((row.pid, row.restarts), (Some(4002), 1));
        assert_eq!(row.log, "docker logs shop-api-2");
    }

    #[test]
    fn the_shop_is_at_the_port_that_the_host_publishes() {
        let mut web = inspected("web", 1, "10.0.0.5");
        assert_eq!(one(web.clone()).url().unwrap(), "http://10.0.0.5:8080");
        for (address, shown) in [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1")] {
            web["NetworkSettings"]["Ports"] = json!({
                "80/tcp": null,
                "8080/tcp": [{"HostIp": "::", "HostPort": "1"}, {"HostIp": address, "HostPort": "8081"}],
            });
            assert_eq!(one(web.clone()).row().address, format!("http://{shown}:8081"));
        }
    }

    #[test]
    fn states_are_told_in_the_words_of_the_table() {
        for (status, health, expected) in [
            ("running", json!({"Status": "healthy"}), "ready"),
            ("running", Value::Null, "ready"),
            ("running", json!({"Status": "none"}), "ready"),
            ("running", json!({"Status": "starting"}), "starting"),
            ("running", json!({"Status": "unhealthy"}), "unhealthy"),
            ("restarting", json!({"Status": "unhealthy"}), "starting"),
            ("paused", json!({"Status": "healthy"}), "frozen"),
            ("removing", Value::Null, "draining"),
            ("exited", json!({"Status": "unhealthy"}), "down"),
            ("created", Value::Null, "down"),
        ] {
            let mut api = inspected("api", 1, "");
            api["State"]["Status"] = json!(status);
            api["State"]["Health"] = health;
            assert_eq!(one(api).condition(), expected, "{status}");
        }
    }

    #[test]
    fn one_that_ended_has_neither_pid_nor_address_and_a_finished_job_is_done() {
        let mut job = inspected("migrate", 1, "");
        job["State"] = json!({"Status": "exited", "Pid": 0, "ExitCode": 0});
        job["NetworkSettings"] = json!({"Ports": null, "Networks": {"shop_data": {"IPAddress": ""}}});
        let container = one(job.clone());
        assert!(container.is_done() && container.pid.is_none() && container.address().is_none());
        job["State"]["ExitCode"] = json!(1);
        assert!(!one(job).is_done());
    }

    #[test]
    fn a_replica_that_is_being_replaced_says_how_many_there_are_to_be() {
        let mut api = inspected("api", 3, "");
        assert_eq!(one(api.clone()).leaving(), None);
        api["Name"] = json!("/shop-api-3-of-2-leaving");
        let leaving = one(api);
        assert_eq!((leaving.leaving(), leaving.condition()), (Some(2), "draining"));
    }
}
