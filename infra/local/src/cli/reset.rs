//! `trestle reset`: back to nothing.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use trestle::data::DataFolder;

use super::{Where, down};

/// Ends the stack and deletes its data: products, customers, orders, logs. The next `up` begins anew
#[derive(Args)]
pub struct Reset {
    #[command(flatten)]
    place: Where,
    /// Does not ask first
    #[arg(long, short)]
    yes: bool,
}

impl Reset {
    pub async fn run(self) -> Result<ExitCode> {
        let Some(data) = DataFolder::existing(&self.place.data)? else {
            println!("there is no data in {}", self.place.data.display());
            return Ok(ExitCode::SUCCESS);
        };
        if !self.yes && !confirmed(&data)? {
            println!("nothing was deleted");
            return Ok(ExitCode::FAILURE);
        }
        down::end(&data).await?;
        let _lock = data.lock()?;
        data.clear()?;
        println!(
            "{} is empty; the next `trestle up` begins anew",
            data.root().display()
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// A script that resets means it; a person is asked.
fn confirmed(data: &DataFolder) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Ok(true);
    }
    print!("delete the shop's data in {}? [y/N] ", data.root().display());
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()))
}
