//! `trestle up`: starts the stack and stays with it, or leaves it in the background.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use trestle::control::{self, Lines, Reply, Status};
use trestle::options::{MOST_REPLICAS, Options};
use trestle::web::is_host;
use trestle::{Report, Stack, events, table};

use super::{Where, background};

/// As a shell reports an interrupted command.
pub const INTERRUPTED: u8 = 130;

/// Starts the shop: database, Redis, schema, products (into an empty shop), API replicas, nginx
///
/// Ctrl-C ends everything in order, a second one at once. The data stays for the next `up`.
#[derive(Args, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct Up {
    /// API replicas
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = replicas())]
    replicas: u64,
    /// The shop's port on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    port: u16,
    #[command(flatten)]
    place: Where,
    /// Products that an empty shop is filled with; 0 leaves it empty
    #[arg(long, value_name = "N", default_value_t = 1000)]
    products: u64,
    /// Returns when the shop is ready and leaves it in the background
    #[arg(long, short)]
    detach: bool,
    /// Speaks https too, with a certificate of a private authority; http then leads there
    #[arg(long)]
    tls: bool,
    /// The https port on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8443, requires = "tls")]
    tls_port: u16,
    /// The shop's host name; www.NAME leads to it
    #[arg(long, value_name = "NAME")]
    hostname: Option<String>,
    /// Proxy (address or network) whose X-Forwarded-For and -Proto are believed; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    trusted_proxy: Vec<String>,
    /// Hosts (cdn.example, perhaps with a port) whose pictures the pages may show, separated by commas
    #[arg(long, value_name = "HOSTS", env = "PICTURE_HOSTS", value_delimiter = ',', value_parser = picture_host)]
    picture_hosts: Vec<String>,
    /// Leaves a replica that dies where it is, instead of replacing it
    #[arg(long)]
    no_replace: bool,
    /// The database server's program; an installed mariadbd or mysqld without it
    #[arg(long, value_name = "PATH", env = trestle::options::MYSQLD)]
    mysqld: Option<PathBuf>,
    /// trestle-api; the one beside this program without it
    #[arg(long, value_name = "PATH")]
    api: Option<PathBuf>,
    /// This is the launcher that `--detach` left in the background
    #[arg(long, hide = true)]
    background: bool,
}

impl Up {
    pub async fn run(self) -> Result<ExitCode> {
        if self.background {
            return background::serve(self.options()).await;
        }
        if self.detach {
            return background::start(&self.place).await;
        }
        foreground(self.options()).await
    }

    fn options(&self) -> Options {
        Options {
            data: self.place.data.clone(),
            replicas: usize::try_from(self.replicas).unwrap_or(MOST_REPLICAS),
            port: self.port,
            tls_port: self.tls.then_some(self.tls_port),
            products: self.products,
            replace_dead: !self.no_replace,
            hostname: self.hostname.clone(),
            trusted_proxies: self.trusted_proxy.clone(),
            // A variable that is set to nothing names none.
            picture_hosts: self
                .picture_hosts
                .iter()
                .filter(|host| !host.is_empty())
                .cloned()
                .collect(),
            mysqld: self.mysqld.clone(),
            api_executable: self.api.clone(),
            ..Options::default()
        }
    }
}

async fn foreground(options: Options) -> Result<ExitCode> {
    let start = Instant::now();
    let terminal: Report = Arc::new(|line| println!("{line}"));
    supervise(options, terminal, move |stack| {
        println!("\n{}", table::render(&Status::of(stack)).trim_end());
        println!("ready in {:.1} s; Ctrl-C ends it", start.elapsed().as_secs_f32());
    })
    .await
}

/// Starts a stack, stays until a signal or `down`, ends it.
pub async fn supervise(options: Options, terminal: Report, ready: impl FnOnce(&Stack)) -> Result<ExitCode> {
    let mut ends = Ends::new()?;
    let lines = Lines::default();
    let log = events::to_file(options.data.join("logs").join("launcher.log"));
    let report = events::both(log, events::both(terminal, lines.report()));
    let stack = Arc::new(Stack::prepare(options, report).await?);
    let control = tokio::spawn(control::serve(Arc::clone(&stack), lines, Arc::clone(&ends.down)));
    let started = tokio::select! {
        started = stack.run() => Some(started),
        () = ends.wait() => None,
    };
    let outcome = match started {
        Some(Ok(())) => {
            ready(&stack);
            ends.wait().await;
            Ok(ExitCode::SUCCESS)
        }
        Some(Err(error)) => Err(error),
        None => Ok(ExitCode::from(INTERRUPTED)),
    };
    let in_order = tokio::select! {
        ended = stack.halt() => {
            ended?;
            true
        }
        () = ends.wait() => false,
    };
    control.abort();
    if !in_order {
        stack.kill_all();
        eprintln!("trestle: everything was killed at once; the next `trestle up` repairs the database");
        return Ok(ExitCode::from(INTERRUPTED));
    }
    outcome
}

/// What ends a stack: Ctrl-C, SIGTERM, a closed terminal, `trestle down`.
struct Ends {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    down: Arc<Notify>,
}

impl Ends {
    fn new() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            down: Arc::new(Notify::new()),
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
            () = self.down.notified() => {}
        }
    }
}

/// One line of what a background launcher tells the command that started it.
pub fn background_line(reply: &Reply) -> String {
    serde_json::to_string(reply).unwrap_or_default()
}

/// How many replicas a person may ask for.
pub fn replicas() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=MOST_REPLICAS as u64)
}

fn picture_host(text: &str) -> Result<String, &'static str> {
    let host = text.trim();
    if host.is_empty() || is_host(host) {
        Ok(host.to_owned())
    } else {
        Err("not a host name in small letters, perhaps with a port")
    }
}
