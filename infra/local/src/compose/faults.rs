//! Faults: signals from the host, freezing, holding down and starting again.
//!
//! Docker takes `docker kill` and `docker stop` for a stop by hand, after which no restart policy starts the container
//! again: here that is "held down". A fault that is to be repaired is a signal to the container's main process from the
//! host, sent by a helper container in the host's process namespace; so it works for whoever may use docker, and where
//! the engine runs in a virtual machine.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;

use super::docker::{SOON, docker};
use super::{Compose, Container, named};
use crate::stress::check_name;
use crate::supervisor::Tier;

/// Longer than the longest grace period, MySQL's 60 s.
pub(super) const STOPPED_WITHIN: Duration = Duration::from_secs(90);
/// MySQL's first start on a slow disk is the longest.
pub(super) const READY_WITHIN: Duration = Duration::from_secs(150);
const LOOK_EVERY: Duration = Duration::from_millis(200);

impl Compose {
    /// SIGKILL to these containers' main processes, all at once; their restart policy starts them again.
    pub fn kill(&self, names: &[&str]) -> Result<()> {
        self.signal(names, Signal::SIGKILL)
    }

    /// Any signal to these containers' main processes, all at once; what dies of it is started again.
    pub fn signal(&self, names: &[&str], signal: Signal) -> Result<()> {
        match signal {
            Signal::SIGSTOP => return names.iter().try_for_each(|name| self.pause(name)),
            Signal::SIGCONT => return names.iter().try_for_each(|name| self.resume(name)),
            _ => {}
        }
        let containers = self.containers()?;
        let targets = names
            .iter()
            .map(|name| named(&containers, name))
            .collect::<Result<Vec<&Container>>>()?;
        // The image that is here for sure: of the API's, of which one was found to serve or to have served.
        let api = containers.iter().find(|it| it.tier() == Some(Tier::Api));
        let image = &api
            .context("there is no replica, whose image has the shell for this")?
            .image;
        send(signal, image, &targets)?;
        // A frozen process dies of it once it is thawed.
        let frozen = targets.iter().filter(|it| it.state == "paused");
        frozen.into_iter().try_for_each(|it| quietly("unpause", it))
    }

    /// Freezes a container: its processes keep their connections and answer nothing.
    pub fn pause(&self, name: &str) -> Result<()> {
        quietly("pause", &self.find(name)?)
    }

    pub fn resume(&self, name: &str) -> Result<()> {
        quietly("unpause", &self.find(name)?)
    }

    /// Burns CPU in a replica's container, and so in its allowance, for so many seconds; returns when that has begun.
    pub fn stress(&self, name: &str, seconds: u64) -> Result<()> {
        check_name(name)?;
        let container = self.find(name)?;
        if container.state != "running" {
            bail!("{name} is {}: it cannot burn CPU", container.condition());
        }
        let seconds = seconds.to_string();
        docker(&burn(&container.id, &seconds), SOON)
            .with_context(|| container.name())
            .map(drop)
    }

    /// SIGKILL to a container, which then stays down.
    pub fn kill_and_hold(&self, name: &str) -> Result<()> {
        quietly("kill", &self.thawed(name)?)
    }

    /// Ends a container in order; it then stays down.
    pub fn stop_process(&self, name: &str) -> Result<()> {
        quietly("stop", &self.thawed(name)?)
    }

    /// Starts a container that was held down, or ends and starts one that runs; returns when it is ready.
    pub fn restart_process(&self, name: &str) -> Result<()> {
        let container = self.thawed(name)?;
        quietly("restart", &container)?;
        let start = Instant::now();
        loop {
            let now = self.find(name)?;
            if now.is_ready() {
                return Ok(());
            }
            if start.elapsed() > READY_WITHIN {
                bail!(
                    "{name} is {} after {} s; see `docker logs {}`",
                    now.condition(),
                    READY_WITHIN.as_secs(),
                    now.docker_name
                );
            }
            sleep(LOOK_EVERY);
        }
    }

    /// The container, no longer frozen: docker ends no frozen one.
    fn thawed(&self, name: &str) -> Result<Container> {
        let container = self.find(name)?;
        if container.state == "paused" {
            quietly("unpause", &container)?;
        }
        Ok(container)
    }
}

/// The pids are of a moment ago, and the helper takes half a second: far less than it takes to give a number again.
fn send(signal: Signal, image: &str, targets: &[&Container]) -> Result<()> {
    let pids = targets
        .iter()
        .map(|it| match it.pid {
            Some(pid) => Ok(pid.to_string()),
            None => bail!("{} does not run", it.name()),
        })
        .collect::<Result<Vec<String>>>()?;
    let name = signal.as_str().trim_start_matches("SIG");
    let mut arguments = vec![
        "run",
        "--rm",
        "--pull",
        "never",
        "--network",
        "none",
        "--pid",
        "host",
        "--user",
        "0",
        "--cap-drop",
        "ALL",
        "--cap-add",
        "KILL",
        "--security-opt",
        "no-new-privileges",
        "--read-only",
        "--entrypoint",
        "sh",
        image,
        "-c",
        r#"signal=$1; shift; kill -s "$signal" "$@""#,
        "kill",
        name,
    ];
    arguments.extend(pids.iter().map(String::as_str));
    docker(&arguments, SOON).map(drop)
}

/// A process of the container: it has the container's quota, is counted with it, and ends with it.
fn burn<'a>(id: &'a str, seconds: &'a str) -> [&'a str; 7] {
    [
        "exec",
        "--detach",
        id,
        "trestle-api",
        "burn",
        "--seconds",
        seconds,
    ]
}

fn quietly(verb: &str, container: &Container) -> Result<()> {
    docker(&[verb, &container.id], STOPPED_WITHIN)
        .with_context(|| container.name())
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_burned_inside_the_container_and_not_waited_for() {
        assert_eq!(
            burn("4f2a", "120").join(" "),
            "exec --detach 4f2a trestle-api burn --seconds 120"
        );
    }

    #[test]
    fn only_replicas_burn_and_docker_is_not_asked() {
        let error = Compose::project("none").stress("redis", 1).err();
        assert!(error.is_some_and(|error| error.to_string().contains("only replicas")));
    }
}
