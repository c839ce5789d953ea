//! The side of whoever started a generator.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command as Process};

use super::{ADMIN_PASSWORD, Command, Reply};
use crate::drive::Tick;
use crate::load::Load;
use crate::result::{Measured, Verification};

/// Longer than anything a generator does between two lines: it says something every second while a load runs.
const SILENCE: Duration = Duration::from_secs(120);

/// Where and for which shop a generator runs.
#[derive(Debug, Clone)]
pub struct Where {
    /// The command that runs it; `generate` and its flags are added. Empty: this very program.
    pub command: Vec<String>,
    /// The shop, as the generator sees it.
    pub url: String,
    /// Further flags of `generate`.
    pub flags: Vec<String>,
    /// On the generator's machine.
    pub journal: PathBuf,
    pub admin_password: Option<String>,
}

impl Where {
    /// The command, for people.
    pub fn said(&self) -> String {
        if self.command.is_empty() {
            "a process here".to_owned()
        } else {
            self.command.join(" ")
        }
    }
}

/// A running generator. It ends when this is dropped.
pub struct Generator {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// Products of the shop.
    pub products: u64,
    /// Its process on its own machine, or in its container.
    pub pid: u32,
}

impl Generator {
    /// Starts one and waits until it knows the shop.
    ///
    /// # Errors
    /// When it does not start, or the shop does not answer.
    pub async fn start(place: &Where) -> Result<Self> {
        let mut process = match place.command.split_first() {
            Some((program, arguments)) => {
                let mut process = Process::new(program);
                process.args(arguments);
                process
            }
            None => Process::new(std::env::current_exe().context("this program's own file")?),
        };
        process
            .arg("generate")
            .args(["--url", &place.url])
            .arg("--journal")
            .arg(&place.journal)
            .args(&place.flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        if let Some(password) = &place.admin_password {
            process.env(ADMIN_PASSWORD, password);
        }
        let mut child = process.spawn().context("starting the load generator")?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("the load generator has no pipes");
        };
        let mut generator = Self {
            child,
            input,
            output: BufReader::new(output).lines(),
            products: 0,
            pid: 0,
        };
        match generator.next().await? {
            Reply::Ready { products, pid } => {
                generator.products = products;
                generator.pid = pid;
                Ok(generator)
            }
            other => bail!("the load generator said {other:?} instead of being ready"),
        }
    }

    /// Makes accounts until there are so many.
    ///
    /// # Errors
    /// When the shop refuses.
    pub async fn prepare(
        &mut self,
        accounts: usize,
        with_sessions: bool,
        mut tell: impl FnMut(usize, usize),
    ) -> Result<()> {
        self.ask(&Command::Prepare {
            accounts,
            with_sessions,
        })
        .await?;
        loop {
            match self.next().await? {
                Reply::Progress { done, of } => tell(done, of),
                Reply::Done => return Ok(()),
                other => return Err(unexpected(&other)),
            }
        }
    }

    /// Puts a load on the shop and waits for its end.
    ///
    /// # Errors
    /// When the load makes no sense, or the generator ends.
    pub async fn load(&mut self, load: &Load, mut tell: impl FnMut(Tick)) -> Result<Measured> {
        self.ask(&Command::Load(Box::new(load.clone()))).await?;
        loop {
            match self.next().await? {
                Reply::Tick(tick) => tell(tick),
                Reply::Measured(measured) => return Ok(*measured),
                other => return Err(unexpected(&other)),
            }
        }
    }

    /// Holds the shop to all that it has acknowledged since the generator was started.
    ///
    /// # Errors
    /// When the shop could not be asked.
    pub async fn verify(&mut self, mut tell: impl FnMut(usize, usize)) -> Result<Verification> {
        self.ask(&Command::Verify).await?;
        loop {
            match self.next().await? {
                Reply::Progress { done, of } => tell(done, of),
                Reply::Verified(verification) => return Ok(verification),
                other => return Err(unexpected(&other)),
            }
        }
    }

    /// Ends it.
    pub async fn end(self) {
        let Self { mut child, input, .. } = self;
        drop(input);
        if tokio::time::timeout(Duration::from_secs(5), child.wait())
            .await
            .is_err()
        {
            // It is killed when its handle goes.
            drop(child);
        }
    }

    async fn ask(&mut self, command: &Command) -> Result<()> {
        let mut line = serde_json::to_vec(command)?;
        line.push(b'\n');
        self.input
            .write_all(&line)
            .await
            .context("the load generator has ended")
    }

    async fn next(&mut self) -> Result<Reply> {
        let line = tokio::time::timeout(SILENCE, self.output.next_line())
            .await
            .context("the load generator says nothing any more")?
            .context("the load generator's output")?;
        let Some(line) = line else {
            let status = self.child.wait().await?;
            bail!("the load generator has ended: {status}");
        };
        match serde_json::from_str(&line) {
            Ok(Reply::Failed(error)) => bail!("{error}"),
            Ok(reply) => Ok(reply),
            Err(_) => bail!("the load generator said {line:?}"),
        }
    }
}

fn unexpected(reply: &Reply) -> anyhow::Error {
    anyhow::anyhow!("the load generator gave another reply than was asked for: {reply:?}")
}
