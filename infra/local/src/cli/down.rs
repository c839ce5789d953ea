//! `trestle down`: ends the stack in order, or what a killed launcher left of it.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use trestle::control::{self, Request};
use trestle::data::DataFolder;

use super::{Where, print, released};

/// The longest ordered end: drains, then the database.
const ENDED_WITHIN: Duration = Duration::from_secs(90);

/// Ends the stack: nginx first, then the replicas, Redis and the database. The data stays
#[derive(Args)]
pub struct Down {
    #[command(flatten)]
    pub place: Where,
}

impl Down {
    pub async fn run(self) -> Result<ExitCode> {
        let start = Instant::now();
        let Some(data) = DataFolder::existing(&self.place.data)? else {
            println!("nothing runs with --data {}", self.place.data.display());
            return Ok(ExitCode::SUCCESS);
        };
        if end(&data).await? {
            println!(
                "ended in {:.1} s; the data stays in {}",
                start.elapsed().as_secs_f32(),
                data.root().display()
            );
        } else {
            println!("nothing runs with --data {}", data.root().display());
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Ends whatever runs with this folder. False when nothing did.
pub async fn end(data: &DataFolder) -> Result<bool> {
    if !data.is_locked()? {
        let _lock = data.lock()?;
        return Ok(trestle::end_leftovers(data, &print_report()).await? > 0);
    }
    if control::ask(data, &Request::Down, print).await?.is_none() {
        // It is just starting, or its socket is gone: a signal means the same.
        let holder = data
            .holder()
            .context("the launcher that holds the folder is not known")?;
        kill(Pid::from_raw(holder.pid), Signal::SIGTERM)
            .with_context(|| format!("ending the launcher (pid {})", holder.pid))?;
    }
    if !released(data, ENDED_WITHIN).await {
        bail!(
            "the launcher still runs after {} s; see {}",
            ENDED_WITHIN.as_secs(),
            data.log("launcher").display()
        );
    }
    Ok(true)
}

fn print_report() -> trestle::Report {
    std::sync::Arc::new(|line| println!("{line}"))
}
