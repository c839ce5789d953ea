//! A closed load from a lean client: so many keep-alive connections, each sends its next request when the last one's body
//! has been read. Its own cost is not counted; only what it asks is.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::{JoinSet, spawn_local};
use tokio::time::{sleep, timeout};

use super::compare::Sample;
use super::measure::Meter;

/// What may still be under way when a window ends.
const ENDS_WITHIN: Duration = Duration::from_secs(20);
/// A comparison is of nothing when more of the answers than this came from elsewhere than it says.
const MOST_STRANGE: f64 = 0.05;

/// How long one side is measured.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Before the measured time, not counted.
    pub warm_up: Duration,
    pub measured: Duration,
}

/// Whom to ask, by how many connections, and what answer is expected.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    pub address: SocketAddr,
    pub connections: usize,
    pub meter: Meter,
    pub status: StatusCode,
    /// The Cache-Status that nearly every answer has.
    pub cache: Option<&'static str>,
}

#[derive(Default)]
struct Seen {
    done: Cell<u64>,
    strange: Cell<u64>,
    stop: Cell<bool>,
    failure: RefCell<Option<String>>,
}

/// Asks for one window. `make` gives the nth request of a connection. Runs in a `LocalSet`.
///
/// # Errors
/// When an answer has another status, a connection breaks, or more than 5 % came from another layer than expected.
pub async fn drive(
    target: Target,
    window: Window,
    make: impl Fn(usize, u64) -> Result<Request<Full<Bytes>>> + 'static,
) -> Result<Sample> {
    let seen = Rc::new(Seen::default());
    let make = Rc::new(make);
    let mut connections = JoinSet::new();
    for number in 0..target.connections {
        let (seen, make) = (Rc::clone(&seen), Rc::clone(&make));
        connections.spawn_local(async move {
            if let Err(error) = ask(target, number, &seen, make.as_ref()).await {
                seen.failure.borrow_mut().get_or_insert(format!("{error:#}"));
                seen.stop.set(true);
            }
        });
    }
    sleep(window.warm_up).await;
    let (began, cpu, count) = (Instant::now(), target.meter.cpu_seconds()?, seen.done.get());
    sleep(window.measured).await;
    let (seconds, cpu_after, count_after) = (
        began.elapsed().as_secs_f64(),
        target.meter.cpu_seconds()?,
        seen.done.get(),
    );
    seen.stop.set(true);
    let ended = async { while connections.join_next().await.is_some() {} };
    timeout(ENDS_WITHIN, ended)
        .await
        .with_context(|| format!("{} gave no answer", target.address))?;
    if let Some(failure) = seen.failure.borrow_mut().take() {
        bail!("{}: {failure}", target.address);
    }
    let sample = Sample {
        count: count_after - count,
        seconds,
        cpu_seconds: cpu_after - cpu,
        all: seen.done.get(),
    };
    check(&sample, seen.strange.get(), target)?;
    Ok(sample)
}

fn check(sample: &Sample, strange: u64, target: Target) -> Result<()> {
    if sample.count == 0 {
        bail!("{} answered nothing in the measured time", target.address);
    }
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let share = strange as f64 / sample.all.max(1) as f64;
    if share > MOST_STRANGE {
        bail!(
            "{}: {:.0} % of the answers were no {:?}",
            target.address,
            share * 100.0,
            target.cache.unwrap_or_default()
        );
    }
    Ok(())
}

async fn ask(
    target: Target,
    number: usize,
    seen: &Seen,
    make: &impl Fn(usize, u64) -> Result<Request<Full<Bytes>>>,
) -> Result<()> {
    let mut sender = connect(target.address).await?;
    let mut nth = 0;
    while !seen.stop.get() {
        // nginx closes a connection after so many requests, and says so with the last answer.
        if sender.ready().await.is_err() {
            sender = connect(target.address).await?;
        }
        let mut response = sender.send_request(make(number, nth)?).await?;
        nth += 1;
        if response.status() != target.status {
            let body = response.into_body().collect().await?.to_bytes();
            bail!("unexpected answer: {}", String::from_utf8_lossy(&body));
        }
        if let Some(expected) = target.cache
            && !is_from(response.headers(), expected)
        {
            seen.strange.set(seen.strange.get() + 1);
        }
        while let Some(frame) = response.frame().await {
            frame?;
        }
        seen.done.set(seen.done.get() + 1);
    }
    Ok(())
}

fn is_from(headers: &HeaderMap, expected: &str) -> bool {
    headers
        .get("cache-status")
        .is_some_and(|value| value.as_bytes().starts_with(expected.as_bytes()))
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("connecting to {address}"))?;
    stream.set_nodelay(true).ok();
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    spawn_local(async move { connection.await.ok() });
    Ok(sender)
}

/// One answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Asks once, on a connection of its own.
///
/// # Errors
/// When there is no answer in 10 s.
pub async fn once(address: SocketAddr, request: Request<Full<Bytes>>) -> Result<Answer> {
    let asked = async {
        let mut sender = connect(address).await?;
        let (head, body) = sender.send_request(request).await?.into_parts();
        Ok::<_, anyhow::Error>(Answer {
            status: head.status,
            headers: head.headers,
            body: body.collect().await?.to_bytes(),
        })
    };
    timeout(Duration::from_secs(10), asked)
        .await
        .with_context(|| format!("{address} gives no answer"))?
}

/// A request for a path on this machine.
///
/// # Errors
/// When the path or a header cannot be one.
pub fn request(
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Result<Request<Full<Bytes>>> {
    let mut builder = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "127.0.0.1");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    Ok(builder.body(Full::new(body.into()))?)
}

/// The same GET of each of these paths in turn.
pub fn gets(paths: Vec<String>) -> impl Fn(usize, u64) -> Result<Request<Full<Bytes>>> + 'static {
    // Parsed once: the client's cost is not counted, but it shares the machine.
    let uris: Vec<http::Uri> = paths.iter().filter_map(|path| path.parse().ok()).collect();
    move |connection, nth| {
        // Each connection begins elsewhere, and a step that shares no factor with 1,000 visits all of them.
        let at = usize::try_from(nth)? * 617 + connection * 61;
        let uri = uris.get(at % uris.len().max(1)).context("no path to ask for")?;
        let mut request = Request::new(Full::default());
        *request.uri_mut() = uri.clone();
        request
            .headers_mut()
            .insert(header::HOST, header::HeaderValue::from_static("127.0.0.1"));
        Ok(request)
    }
}
