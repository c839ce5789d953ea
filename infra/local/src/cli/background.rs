//! `trestle up --detach`: the same launcher as a process of its own session, which tells its progress on a pipe until it is ready.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use trestle::control::{self, Reply, Request, Status};
use trestle::data::DataFolder;
use trestle::options::{Options, Usage};
use trestle::{Report, table};

use super::{Where, print, up};

/// Starts the launcher in the background and waits until its stack is ready.
pub async fn start(place: &Where) -> Result<ExitCode> {
    let begin = Instant::now();
    let data = DataFolder::create(&place.data)?;
    if data.is_locked()? {
        return already_up(&data).await;
    }
    let mut child = spawn(&data)?;
    let replies = child.stdout.take().context("the launcher's output")?;
    let mut replies = BufReader::new(replies).lines();
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        let line = tokio::select! {
            line = replies.next_line() => line?,
            _ = interrupt.recv() => {
                println!("ending the start");
                ask_to_end(&child)?;
                continue;
            }
        };
        let Some(line) = line else { break };
        match serde_json::from_str(&line).context("the launcher's answer")? {
            Reply::Progress(text) => print(&text),
            Reply::Status(status) => {
                println!("\n{}", table::render(&status).trim_end());
                println!(
                    "ready in {:.1} s; `trestle down` ends it",
                    begin.elapsed().as_secs_f32()
                );
                return Ok(ExitCode::SUCCESS);
            }
            Reply::Error { message, usage: true } => bail!(Usage(message)),
            Reply::Error { message, .. } => bail!(message),
            Reply::Done(_) | Reply::Environment(_) => {}
        }
    }
    let status = child.wait().await?;
    match status.code() {
        Some(code) if code == i32::from(up::INTERRUPTED) => Ok(ExitCode::from(up::INTERRUPTED)),
        _ => bail!(
            "the launcher ended ({status}); its log: {}",
            data.log("launcher").display()
        ),
    }
}

async fn already_up(data: &DataFolder) -> Result<ExitCode> {
    match control::ask(data, &Request::Status, print).await? {
        Some(Reply::Status(status)) => {
            println!("{}", table::render(&status).trim_end());
            println!("it was up already; nothing was changed");
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!(
            "--data {} is in use by a launcher that does not answer",
            data.root().display()
        ),
    }
}

/// This very command again, with no terminal. It takes a session of its own, so that closing this one does not end it.
fn spawn(data: &DataFolder) -> Result<Child> {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(data.log("launcher"))
        .context("the launcher's log")?;
    Command::new(std::env::current_exe().context("the path of this executable")?)
        .args(std::env::args_os().skip(1))
        .arg("--background")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .context("starting the launcher in the background")
}

fn ask_to_end(child: &Child) -> Result<()> {
    if let Some(pid) = child.id() {
        kill(Pid::from_raw(i32::try_from(pid)?), Signal::SIGTERM).context("ending the launcher")?;
    }
    Ok(())
}

/// The background process itself.
pub async fn serve(options: Options) -> Result<ExitCode> {
    // Fails only for a group's leader, which a freshly forked process is not.
    nix::unistd::setsid().context("a session of its own")?;
    let pipe: Report = Arc::new(|line| tell(&Reply::Progress(line.to_owned())));
    let outcome = up::supervise(options, pipe, |stack| tell(&Reply::Status(Status::of(stack)))).await;
    if let Err(error) = &outcome {
        tell(&Reply::error(error));
    }
    outcome
}

/// Whoever listened has gone once the stack is ready: a line that nobody reads is lost.
fn tell(reply: &Reply) {
    let _ = writeln!(std::io::stdout(), "{}", up::background_line(reply));
}
