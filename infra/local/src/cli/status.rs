//! `trestle status`: what runs, where, and how much memory it takes.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use trestle::control::{self, Reply, Request};
use trestle::data::DataFolder;
use trestle::leftover::Leftover;
use trestle::table;

use super::{Where, nothing_runs, print};

/// Shows each process with its address, pid, memory and log; exit code 1 when nothing runs
#[derive(Args)]
pub struct Status {
    #[command(flatten)]
    place: Where,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

impl Status {
    pub async fn run(self) -> Result<ExitCode> {
        let Some(data) = DataFolder::existing(&self.place.data)? else {
            return Ok(nothing_runs(&self.place.data));
        };
        let Some(Reply::Status(status)) = control::ask(&data, &Request::Status, |_| {}).await? else {
            return Ok(nobody_answers(&data));
        };
        if self.json {
            print(&serde_json::to_string_pretty(&status)?);
        } else {
            print(table::render(&status).trim_end());
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn nobody_answers(data: &DataFolder) -> ExitCode {
    if data.is_locked().unwrap_or(false) {
        eprintln!(
            "trestle: a launcher is just starting or ending with --data {}",
            data.root().display()
        );
        return ExitCode::FAILURE;
    }
    let leftovers = Leftover::find(data);
    if leftovers.is_empty() {
        return nothing_runs(data.root());
    }
    let names: Vec<String> = leftovers
        .iter()
        .map(|left| format!("{} (pid {})", left.name, left.identity.pid))
        .collect();
    eprintln!(
        "trestle: the launcher is gone and left {}; `trestle down` ends them, `trestle up` starts anew",
        names.join(", ")
    );
    ExitCode::FAILURE
}
