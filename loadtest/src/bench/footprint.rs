//! What the shop takes beside requests: time to start, memory, size on disk.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use http::{Method, StatusCode};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::client::{once, request};
use super::compare::median;
use super::result::{File, Start};
use super::shop::Shop;

const STARTS: usize = 5;
const READY_WITHIN: Duration = Duration::from_secs(30);
const END_WITHIN: Duration = Duration::from_secs(15);
const PROGRAMS: [&str; 3] = ["trestle-api", "trestle", "trestle-loadtest"];

/// Starts further replicas like the running one, one after another, and times each until it is ready.
///
/// # Errors
/// When one does not become ready.
pub async fn starts(shop: &Shop, programs: &Path) -> Result<Start> {
    let mut milliseconds = Vec::new();
    for _ in 0..STARTS {
        milliseconds.push(start(shop, programs).await?);
    }
    Ok(Start {
        median_ms: median(milliseconds.clone()),
        each_ms: milliseconds,
    })
}

async fn start(shop: &Shop, programs: &Path) -> Result<f64> {
    let (api, ops) = (free_address()?, free_address()?);
    let began = Instant::now();
    let mut child = Command::new(programs.join("trestle-api"))
        .arg("serve")
        .envs(shop.environment.iter().map(|(name, value)| (name, value)))
        .env("TRESTLE_LISTEN", api.to_string())
        .env("TRESTLE_OPS_LISTEN", ops.to_string())
        .env("TRESTLE_REPLICA", "bench")
        .env("TRESTLE_LINGER_SECONDS", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("starting trestle-api")?;
    let ready = async {
        while !is_ready(ops).await? {
            if let Some(status) = child.try_wait()? {
                bail!("trestle-api ended at its start: {status}");
            }
            sleep(Duration::from_millis(1)).await;
        }
        Ok(began.elapsed().as_secs_f64() * 1e3)
    };
    let took = timeout(READY_WITHIN, ready)
        .await
        .context("trestle-api does not become ready")??;
    end(child).await?;
    Ok(took)
}

async fn is_ready(ops: SocketAddr) -> Result<bool> {
    let asked = once(ops, request(Method::GET, "/readyz", &[], "")?).await;
    Ok(asked.is_ok_and(|answer| answer.status == StatusCode::OK))
}

async fn end(mut child: Child) -> Result<()> {
    let pid = child.id().context("trestle-api has ended")?;
    kill(Pid::from_raw(i32::try_from(pid)?), Signal::SIGTERM)?;
    let status = timeout(END_WITHIN, child.wait())
        .await
        .context("trestle-api does not end")??;
    ensure!(status.success(), "trestle-api ended with {status}");
    Ok(())
}

fn free_address() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// The programs as they were built, those that are there.
pub fn files(programs: &Path) -> Vec<File> {
    PROGRAMS
        .iter()
        .filter_map(|name| {
            let bytes = fs::metadata(programs.join(name)).ok()?.len();
            Some(File {
                name: (*name).to_owned(),
                bytes,
            })
        })
        .collect()
}
