//! trestle-api's own commands inside the project, and its logs: docker commands that the caller runs.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{Compose, Container};
use crate::options::Usage;
use crate::supervisor::Tier;

impl Compose {
    /// A trestle-api command (`audit`, `seed …`, `admin …`) in a replica that serves; `import FILE` in a container of its own,
    /// which sees the file. With `terminal` it is given the caller's, so that Ctrl-C reaches it.
    pub fn api_command(&self, arguments: &[OsString], terminal: bool) -> Result<Command> {
        let is_help = arguments.iter().any(|it| it == "--help" || it == "-h");
        if arguments.first().is_some_and(|it| it == "import") && !is_help {
            return self.import(&arguments[1..], terminal);
        }
        let mut command = Command::new("docker");
        command.args(["exec", "--interactive"]);
        command.args(terminal.then_some("--tty"));
        command.args([&self.serving()?.id, "trestle-api"]).args(arguments);
        Ok(command)
    }

    /// A replica that commands can be run in: a ready one if there is any.
    pub(super) fn serving(&self) -> Result<Container> {
        let mut running: Vec<Container> = self.containers()?;
        running.retain(|it| it.tier() == Some(Tier::Api) && it.state == "running");
        let ready = running.iter().position(Container::is_ready).unwrap_or_default();
        if running.is_empty() {
            bail!(
                "no replica runs: `docker compose --project-name {} ps` shows why",
                self.project
            );
        }
        Ok(running.swap_remove(ready))
    }

    fn import(&self, arguments: &[OsString], terminal: bool) -> Result<Command> {
        let (file, arguments) = with_whole_path(arguments)?;
        let mut volume = file.as_os_str().to_owned();
        volume.push(":");
        volume.push(&file);
        volume.push(":ro");
        let mut command = self.compose(&self.containers()?)?;
        command.args(["run", "--rm", "--no-deps"]);
        command
            .args((!terminal).then_some("--no-TTY"))
            .arg("--volume")
            .arg(volume);
        command
            .args(["--entrypoint", "trestle-api", "migrate", "import"])
            .args(arguments);
        Ok(command)
    }

    /// trestle-loadtest in a container beside nginx (the service loadtest), whose image has to be there or is built. The variable with
    /// an admin's password is passed on.
    pub fn loadtest_command(&self, arguments: &[OsString], terminal: bool) -> Result<Command> {
        let mut command = self.compose(&self.containers()?)?;
        command.args(["run", "--rm", "--no-deps"]);
        command.args((!terminal).then_some("--no-TTY"));
        command.args(["--env", "TRESTLE_LOADTEST_ADMIN_PASSWORD", "loadtest"]);
        command.args(arguments);
        Ok(command)
    }

    /// What docker has of the logs of a tier (`web`, `api`, `redis`, `database`), of one container, or of all.
    pub fn logs_command(&self, name: Option<&str>, lines: usize, follow: bool) -> Result<Command> {
        let containers = self.containers()?;
        let mut command = Command::new("docker");
        let service = match name {
            None => None,
            Some("api") => Some("api"),
            Some("nginx") => Some("web"),
            Some("database" | "db") => Some("mysql"),
            Some(other) if other.starts_with("api-") => {
                let replica = super::named(&containers, other)?;
                command.args(["logs", "--tail", &lines.to_string()]);
                command.args(follow.then_some("--follow")).arg(&replica.id);
                return Ok(command);
            }
            Some(other) => Some(super::named(&containers, other)?.service.as_str()),
        };
        command.args(["compose", "--project-name", &self.project, "logs"]);
        command.args(["--tail", &lines.to_string()]);
        command.args(follow.then_some("--follow")).args(service);
        // Not in the project's folder: no file is needed for this.
        Ok(command)
    }
}

/// The file that is to be imported, and the arguments with its whole path, which is the same in the container.
fn with_whole_path(arguments: &[OsString]) -> Result<(PathBuf, Vec<OsString>)> {
    let is_file =
        |argument: &OsStr| !argument.as_encoded_bytes().starts_with(b"-") && Path::new(argument).is_file();
    let at = arguments.iter().position(|argument| is_file(argument));
    let at = at.with_context(|| Usage("FILE.csv: no argument is a file that is here".to_owned()))?;
    let file = Path::new(&arguments[at]);
    let file = file.canonicalize().with_context(|| file.display().to_string())?;
    if file.metadata()?.permissions().mode() & 0o004 == 0 {
        bail!(Usage(format!(
            "{0}: the container's user may not read it: chmod o+r {0}",
            file.display()
        )));
    }
    let mut arguments = arguments.to_vec();
    arguments[at] = file.clone().into_os_string();
    Ok((file, arguments))
}
