//! `trestle resume`: the end of `trestle pause`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use trestle::control::Request;

use super::{Where, request_each};

/// Lets frozen processes go on (SIGCONT)
#[derive(Args)]
pub struct Resume {
    /// A replica (api-1), or redis, database, nginx; several at once
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
    #[command(flatten)]
    place: Where,
}

impl Resume {
    pub async fn run(self) -> Result<ExitCode> {
        request_each(&self.place, self.names, |name| Request::Resume { name }).await
    }
}
