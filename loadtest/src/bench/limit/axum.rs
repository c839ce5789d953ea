//! Bare axum, as trestle-api serves: one listener, accepted connections handed in turn to runtimes of one thread, hyper with
//! the same settings. One route answers the same bytes, with or without the headers that the shop's answer has.

use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use clap::Args;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Child;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// As in the shop's `serve`.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
const READ_BUFFER: usize = 32 * 1024;
/// The shop's own path, so that the requests are alike too.
const BODY: &str = "/api/v1/products/{id}";
/// The same body with the headers of the shop's answer.
const DRESSED: &str = "/dressed/{id}";
/// 304 with the entity tag.
const UNCHANGED: &str = "/unchanged/{id}";

/// What to answer comes on standard input, as JSON; it serves until that is closed.
#[derive(Debug, Clone, Args)]
pub struct AxumArgs {
    #[arg(long, value_name = "N", default_value_t = 1)]
    workers: u16,
}

/// What the bare server answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Payload {
    pub body: String,
    pub etag: String,
    /// The shop's further headers.
    pub headers: Vec<(String, String)>,
}

struct Prepared {
    body: Bytes,
    etag: HeaderValue,
    headers: HeaderMap,
}

/// Serves until standard input ends, which it does when whoever started it is gone.
///
/// # Errors
/// When it cannot listen or was told nonsense.
pub async fn run(args: &AxumArgs) -> Result<ExitCode> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let payload: Payload = serde_json::from_str(&line).context("what to answer")?;
    let router = router(prepare(payload)?);
    std::thread::spawn(|| {
        std::io::stdin().read_to_end(&mut Vec::new()).ok();
        std::process::exit(0);
    });
    let workers = (0..args.workers.max(1))
        .map(|_| {
            let (sender, receiver) = mpsc::channel(1024);
            let router = router.clone();
            std::thread::Builder::new().spawn(move || worker(router, receiver))?;
            Ok(sender)
        })
        .collect::<Result<Vec<_>>>()?;
    accept(&workers).await
}

fn prepare(payload: Payload) -> Result<Prepared> {
    let mut headers = HeaderMap::new();
    for (name, value) in payload.headers {
        headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    Ok(Prepared {
        body: payload.body.into(),
        etag: HeaderValue::try_from(payload.etag)?,
        headers,
    })
}

fn router(prepared: Prepared) -> Router {
    Router::new()
        .route(BODY, get(plain))
        .route(DRESSED, get(dressed))
        .route(UNCHANGED, get(unchanged))
        .with_state(Arc::new(prepared))
}

async fn plain(State(prepared): State<Arc<Prepared>>) -> Response {
    let mut response = Response::new(prepared.body.clone().into());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// As many headers of the same lengths: what it costs to carry them, not to work them out.
async fn dressed(State(prepared): State<Arc<Prepared>>) -> Response {
    let mut response = Response::new(prepared.body.clone().into());
    let headers = response.headers_mut();
    for (name, value) in &prepared.headers {
        headers.insert(name, value.clone());
    }
    response
}

async fn unchanged(State(prepared): State<Arc<Prepared>>, asked: HeaderMap) -> Response {
    let mut response = Response::new(axum::body::Body::empty());
    if asked.get(header::IF_NONE_MATCH) == Some(&prepared.etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    response.headers_mut().insert(header::ETAG, prepared.etag.clone());
    response
}

async fn accept(workers: &[mpsc::Sender<std::net::TcpStream>]) -> Result<ExitCode> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?);
    for turn in (0..workers.len()).cycle() {
        let (stream, _) = listener.accept().await?;
        if let Some(worker) = workers.get(turn) {
            worker.try_send(stream.into_std()?).ok();
        }
    }
    Ok(ExitCode::FAILURE)
}

fn worker(router: Router, mut receiver: mpsc::Receiver<std::net::TcpStream>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else {
        std::process::exit(1);
    };
    runtime.block_on(async {
        let service = TowerToHyperService::new(router);
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_buf_size(READ_BUFFER);
        while let Some(stream) = receiver.recv().await {
            let Ok(stream) = TcpStream::from_std(stream) else {
                continue;
            };
            stream.set_nodelay(true).ok();
            tokio::spawn(http.serve_connection(TokioIo::new(stream), service.clone()));
        }
    });
}

/// A running bare server. It ends when this is dropped.
#[derive(Debug)]
pub struct Bare {
    pub address: SocketAddr,
    pub pid: i32,
    child: Child,
}

impl Bare {
    /// # Errors
    /// When it does not start.
    pub async fn start(payload: &Payload, workers: u16) -> Result<Self> {
        let mut command = super::command("axum")?;
        command
            .args(["--workers", &workers.to_string()])
            .stdin(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = command.spawn().context("starting bare axum")?;
        let mut line = serde_json::to_vec(payload)?;
        line.push(b'\n');
        let stdin = child.stdin.as_mut().context("bare axum's input")?;
        stdin.write_all(&line).await?;
        let stdout = child.stdout.take().context("bare axum's output")?;
        let mut said = String::new();
        let mut reader = BufReader::new(stdout);
        timeout(Duration::from_secs(10), reader.read_line(&mut said))
            .await
            .context("bare axum does not start")??;
        let Ok(address) = said.trim().parse() else {
            bail!("bare axum does not listen: {said:?}");
        };
        let pid = child.id().context("bare axum has ended")?;
        Ok(Self {
            address,
            pid: i32::try_from(pid)?,
            child,
        })
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn end(mut self) -> Result<()> {
        self.child.kill().await.context("ending bare axum")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use http::Request;
    use http_body_util::BodyExt as _;
    use hyper::service::Service as _;

    use super::*;

    async fn ask(path: &str, etag: &str) -> (StatusCode, HeaderMap, Bytes) {
        let payload = Payload {
            body: "{}".into(),
            etag: "\"a\"".into(),
            headers: vec![("trestle-replica".into(), "api-1".into())],
        };
        let service = TowerToHyperService::new(router(prepare(payload).unwrap()));
        let request = Request::builder().uri(path).header(header::IF_NONE_MATCH, etag);
        let request = request.body(axum::body::Body::empty()).unwrap();
        let (head, body) = service.call(request).await.unwrap().into_parts();
        (
            head.status,
            head.headers,
            body.collect().await.unwrap().to_bytes(),
        )
    }

    #[tokio::test]
    async fn it_answers_what_the_shop_does_and_no_more() {
        let (status, headers, body) = ask("/api/v1/products/7", "").await;
        assert_eq!((status, body.as_ref()), (StatusCode::OK, b"{}".as_ref()));
        assert_eq!(headers.get("trestle-replica"), None);
        let (_, headers, body) = ask("/dressed/7", "").await;
        assert_eq!(body.as_ref(), b"{}");
        assert_eq!(headers.get("trestle-replica").unwrap(), "api-1");
    }

    #[tokio::test]
    async fn only_the_right_entity_tag_is_unchanged() {
        let (status, _, body) = ask("/unchanged/7", "\"a\"").await;
        assert_eq!((status, body.len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!(ask("/unchanged/7", "\"b\"").await.0, StatusCode::OK);
    }
}
