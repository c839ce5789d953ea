//! The command `trestle`: the launcher with a terminal. Each command is a file in `cli/`.

use std::process::ExitCode;

use clap::Parser as _;
use trestle::options::Usage;

mod cli;

/// Bad usage or configuration, as sysexits.h has it.
const EXIT_USAGE: u8 = 64;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match cli::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            let text = error.to_string();
            let first: Vec<&str> = text
                .lines()
                .take_while(|line| !line.trim().is_empty())
                .map(str::trim)
                .collect();
            eprintln!("trestle: {}", first.join(" ").trim_start_matches("error: "));
            return ExitCode::from(EXIT_USAGE);
        }
        Err(help) => {
            // A closed output is no reason to complain.
            let _ = help.print();
            return ExitCode::SUCCESS;
        }
    };
    match cli::run(arguments).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("trestle: {error:#}");
            if error.downcast_ref::<Usage>().is_some() {
                ExitCode::from(EXIT_USAGE)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}
