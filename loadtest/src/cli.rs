//! The command line: one command a file in `commands/`.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::commands::{calibrate, compare, merge, plan, run};
use crate::generator;

/// Emulated shoppers for any Trestle by URL, and the commands that show how it scales, fails and recovers.
///
/// Each command says what it does, shows its progress, and ends with a summary and a folder that holds report.html, JSON and CSV.
#[derive(Parser)]
#[command(
    name = "trestle-loadtest",
    version,
    arg_required_else_help = true,
    max_term_width = 120,
    after_help = "Exit code: 0 all held, 1 something did not, or could not be done, 64 wrong arguments."
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(Box<run::RunArgs>),
    Compare(compare::Args),
    Merge(merge::Args),
    Plan(Box<plan::Args>),
    Calibrate(calibrate::Args),
    /// Takes commands on standard input: what scale-out, autoscale, chaos and plan start
    #[command(hide = true)]
    Generate(Box<generator::GenerateArgs>),
}

/// Carries out what the command line asks for.
///
/// # Errors
/// What went wrong, for one line.
pub async fn carry_out(arguments: Arguments) -> Result<ExitCode> {
    match arguments.command {
        Command::Run(args) => run::run(*args).await,
        Command::Compare(args) => compare::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Plan(args) => plan::run(*args).await,
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Generate(args) => generator::run(*args).await,
    }
}
