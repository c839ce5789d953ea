//! `trestle guard`: what the library leaves beside a test's stack. It waits until its input closes, then cleans up.

use std::io::Read as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use trestle::data::DataFolder;

use super::{Where, released};

#[derive(Args)]
pub struct Guard {
    #[command(flatten)]
    place: Where,
    /// Deletes the data folder at the end: it was a temporary one
    #[arg(long)]
    remove: bool,
}

impl Guard {
    pub async fn run(self) -> Result<ExitCode> {
        let mut input = Vec::new();
        std::io::stdin().read_to_end(&mut input)?;
        let Some(data) = DataFolder::existing(&self.place.data)? else {
            return Ok(ExitCode::SUCCESS);
        };
        if !released(&data, Duration::from_secs(30)).await {
            return Ok(ExitCode::FAILURE);
        }
        let lock = data.lock()?;
        trestle::end_leftovers(&data, &(Arc::new(|_: &str| {}) as trestle::Report)).await?;
        if self.remove {
            data.remove()?;
        }
        drop(lock);
        Ok(ExitCode::SUCCESS)
    }
}
