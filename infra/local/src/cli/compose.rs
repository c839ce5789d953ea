//! `trestle --compose …`: the same commands for the shop in containers.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, bail};
use trestle::control::Status;
use trestle::options::Usage;
use trestle::{Compose, Signal, table};

use super::api::{Passed, become_program};
use super::{Command, World, print};

/// Carries out a command on the project's containers.
pub fn run(command: Command, world: &World) -> Result<ExitCode> {
    let compose = Compose::project(&world.project).report(Arc::new(print));
    match command {
        Command::Status(status) => show(&compose.status()?, status.json)?,
        Command::Scale(scale) => {
            let replicas = usize::try_from(scale.replicas)?;
            compose.scale(replicas)?;
            print(&format!("{replicas} replicas serve {}", compose.url()?));
        }
        Command::Roll(_) => {
            let replicas = compose.roll()?;
            print(&format!("{replicas} new replicas serve {}", compose.url()?));
        }
        Command::Kill(kill) => {
            compose.kill(&names(&kill.names))?;
            print(&format!(
                "killed {}; restart policies start again what was killed: see `trestle --compose status`",
                kill.names.join(", ")
            ));
        }
        Command::Pause(pause) => {
            compose.signal(&names(&pause.names), Signal::SIGSTOP)?;
            print(&format!("froze {}", pause.names.join(", ")));
        }
        Command::Resume(resume) => {
            compose.signal(&names(&resume.names), Signal::SIGCONT)?;
            print(&format!("{} may go on", resume.names.join(", ")));
        }
        Command::Stress(stress) => {
            compose.stress(&stress.name, stress.seconds)?;
            print(&format!("{:<10} burns CPU for {} s", stress.name, stress.seconds));
            print("it ends by itself, or with the container");
        }
        Command::Logs(logs) => {
            return become_program(&mut compose.logs_command(
                logs.tier.as_deref(),
                logs.lines,
                logs.follow,
            )?);
        }
        Command::Seed(passed) => return pass(&compose, "seed", passed),
        Command::Import(passed) => return pass(&compose, "import", passed),
        Command::Audit(passed) => return pass(&compose, "audit", passed),
        Command::Copy(passed) => return pass(&compose, "copy", passed),
        Command::Admin(passed) => return pass(&compose, "admin", passed),
        Command::Loadtest(passed) => {
            return become_program(&mut compose.loadtest_command(&passed.arguments, is_terminal())?);
        }
        Command::Up(_) => bail!(instead("up", "make compose-up")),
        Command::Down(_) => bail!(instead("down", "make compose-down")),
        Command::Reset(_) => bail!(instead(
            "reset",
            &format!("docker compose --project-name {} down --volumes", world.project)
        )),
        Command::Guard(_) => bail!(Usage("guard: for local processes only".to_owned())),
    }
    Ok(ExitCode::SUCCESS)
}

fn names(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

fn show(status: &Status, json: bool) -> Result<()> {
    if json {
        print(&serde_json::to_string_pretty(status)?);
    } else {
        print(table::render(status).trim_end());
    }
    Ok(())
}

/// Its output, its signals and its exit code are trestle-api's.
fn pass(compose: &Compose, command: &str, passed: Passed) -> Result<ExitCode> {
    let arguments = [vec![OsString::from(command)], passed.arguments].concat();
    become_program(&mut compose.api_command(&arguments, is_terminal())?)
}

fn is_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// `trestle` starts and ends no containers: docker compose does, and says how far it is.
fn instead(command: &str, other: &str) -> Usage {
    Usage(format!("--compose {command}: say `{other}`"))
}
