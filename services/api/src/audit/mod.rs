use std::process::ExitCode;

use crate::config::DatabaseArgs;

#[derive(Debug, clap::Args)]
pub struct AuditArgs {
    #[command(flatten)]
    pub database: DatabaseArgs,
}

pub async fn run(_: &AuditArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not yet")
}
