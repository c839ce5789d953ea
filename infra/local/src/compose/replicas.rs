//! More replicas, fewer, and new ones in place of all: with no failed request.
//!
//! Invariant: a replica is stopped only while as many as are wanted are healthy without it; SIGTERM lets it drain.

use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use super::container::LEAVING;
use super::docker::{SOON, docker, last_words, run};
use super::faults::{READY_WITHIN, STOPPED_WITHIN};
use super::{Compose, Container};
use crate::options::{MOST_REPLICAS, Usage};
use crate::supervisor::Tier;

impl Compose {
    /// Starts replicas or drains those with the highest numbers until there are `count`, all healthy.
    pub fn scale(&self, count: usize) -> Result<()> {
        if !(1..=MOST_REPLICAS).contains(&count) {
            bail!(Usage(format!("{count} replicas: 1 to {MOST_REPLICAS}")));
        }
        self.scale_to(count)
    }

    /// Replaces all replicas by as many new ones of the image that the service has now.
    ///
    /// Those on their way out bear that and the wanted number in their names, so that after an interruption the next
    /// `roll` goes on where this one was. Answers how many there are.
    pub fn roll(&self) -> Result<usize> {
        let (leaving, wanted) = self.mark()?;
        self.say(&format!(
            "api        {wanted} new replicas beside {}",
            list(&leaving)
        ));
        if let Err(error) = self.scale_to(leaving.len() + wanted) {
            self.give_up(&leaving);
            return Err(error.context("the replicas that were there serve on"));
        }
        self.remove(&leaving)?;
        // More than wanted only if somebody else scaled meanwhile.
        if self.replicas()?.len() != wanted {
            self.scale_to(wanted)?;
        }
        Ok(wanted)
    }

    /// The replicas by number, also those that are down.
    fn replicas(&self) -> Result<Vec<Container>> {
        let mut all = self.containers()?;
        all.retain(|it| it.tier() == Some(Tier::Api));
        Ok(all)
    }

    fn scale_to(&self, count: usize) -> Result<()> {
        let before = self.replicas()?;
        let start = Instant::now();
        let seconds = READY_WITHIN.as_secs().to_string();
        let scale = format!("api={count}");
        let mut command = self.compose(&before)?;
        command.args(["up", "--detach", "--no-deps", "--no-recreate", "--no-build"]);
        command.args(["--wait", "--wait-timeout", &seconds, "--scale", &scale, "api"]);
        run(&mut command, READY_WITHIN + STOPPED_WITHIN)?;
        let after = self.replicas()?;
        let took = start.elapsed().as_secs_f32();
        let is_in = |it: &Container, those: &[Container]| those.iter().any(|other| other.id == it.id);
        for it in after.iter().filter(|it| !is_in(it, &before)) {
            self.say(&format!("{:<10} ready ({took:.1} s)", it.name()));
        }
        for it in before.iter().filter(|it| !is_in(it, &after)) {
            self.say(&format!("{:<10} drained ({took:.1} s)", it.name()));
        }
        Ok(())
    }

    /// Which replicas are to leave, marked as such, and how many there are to be.
    fn mark(&self) -> Result<(Vec<Container>, usize)> {
        let replicas = self.replicas()?;
        let begun = replicas.iter().find_map(Container::leaving);
        let wanted = begun.unwrap_or(replicas.len());
        let most = MOST_REPLICAS / 2;
        if !(1..=most).contains(&wanted) {
            // For a moment there are twice as many, each with its connections to the database.
            bail!(Usage(format!(
                "roll with {wanted} replicas: scale to 1 to {most} first"
            )));
        }
        // Once a roll has started new ones there are more than wanted until it ends; before that all leave.
        let all_leave = replicas.len() <= wanted;
        let leaving = replicas
            .into_iter()
            .filter(|it| all_leave || it.leaving().is_some());
        let leaving: Vec<Container> = leaving.collect();
        for it in leaving.iter().filter(|it| it.leaving().is_none()) {
            let name = format!("{}-of-{wanted}{LEAVING}", it.docker_name);
            docker(&["rename", &it.id, &name], SOON)?;
        }
        Ok((leaving, wanted))
    }

    /// Takes back what did not become ready: the old replicas stay, under their old names.
    fn give_up(&self, leaving: &[Container]) {
        let now = self.replicas().unwrap_or_default();
        for it in now {
            let undone = if leaving.iter().any(|old| old.id == it.id) {
                docker(&["rename", &it.id, plain(&it.docker_name)], SOON)
            } else if it.is_ready() {
                continue;
            } else {
                let words = last_words(&it.id);
                self.say(&format!(
                    "{:<10} {}, taken away; its last line: {words}",
                    it.name(),
                    it.condition()
                ));
                docker(&["rm", "--force", &it.id], SOON)
            };
            if let Err(error) = undone {
                self.say(&format!("{:<10} {error:#}", it.name()));
            }
        }
    }

    fn remove(&self, leaving: &[Container]) -> Result<()> {
        let start = Instant::now();
        let ids: Vec<&str> = leaving.iter().map(|it| it.id.as_str()).collect();
        docker(&[&["stop"][..], &ids].concat(), STOPPED_WITHIN).context("draining the old replicas")?;
        docker(&[&["rm"][..], &ids].concat(), SOON).context("removing the old replicas")?;
        let took = start.elapsed().as_secs_f32();
        for it in leaving {
            self.say(&format!("{:<10} drained ({took:.1} s)", it.name()));
        }
        Ok(())
    }
}

fn list(containers: &[Container]) -> String {
    let names: Vec<String> = containers.iter().map(Container::name).collect();
    names.join(", ")
}

/// The name before it was marked.
fn plain(name: &str) -> &str {
    name.strip_suffix(LEAVING)
        .and_then(|rest| rest.rsplit_once("-of-"))
        .map_or(name, |(plain, _)| plain)
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_marked_name_is_undone() {
        assert_eq!(plain("trestle-api-1-of-2-leaving"), "trestle-api-1");
        assert_eq!(plain("trestle-api-1"), "trestle-api-1");
    }
}
