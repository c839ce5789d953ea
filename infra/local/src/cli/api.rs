//! `trestle seed | import | audit | admin`: trestle-api's own commands, with the running stack's environment.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use trestle::control::{self, Reply, Request};
use trestle::data::DataFolder;
use trestle::options::Usage;
use trestle::programs;

use super::nothing_runs;

#[derive(Args)]
pub struct Passed {
    /// Passed on to trestle-api; only --data DIR is trestle's own
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl Passed {
    pub async fn run(self, command: &str) -> Result<ExitCode> {
        let (data, arguments) = split(self.arguments)?;
        if arguments
            .iter()
            .any(|argument| argument == "--help" || argument == "-h")
        {
            println!("trestle {command} runs this on the stack of --data DIR (default .trestle):\n");
            return become_program(
                Command::new(programs::built("trestle-api")?)
                    .arg(command)
                    .args(&arguments),
            );
        }
        let Some(folder) = DataFolder::existing(&data)? else {
            return Ok(nothing_runs(&data));
        };
        match control::ask(&folder, &Request::Environment, |_| {}).await? {
            Some(Reply::Environment(environment)) => become_program(
                Command::new(environment.executable)
                    .arg(command)
                    .args(&arguments)
                    .envs(environment.variables),
            ),
            Some(_) => bail!("the launcher gave another answer than was asked for"),
            None => Ok(nothing_runs(&data)),
        }
    }
}

/// Takes trestle's own flag, wherever it stands, out of what is passed on.
fn split(arguments: Vec<OsString>) -> Result<(PathBuf, Vec<OsString>)> {
    let mut data = std::env::var_os("TRESTLE_DATA").map_or_else(|| PathBuf::from(".trestle"), PathBuf::from);
    let mut passed = Vec::new();
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        if argument == "--data" {
            let folder = rest
                .next()
                .ok_or_else(|| Usage("--data needs a folder".to_owned()))?;
            data = PathBuf::from(folder);
        } else if let Some(folder) = argument.to_str().and_then(|text| text.strip_prefix("--data=")) {
            data = PathBuf::from(OsStr::new(folder));
        } else {
            passed.push(argument);
        }
    }
    Ok((data, passed))
}

/// Its output, its signals and its exit code are then the caller's, with nothing in between.
fn become_program(command: &mut Command) -> Result<ExitCode> {
    let error = command.exec();
    Err(error).with_context(|| format!("running {}", command.get_program().display()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn the_data_folder_is_taken_out_wherever_it_stands() {
        for line in [
            "--data d products.csv --all-or-nothing",
            "products.csv --data=d --all-or-nothing",
        ] {
            let (data, passed) = split(words(line)).unwrap();
            assert_eq!(data, PathBuf::from("d"));
            assert_eq!(passed, words("products.csv --all-or-nothing"));
        }
        assert!(split(words("--settled --data")).is_err());
    }
}
