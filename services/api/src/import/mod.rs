use std::process::ExitCode;

use crate::config::DatabaseArgs;

#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    #[command(flatten)]
    pub database: DatabaseArgs,
}

pub async fn run(_: &ImportArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not yet")
}
