//! `trestle kill`: a fault on purpose.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use trestle::control::Request;
use trestle::options::Usage;
use trestle::supervisor::Tier;

use super::{Where, request};

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
        if let Some(unknown) = self.names.iter().find(|name| Tier::of(name).is_none()) {
            anyhow::bail!(Usage(format!(
                "NAME {unknown:?}: name one as api-1, or redis, database, nginx"
            )));
        }
        for name in self.names {
            let code = request(&self.place, &Request::Kill { name }).await?;
            if code != ExitCode::SUCCESS {
                return Ok(code);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
