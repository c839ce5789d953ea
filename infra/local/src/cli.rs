//! The commands and what they have in common.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand};
use trestle::compose::PROJECT;
use trestle::control::{self, Reply, Request};
use trestle::data::DataFolder;
use trestle::options::Usage;
use trestle::probe;
use trestle::supervisor::Tier;

mod api;
mod background;
mod compose;
mod down;
mod guard;
mod kill;
mod logs;
mod pause;
mod reset;
mod resume;
mod roll;
mod scale;
mod status;
mod stress;
mod up;

/// Runs Trestle, a shop in three tiers, as processes on this machine: nginx, API replicas, Redis, MariaDB or MySQL.
///
/// All of them listen on 127.0.0.1 or on sockets in a private data folder. A database, Redis or nginx that the machine
/// already runs is never touched.
///
/// With --compose, the commands work on the shop that runs in containers: status, scale, roll, kill, pause, resume, stress,
/// logs, seed, import, audit, copy, admin.
#[derive(Parser)]
#[command(name = "trestle", version, arg_required_else_help = true)]
pub struct Arguments {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    world: World,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Up(up::Up),
    Down(down::Down),
    Status(status::Status),
    Scale(scale::Scale),
    Roll(roll::Roll),
    Logs(logs::Logs),
    Kill(kill::Kill),
    Pause(pause::Pause),
    Resume(resume::Resume),
    Stress(stress::Stress),
    Reset(reset::Reset),
    /// Fills the shop with products, customers and orders (trestle-api seed)
    #[command(disable_help_flag = true)]
    Seed(api::Passed),
    /// Imports a Shopify product export (trestle-api import)
    #[command(disable_help_flag = true)]
    Import(api::Passed),
    /// Checks the shop's invariants in one snapshot (trestle-api audit)
    #[command(disable_help_flag = true)]
    Audit(api::Passed),
    /// Copies the shop's rows into an empty database on another server (trestle-api copy)
    #[command(disable_help_flag = true)]
    Copy(api::Passed),
    /// Says who may use the backoffice: grant EMAIL, revoke EMAIL, create, list (trestle-api admin)
    #[command(disable_help_flag = true)]
    Admin(api::Passed),
    /// Puts load on a shop (trestle-loadtest); with --compose from a container beside nginx
    #[command(disable_help_flag = true)]
    Loadtest(api::Passed),
    #[command(hide = true)]
    Guard(guard::Guard),
}

/// Which world: local processes, or containers.
#[derive(Args, Clone, Debug, PartialEq)]
#[command(next_help_heading = "Containers")]
pub struct World {
    /// Works on the shop that runs in containers
    #[arg(long, global = true)]
    pub compose: bool,
    /// The compose project, with --compose
    #[arg(long, global = true, value_name = "NAME", env = "COMPOSE_PROJECT_NAME", default_value = PROJECT)]
    pub project: String,
}

/// Which local stack.
#[derive(Args, Clone)]
pub struct Where {
    /// The stack's private data folder
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = ".trestle",
        env = "TRESTLE_DATA"
    )]
    pub data: PathBuf,
}

pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Arguments {
        place,
        mut world,
        mut command,
    } = arguments;
    if let Command::Seed(passed)
    | Command::Import(passed)
    | Command::Audit(passed)
    | Command::Copy(passed)
    | Command::Admin(passed)
    | Command::Loadtest(passed) = &mut command
    {
        passed.take_own(&mut world, &place)?;
    }
    if world.project.is_empty() {
        PROJECT.clone_into(&mut world.project);
    }
    if world.compose {
        return compose::run(command, &world);
    }
    match command {
        Command::Up(up) => up.run().await,
        Command::Down(down) => down.run().await,
        Command::Status(status) => status.run().await,
        Command::Scale(scale) => scale.run().await,
        Command::Roll(_) => bail!(roll::Roll::refused()),
        Command::Logs(logs) => logs.run().await,
        Command::Kill(kill) => kill.run().await,
        Command::Pause(pause) => pause.run().await,
        Command::Resume(resume) => resume.run().await,
        Command::Stress(stress) => stress.run().await,
        Command::Reset(reset) => reset.run().await,
        Command::Seed(passed) => passed.run("seed").await,
        Command::Import(passed) => passed.run("import").await,
        Command::Audit(passed) => passed.run("audit").await,
        Command::Copy(passed) => passed.run("copy").await,
        Command::Admin(passed) => passed.run("admin").await,
        Command::Loadtest(passed) => api::become_program(
            std::process::Command::new(trestle::programs::built("trestle-loadtest")?).args(&passed.arguments),
        ),
        Command::Guard(guard) => guard.run().await,
    }
}

/// What is said when a command needs a running stack and there is none.
fn nothing_runs(data: &Path) -> ExitCode {
    eprintln!(
        "trestle: nothing runs with --data {}; start it with `trestle up`",
        data.display()
    );
    ExitCode::FAILURE
}

fn print(line: &str) {
    println!("{line}");
}

/// Waits until no launcher holds the folder.
async fn released(data: &DataFolder, limit: Duration) -> bool {
    probe::until(limit, || async { data.is_locked().is_ok_and(|locked| !locked) })
        .await
        .is_ok()
}

/// Asks the running launcher for a change and prints what it says.
async fn request(place: &Where, request: &Request) -> Result<ExitCode> {
    let Some(data) = DataFolder::existing(&place.data)? else {
        return Ok(nothing_runs(&place.data));
    };
    match control::ask(&data, request, print).await? {
        Some(Reply::Done(text)) => {
            print(&text);
            Ok(ExitCode::SUCCESS)
        }
        Some(_) => bail!("the launcher gave another answer than was asked for"),
        None => Ok(nothing_runs(data.root())),
    }
}

/// The same for each of several processes, whose names are checked before anything is asked.
async fn request_each(
    place: &Where,
    names: Vec<String>,
    to_request: impl Fn(String) -> Request,
) -> Result<ExitCode> {
    if let Some(unknown) = names.iter().find(|name| Tier::of(name).is_none()) {
        bail!(Usage(format!(
            "NAME {unknown:?}: name one as api-1, or redis, database, nginx"
        )));
    }
    for name in names {
        let code = request(place, &to_request(name)).await?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    Ok(ExitCode::SUCCESS)
}
