//! `trestle scale N`: more replicas, or fewer.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use trestle::control::Request;

use super::{Where, request};

/// Adds API replicas or drains them, with no failed request
///
/// Returns when all are ready. A replica that goes is first taken out of nginx; when nginx's old workers have finished it
/// gets SIGTERM. A container that goes gets SIGTERM at once, and drains.
#[derive(Args)]
pub struct Scale {
    /// How many replicas there are to be
    #[arg(value_name = "N", value_parser = super::up::replicas())]
    pub replicas: u64,
    /// Returns when all are ready, as it does anyway
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    place: Where,
}

impl Scale {
    pub async fn run(self) -> Result<ExitCode> {
        let replicas = usize::try_from(self.replicas)?;
        request(&self.place, &Request::Scale { replicas }).await
    }
}
