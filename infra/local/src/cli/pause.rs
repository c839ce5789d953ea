//! `trestle pause`: a server that is there and does not answer.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use trestle::control::Request;

use super::{Where, request_each};

/// Freezes processes (SIGSTOP): they keep their connections and answer nothing, until `resume`
///
/// Nobody replaces what is frozen. A frozen container is paused, as by docker pause.
#[derive(Args)]
#[command(after_help = "Example: trestle pause api-1; sleep 10; trestle resume api-1")]
pub struct Pause {
    /// A replica (api-1), or redis, database, nginx; several at once
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
    #[command(flatten)]
    place: Where,
}

impl Pause {
    pub async fn run(self) -> Result<ExitCode> {
        request_each(&self.place, self.names, |name| Request::Pause { name }).await
    }
}
