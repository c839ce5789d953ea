//! CPU burned inside a replica's allowance: `trestle-api burn` beside it, in its cgroup where it has one of its own.
//!
//! Invariant: the burn is a process of the stack. It ends by itself, with its replica, or with the stack.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;

use crate::cgroup;
use crate::options::Usage;
use crate::process::{Process, Program};
use crate::supervisor::{Supervisor, Tier};

/// For how long it may be told to burn, as trestle-api has it.
pub const LONGEST_SECONDS: u64 = 3600;
const END_WITHIN: Duration = Duration::from_secs(3);

/// That a name is one of a replica's.
///
/// # Errors
/// A [`Usage`] that names it.
pub fn check_name(name: &str) -> Result<()> {
    if Tier::of(name) != Some(Tier::Api) {
        bail!(Usage(format!(
            "NAME {name:?}: only replicas burn CPU; name one as api-1"
        )));
    }
    Ok(())
}

impl Supervisor {
    /// Starts burning CPU in a replica's allowance; returns at once.
    pub async fn stress(self: &Arc<Self>, name: &str, seconds: u64) -> Result<()> {
        check_name(name)?;
        let replica = self.running(name)?;
        let burn = format!("burn-{name}");
        let is_burning = |it: &Arc<Process>| it.name == burn && it.is_running();
        if self.state().commands.iter().any(is_burning) {
            bail!("{name} burns CPU already");
        }
        let api = self.api.as_ref().context("this stack has no API")?;
        let program = Program::new(&burn, &api.executable)
            .arg("burn")
            .arg(format!("--seconds={seconds}"));
        let process = self.register_command(Process::spawn(&program, &self.data)?)?;
        if let Err(error) = cgroup::join(process.pid(), replica.pid()) {
            process.end(Signal::SIGKILL, END_WITHIN).await?;
            self.forget_commands();
            return Err(error.context(format!("{name} has a CPU allowance that cannot be shared")));
        }
        self.say(&format!("{name:<10} burns CPU for {seconds} s"));
        tokio::spawn(Arc::clone(self).watch_burn(process, replica));
        Ok(())
    }

    async fn watch_burn(self: Arc<Self>, burn: Arc<Process>, replica: Arc<Process>) {
        let status = tokio::select! {
            status = burn.wait() => Some(status),
            _ = replica.wait() => None,
        };
        if status.is_none() {
            // With its server, as in a container. What cannot be signalled has ended.
            burn.end(Signal::SIGTERM, END_WITHIN).await.ok();
        }
        burn.forget();
        self.forget_commands();
        let name = &replica.name;
        match status {
            Some(status) if !status.success() => {
                self.say(&format!("{name:<10} burns no more CPU; {}", burn.tail()));
            }
            _ => self.say(&format!("{name:<10} burns no more CPU")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_replicas_burn() {
        assert!(check_name("api-2").is_ok());
        for name in ["redis", "database", "nginx", "api-0", "burn-api-1"] {
            let error = check_name(name).err();
            let is_usage = error.is_some_and(|error| error.downcast_ref::<Usage>().is_some());
            assert!(is_usage, "{name}");
        }
    }
}
