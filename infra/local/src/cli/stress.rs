//! `trestle stress`: CPU burned where a replica runs, as in the classic exercise of auto scaling.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use trestle::control::Request;
use trestle::stress::{LONGEST_SECONDS, check_name};

use super::{Where, request};

/// Burns CPU inside a replica's allowance (trestle-api burn), to see what follows
///
/// Returns at once. It burns on as many threads as there are cores; where the replica has a CPU quota (its container's, or
/// that of a cgroup of its own) both share it, and the replica slows down. It ends after the time, with the replica, or
/// with the stack.
#[derive(Args)]
#[command(after_help = "Example: trestle stress api-1 --seconds 120")]
pub struct Stress {
    /// A replica: api-1
    #[arg(value_name = "NAME")]
    pub name: String,
    /// For how long
    #[arg(long, value_name = "S", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=LONGEST_SECONDS))]
    pub seconds: u64,
    #[command(flatten)]
    place: Where,
}

impl Stress {
    pub async fn run(self) -> Result<ExitCode> {
        check_name(&self.name)?;
        let Self { name, seconds, place } = self;
        request(&place, &Request::Stress { name, seconds }).await
    }
}
