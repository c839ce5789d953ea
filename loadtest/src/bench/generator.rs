//! The load generator's own client against a bare hyper client, both asking the stub for one fixed answer: what a shopper costs
//! beside the connection itself.

use std::cell::Cell;
use std::process::Stdio;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use http::StatusCode;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use super::client::{self, Window};
use super::compare::{Comparison, Measure, Round, Sample, Subject};
use super::measure::Meter;
use super::{Setting, say};
use crate::interaction::Interaction;
use crate::recorder::{Ended, Recorder};
use crate::shopper::client::{Ask, Client};
use crate::shopper::target::Target;

const CONNECTIONS: usize = 16;
const PATH: &str = "/api/v1/products/1";
/// "At most 1.3 times": the bare client's CPU is at least this share of the generator's.
const TARGET: f64 = 1.0 / 1.3;

/// Compares in interleaved rounds. CPU is this process's.
///
/// # Errors
/// When the stub does not start, or an answer is missing.
pub async fn compare(setting: &Setting) -> Result<Comparison> {
    let stub = Stub::start().await?;
    let target = Rc::new(Target::resolve(&stub.url, None).await?);
    let mut rounds = Vec::new();
    for number in 1..=setting.rounds {
        say(&format!("generator, round {number} of {}", setting.rounds));
        rounds.push(Round {
            shop: own(&target, setting.window).await?,
            limit: bare(&stub, setting.window).await?,
        });
    }
    let subject = Subject {
        id: "generator".to_owned(),
        title: "the generator's own client".to_owned(),
        limit: "bare hyper client".to_owned(),
        unit: "request".to_owned(),
        measure: Measure::Cpu,
        target: Some(TARGET),
        note: "one fixed GET with its body read and its latency recorded, against a server with fixed answers; here the \
               client's CPU is what is compared"
            .to_owned(),
    };
    Ok(Comparison::of(subject, rounds))
}

/// The server with fixed answers, as a process of its own.
struct Stub {
    url: String,
    _child: Child,
}

impl Stub {
    async fn start() -> Result<Self> {
        let own = std::env::current_exe().context("this program's own file")?;
        let mut child = Command::new(own)
            .arg("stub")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("starting the stub")?;
        let output = child.stdout.take().context("the stub's output")?;
        let url = BufReader::new(output).lines().next_line().await?;
        let url = url.context("the stub ended")?;
        Ok(Self { url, _child: child })
    }
}

fn meter() -> Result<Meter> {
    Ok(Meter::Process(i32::try_from(std::process::id())?))
}

async fn bare(stub: &Stub, window: Window) -> Result<Sample> {
    let address = stub.url.trim_start_matches("http://").parse()?;
    let target = client::Target {
        address,
        connections: CONNECTIONS,
        meter: meter()?,
        status: StatusCode::OK,
        cache: None,
    };
    client::drive(target, window, client::gets(vec![PATH.to_owned()])).await
}

async fn own(target: &Rc<Target>, window: Window) -> Result<Sample> {
    let recorder = Rc::new(std::cell::RefCell::new(Recorder::new()?));
    let (done, stop) = (Rc::new(Cell::new(0_u64)), Rc::new(Cell::new(false)));
    recorder.borrow_mut().measure(Instant::now(), true);
    let mut connections = JoinSet::new();
    for number in 0..CONNECTIONS {
        let mut client = Client::new(Rc::clone(target), number);
        let (recorder, done, stop) = (Rc::clone(&recorder), Rc::clone(&done), Rc::clone(&stop));
        connections.spawn_local(async move {
            while !stop.get() {
                let due = Instant::now();
                recorder.borrow_mut().begun(due, due);
                let answer = client.send(&Ask::get(PATH)).await?;
                let mut recorder = recorder.borrow_mut();
                recorder.answered(&answer);
                recorder.ended(Interaction::ProductDetail, due, due, Ended::Well);
                done.set(done.get() + 1);
            }
            anyhow::Ok(())
        });
    }
    tokio::time::sleep(window.warm_up).await;
    let (began, cpu, count) = (Instant::now(), meter()?.cpu_seconds()?, done.get());
    tokio::time::sleep(window.measured).await;
    let sample = Sample {
        count: done.get() - count,
        seconds: began.elapsed().as_secs_f64(),
        cpu_seconds: meter()?.cpu_seconds()? - cpu,
        all: done.get(),
    };
    stop.set(true);
    while let Some(joined) = connections.join_next().await {
        joined??;
    }
    if sample.count == 0 {
        bail!("the stub gave no answer");
    }
    Ok(sample)
}
