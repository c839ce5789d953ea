//! `stub`: a server with fixed answers, against which the generator itself is measured.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;

use crate::stack::Root;
use crate::stack::limits::Limits;
use crate::stub::{Behaviour, Stall, serve};

/// What `stub` takes.
#[derive(Debug, clap::Args)]
pub struct StubArgs {
    /// Where it listens; port 0 takes a free one, which is printed
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Products in its catalogue
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    products: u64,
    /// Milliseconds that each answer takes
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
    /// Answer nothing from this second on ...
    #[arg(long, value_name = "SECONDS", requires = "stall_for")]
    stall_after: Option<f64>,
    /// ... for so long
    #[arg(long, value_name = "SECONDS", requires = "stall_after")]
    stall_for: Option<f64>,
}

/// Serves until it is ended.
///
/// # Errors
/// When the address is taken.
pub async fn run(args: StubArgs) -> Result<ExitCode> {
    Limits::raise(&Root::default())?;
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("--listen {}", args.listen))?;
    println!("http://{}", listener.local_addr()?);
    let stall = args.stall_after.zip(args.stall_for).map(|(after, lasts)| Stall {
        after: Duration::from_secs_f64(after.max(0.0)),
        lasts: Duration::from_secs_f64(lasts.max(0.0)),
    });
    let behaviour = Behaviour {
        products: args.products,
        latency: Duration::from_millis(args.latency),
        stall,
    };
    serve(listener, behaviour).await?;
    Ok(ExitCode::SUCCESS)
}
