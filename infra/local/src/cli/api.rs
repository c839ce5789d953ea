//! `trestle seed | import | audit | copy | admin`: trestle-api's own commands, with the running stack's environment.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use trestle::control::{self, Reply, Request};
use trestle::data::DataFolder;
use trestle::options::Usage;
use trestle::programs;

use super::{Where, World, nothing_runs};

#[derive(Args)]
pub struct Passed {
    /// Passed on to trestle-api; only --data DIR, --compose and --project NAME are trestle's own
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
    /// What --data among them says.
    #[arg(skip)]
    data: PathBuf,
}

impl Passed {
    pub async fn run(self, command: &str) -> Result<ExitCode> {
        let data = self.data;
        if self
            .arguments
            .iter()
            .any(|argument| argument == "--help" || argument == "-h")
        {
            println!("trestle {command} runs this on the stack of --data DIR (default .trestle):\n");
            return become_program(
                Command::new(programs::built("trestle-api")?)
                    .arg(command)
                    .args(&self.arguments),
            );
        }
        let Some(folder) = DataFolder::existing(&data)? else {
            return Ok(nothing_runs(&data));
        };
        match control::ask(&folder, &Request::Environment, |_| {}).await? {
            Some(Reply::Environment(environment)) => become_program(
                Command::new(environment.executable)
                    .arg(command)
                    .args(&self.arguments)
                    .envs(environment.variables),
            ),
            Some(_) => bail!("the launcher gave another answer than was asked for"),
            None => Ok(nothing_runs(&data)),
        }
    }

    /// Takes trestle's own flags, wherever they stand, out of what is passed on; those before the command's name are in `place`.
    pub fn take_own(&mut self, world: &mut World, place: &Where) -> Result<()> {
        self.data.clone_from(&place.data);
        let mut rest = std::mem::take(&mut self.arguments).into_iter();
        while let Some(argument) = rest.next() {
            let text = argument.to_str().unwrap_or_default();
            let (flag, value) = text.split_once('=').unwrap_or((text, ""));
            let value = match flag {
                "--compose" => {
                    world.compose = true;
                    continue;
                }
                "--data" | "--project" if text != flag => OsString::from(value),
                "--data" | "--project" => rest
                    .next()
                    .ok_or_else(|| Usage(format!("{flag} needs a value")))?,
                _ => {
                    self.arguments.push(argument);
                    continue;
                }
            };
            if flag == "--data" {
                self.data = PathBuf::from(value);
            } else {
                world.project = value.to_string_lossy().into_owned();
            }
        }
        Ok(())
    }
}

/// Its output, its signals and its exit code are then the caller's, with nothing in between.
pub fn become_program(command: &mut Command) -> Result<ExitCode> {
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
    fn own_flags_are_taken_out_wherever_they_stand() {
        for line in [
            "--data d --compose products.csv --project=shop --all-or-nothing",
            "products.csv --project shop --data=d --all-or-nothing --compose",
        ] {
            let mut world = World {
                compose: false,
                project: "trestle".to_owned(),
            };
            let mut passed = Passed {
                arguments: words(line),
                data: PathBuf::new(),
            };
            let place = Where {
                data: PathBuf::from("before"),
            };
            passed.take_own(&mut world, &place).unwrap();
            assert_eq!((world.compose, world.project.as_str()), (true, "shop"));
            assert_eq!(passed.data, PathBuf::from("d"));
            assert_eq!(passed.arguments, words("products.csv --all-or-nothing"));
            passed.arguments = words("--settled --data");
            assert!(passed.take_own(&mut world, &place).is_err());
            assert_eq!(passed.data, place.data);
        }
    }
}
