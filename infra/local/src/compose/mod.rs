//! The shop in containers: the same commands and the same names for a compose project that runs.
//!
//! A [`Compose`] holds nothing but names. It asks docker anew each time, blocks until docker has answered, and every question
//! is bounded in time. Invariant: nothing here ends the project; what it runs are its own containers and one helper that
//! sends a signal and is gone.

mod addresses;
mod commands;
mod container;
mod docker;
mod faults;
mod inspect;
mod replicas;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

pub(crate) use addresses::Addresses;
pub use container::Container;

use crate::control::Status;
use crate::options::Usage;
use crate::processes::ProcessInfo;
use crate::supervisor::{Phase, Report, Tier};
use docker::{SOON, docker};

/// The project that docker-compose.yml names.
pub const PROJECT: &str = "trestle";

/// A compose project.
#[derive(Clone)]
pub struct Compose {
    project: String,
    directory: Option<PathBuf>,
    files: Vec<PathBuf>,
    environment: Vec<(String, String)>,
    report: Report,
}

impl Compose {
    /// The project of this name. Nothing is asked yet.
    pub fn project(name: &str) -> Self {
        Self {
            project: name.to_owned(),
            directory: None,
            files: Vec::new(),
            environment: Vec::new(),
            report: Arc::new(|_| {}),
        }
    }

    /// The folder with the compose file; without this, the one that the project was started from.
    pub fn directory(mut self, folder: impl Into<PathBuf>) -> Self {
        self.directory = Some(whole(folder.into()));
        self
    }

    /// A compose file, of one or several; without this, those that the project was started with.
    pub fn file(mut self, file: impl Into<PathBuf>) -> Self {
        self.files.push(whole(file.into()));
        self
    }

    /// A variable for the compose file, beside those of this process.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Where progress goes.
    pub fn report(mut self, report: Report) -> Self {
        self.report = report;
        self
    }

    fn say(&self, line: &str) {
        (self.report)(line);
    }

    /// The project's containers, those that ended too, tier by tier from the front. One at least.
    pub fn containers(&self) -> Result<Vec<Container>> {
        let project = format!("label=com.docker.compose.project={}", self.project);
        let filters = [
            "--filter",
            &project,
            "--filter",
            "label=com.docker.compose.oneoff=False",
        ];
        let list = [&["ps", "--all", "--quiet", "--no-trunc"][..], &filters].concat();
        let found = |attempt: &str| {
            let ids = docker(&list, SOON)?;
            let ids: Vec<&str> = ids.lines().collect();
            if ids.is_empty() {
                bail!(
                    "nothing runs as compose project {}; start it with `make compose-up`",
                    self.project
                );
            }
            match docker(&[&["inspect"][..], &ids].concat(), SOON) {
                // One of them went away between the two questions.
                Err(error) if attempt == "first" && error.to_string().to_lowercase().contains("no such") => {
                    Ok(None)
                }
                inspected => inspect::parse(&inspected?).map(Some),
            }
        };
        match found("first")? {
            Some(containers) => Ok(containers),
            None => found("second")?.context("the project's containers change all the time"),
        }
    }

    /// One row a container, as of the local processes. `memory` is 0: [`Compose::status`] asks for it.
    pub fn processes(&self) -> Result<Vec<ProcessInfo>> {
        let containers = self.containers()?;
        Ok(rows(&containers))
    }

    /// All at one moment, with the memory that each takes: that alone takes docker 1.5 s.
    pub fn status(&self) -> Result<Status> {
        let containers = self.containers()?;
        let mut processes = rows(&containers);
        let memory = memory(&containers)?;
        for process in &mut processes {
            process.memory = memory.get(&process.log).copied().unwrap_or_default();
        }
        let web = containers.iter().find(|it| it.tier() == Some(Tier::Web));
        let database = containers.iter().find(|it| it.tier() == Some(Tier::Database));
        let volume = database.and_then(|it| it.volumes.first());
        Ok(Status {
            phase: Phase::Running,
            url: web.and_then(Container::url).unwrap_or_default(),
            data: volume.map_or_else(|| "the containers".to_owned(), |name| format!("volume {name}")),
            launcher_pid: None,
            authority: None,
            processes,
        })
    }

    /// The shop's address.
    pub fn url(&self) -> Result<String> {
        let web = self.find("nginx")?;
        web.url().context("nginx has no address: it does not run")
    }

    /// The container of this name: `api-2`, `nginx`, `redis`, `database`, or another service.
    pub fn find(&self, name: &str) -> Result<Container> {
        let containers = self.containers()?;
        named(&containers, name).cloned()
    }

    /// `docker compose` for this project, in its folder and with its files.
    fn compose(&self, containers: &[Container]) -> Result<Command> {
        let label = |name: &str| {
            let full = format!("com.docker.compose.project.{name}");
            let label = containers.iter().find_map(|it| it.labels.get(&full));
            label.cloned().unwrap_or_default()
        };
        let directory = self
            .directory
            .clone()
            .unwrap_or_else(|| PathBuf::from(label("working_dir")));
        if !directory.is_dir() {
            bail!(
                "the project was started from {}, which is gone",
                directory.display()
            );
        }
        let mut command = Command::new("docker");
        command.args(["compose", "--project-name", &self.project, "--project-directory"]);
        command.arg(&directory);
        if self.files.is_empty() && self.directory.is_none() {
            for file in label("config_files").split(',').filter(|file| !file.is_empty()) {
                command.args(["--file", file]);
            }
        }
        for file in &self.files {
            command.arg("--file").arg(file);
        }
        for file in label("environment_file")
            .split(',')
            .filter(|file| !file.is_empty())
        {
            command.args(["--env-file", file]);
        }
        command
            .current_dir(directory)
            .envs(self.environment.iter().cloned());
        Ok(command)
    }
}

/// From this process's folder; docker is run in another.
fn whole(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

fn named<'a>(containers: &'a [Container], name: &str) -> Result<&'a Container> {
    let known = |it: &&Container| it.name() == name || (it.service == name && name != "api");
    containers.iter().find(known).with_context(|| {
        let names: Vec<String> = shown(containers).map(Container::name).collect();
        Usage(format!("{name:?}: there are {}", names.join(", ")))
    })
}

fn shown(containers: &[Container]) -> impl Iterator<Item = &Container> {
    containers.iter().filter(|it| !it.is_done())
}

fn rows(containers: &[Container]) -> Vec<ProcessInfo> {
    shown(containers).map(Container::row).collect()
}

/// What each running container's cgroup holds, by the command that shows its log.
fn memory(containers: &[Container]) -> Result<BTreeMap<String, u64>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Stats {
        name: String,
        mem_usage: String,
    }
    let running = shown(containers).filter(|it| it.pid.is_some());
    let ids: Vec<&str> = running.map(|it| it.id.as_str()).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ask = ["stats", "--no-stream", "--no-trunc", "--format", "{{json .}}"];
    // One that ends meanwhile spoils the whole answer; the table is worth more than this column.
    let answer = docker(&[&ask[..], &ids].concat(), SOON).unwrap_or_default();
    let parse = |line: &str| {
        let stats: Stats = serde_json::from_str(line).context("what docker stats answered")?;
        Ok((format!("docker logs {}", stats.name), bytes(&stats.mem_usage)))
    };
    answer.lines().map(parse).collect()
}

/// `28.5MiB / 64MiB` in bytes.
fn bytes(usage: &str) -> u64 {
    let used = usage.split('/').next().unwrap_or_default().trim();
    let (number, unit) = used.split_at(
        used.find(|it: char| it.is_ascii_alphabetic())
            .unwrap_or(used.len()),
    );
    let scale = match unit {
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        _ => 1.0,
    };
    let bytes = number.parse::<f64>().unwrap_or_default() * scale;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "memory is not negative and far below 2^53"
    )]
    {
        bytes as u64
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn memory_is_read_as_docker_writes_it() {
        assert_eq!(bytes("500KiB / 23.54GiB"), 512_000);
        assert_eq!(bytes("28.5MiB / 96MiB"), 29_884_416);
        assert_eq!(bytes("1.5GiB / 2GiB"), 1_610_612_736);
        assert_eq!(bytes("0B / 0B"), 0);
        assert_eq!(bytes("-- / --"), 0);
    }
}
