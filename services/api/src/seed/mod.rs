use std::process::ExitCode;

use crate::config::DatabaseArgs;

#[derive(Debug, clap::Args)]
pub struct SeedArgs {
    #[command(flatten)]
    pub database: DatabaseArgs,
}

pub async fn run(_: &SeedArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not yet")
}
