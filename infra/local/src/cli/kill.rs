//! `trestle kill`: a fault on purpose.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use trestle::control::Request;
use trestle::options::Usage;
use trestle::supervisor::Tier;

use super::{Where, request};

/// Kills one process (SIGKILL) to see what follows; it is replaced as an auto scaling group would
#[derive(Args)]
pub struct Kill {
    /// A replica (api-1), or redis, database, nginx
    #[arg(value_name = "REPLICA")]
    pub name: String,
    #[command(flatten)]
    place: Where,
}

impl Kill {
    pub async fn run(self) -> Result<ExitCode> {
        if Tier::of(&self.name).is_none() {
            anyhow::bail!(Usage(format!(
                "REPLICA {:?}: name one as api-1, or redis, database, nginx",
                self.name
            )));
        }
        request(&self.place, &Request::Kill { name: self.name }).await
    }
}
