//! How the commands talk to a running launcher: JSON lines on a Unix socket in the stack's folder, which only its owner can open.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Notify, broadcast};
use tokio::time::timeout;

use crate::data::DataFolder;
use crate::processes::ProcessInfo;
use crate::stack::Stack;
use crate::supervisor::{Phase, Report, Tier};

const SOCKET: &str = "control.sock";
const REQUEST_WITHIN: Duration = Duration::from_secs(5);
/// Longer than the longest change: a drain after nginx's old workers, and the database's end.
const REPLY_WITHIN: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Request {
    Status,
    Scale {
        replicas: usize,
    },
    Kill {
        name: String,
    },
    Pause {
        name: String,
    },
    Resume {
        name: String,
    },
    Stress {
        name: String,
        seconds: u64,
    },
    /// What trestle-api needs to work on this stack.
    Environment,
    Down,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Progress(String),
    Status(Status),
    Environment(Environment),
    Done(String),
    Error { message: String, usage: bool },
}

/// The whole stack at one moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    pub phase: Phase,
    pub url: String,
    /// The data folder, or the database's volume.
    pub data: String,
    /// None for containers: the Docker engine keeps them.
    pub launcher_pid: Option<u32>,
    /// PEM file of the authority to trust, with TLS.
    pub authority: Option<PathBuf>,
    pub processes: Vec<ProcessInfo>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Environment {
    pub executable: PathBuf,
    pub variables: Vec<(String, String)>,
}

impl Status {
    /// Of a launcher's own stack.
    pub fn of(stack: &Stack) -> Self {
        Self {
            phase: stack.phase(),
            url: stack.url(),
            data: stack.data().display().to_string(),
            launcher_pid: Some(std::process::id()),
            authority: stack.authority().map(ToOwned::to_owned),
            processes: stack.processes(),
        }
    }
}

/// The lines of a running launcher, for whoever listens.
#[derive(Debug, Clone)]
pub struct Lines(broadcast::Sender<String>);

impl Default for Lines {
    fn default() -> Self {
        Self(broadcast::channel(256).0)
    }
}

impl Lines {
    pub fn report(&self) -> Report {
        let sender = self.0.clone();
        Arc::new(move |line| {
            // Without a listener there is nobody to tell.
            let _ = sender.send(line.to_owned());
        })
    }
}

/// Answers commands until it is dropped. `down` only notifies: who started the stack ends it.
pub async fn serve(stack: Arc<Stack>, lines: Lines, down: Arc<Notify>) -> Result<()> {
    let path = stack.run_folder().join(SOCKET);
    crate::data::remove_file(&path)?;
    let listener = UnixListener::bind(&path).with_context(|| format!("binding {}", path.display()))?;
    loop {
        let (stream, _) = listener.accept().await.context("accepting a command")?;
        let (stack, lines, down) = (Arc::clone(&stack), lines.clone(), Arc::clone(&down));
        tokio::spawn(async move {
            // A client that goes away in the middle has nobody to tell; what it asked for is finished all the same.
            let _ = answer(stream, stack, lines, down).await;
        });
    }
}

async fn answer(stream: UnixStream, stack: Arc<Stack>, lines: Lines, down: Arc<Notify>) -> Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    timeout(REQUEST_WITHIN, BufReader::new(reader).read_line(&mut line))
        .await
        .context("no command in time")??;
    let request: Request = serde_json::from_str(&line).context("not a command")?;
    let mut progress = lines.0.subscribe();
    let work = carry_out(request, stack, down);
    tokio::pin!(work);
    let mut is_connected = true;
    let reply = loop {
        tokio::select! {
            // Progress first, so that no line comes after the end.
            biased;
            Ok(line) = progress.recv(), if is_connected => is_connected = send(&mut writer, &Reply::Progress(line)).await.is_ok(),
            reply = &mut work => break reply,
        }
    };
    let reply = reply.unwrap_or_else(|error| Reply::error(&error));
    send(&mut writer, &reply).await
}

async fn carry_out(request: Request, stack: Arc<Stack>, down: Arc<Notify>) -> Result<Reply> {
    match request {
        Request::Status => Ok(Reply::Status(Status::of(&stack))),
        Request::Scale { replicas } => {
            stack.scale(replicas).await?;
            Ok(Reply::Done(format!("{replicas} replicas serve {}", stack.url())))
        }
        Request::Kill { name } => {
            stack.signal(&name, Signal::SIGKILL)?;
            let after = if Tier::of(&name) == Some(Tier::Api) && !stack.replaces_dead() {
                "it is not replaced (--no-replace)"
            } else {
                "it will be replaced: see `trestle status`"
            };
            Ok(Reply::Done(format!("killed {name}; {after}")))
        }
        Request::Pause { name } => {
            stack.pause(&name)?;
            Ok(Reply::Done(format!(
                "froze {name}; `trestle resume {name}` ends it"
            )))
        }
        Request::Resume { name } => {
            stack.resume(&name)?;
            Ok(Reply::Done(format!("{name} goes on")))
        }
        Request::Stress { name, seconds } => {
            stack.stress(&name, seconds).await?;
            Ok(Reply::Done(
                "it ends by itself, with the replica, or with the stack".to_owned(),
            ))
        }
        Request::Environment => {
            let (executable, variables) = stack.api().context("this stack has no API")?;
            Ok(Reply::Environment(Environment {
                executable: executable.to_owned(),
                variables: variables.to_vec(),
            }))
        }
        Request::Down => {
            down.notify_one();
            // The launcher's end closes the connection: that is the answer.
            std::future::pending().await
        }
    }
}

impl Reply {
    pub fn error(error: &anyhow::Error) -> Self {
        let usage = error.downcast_ref::<crate::options::Usage>().is_some();
        Self::Error {
            message: format!("{error:#}"),
            usage,
        }
    }
}

async fn send(writer: &mut OwnedWriteHalf, reply: &Reply) -> Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    Ok(writer.write_all(&line).await?)
}

/// Asks the launcher of a data folder. `None` when no launcher answers there. Progress goes to `tell`; a connection that ends
/// without an answer is the answer to `down`.
pub async fn ask(data: &DataFolder, request: &Request, tell: impl Fn(&str)) -> Result<Option<Reply>> {
    let Some(state) = data.state() else {
        return Ok(None);
    };
    let Ok(stream) = UnixStream::connect(state.run.join(SOCKET)).await else {
        return Ok(None);
    };
    let (reader, mut writer) = stream.into_split();
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    writer.write_all(&line).await.context("asking the launcher")?;
    let mut lines = BufReader::new(reader).lines();
    loop {
        let line = timeout(REPLY_WITHIN, lines.next_line())
            .await
            .context("the launcher gives no answer")??;
        let Some(line) = line else { break };
        match serde_json::from_str(&line).context("the launcher's answer")? {
            Reply::Progress(text) => tell(&text),
            Reply::Error { message, usage: true } => bail!(crate::options::Usage(message)),
            Reply::Error { message, .. } => bail!(message),
            reply => return Ok(Some(reply)),
        }
    }
    if *request == Request::Down {
        return Ok(Some(Reply::Done(String::new())));
    }
    bail!("the launcher ended before it answered");
}
