//! `trestle kill`: a fault on purpose.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use trestle::control::Request;

use super::{Where, request_each};

/// Kills processes (SIGKILL) to see what follows; they are replaced as an auto scaling group would
#[derive(Args)]
pub struct Kill {
    /// A replica (api-1), or redis, database, nginx; several at once
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
    #[command(flatten)]
    place: Where,
}

impl Kill {
    pub async fn run(self) -> Result<ExitCode> {
        request_each(&self.place, self.names, |name| Request::Kill { name }).await
    }
}
