//! One connection of one shopper: HTTP/1.1, kept alive, one request after the other, as little around it as is possible.
//!
//! A request has failed when no answer comes, after one repeat on a new connection if a reused one was closed before any byte of
//! the answer: a server that lets go of an idle connection crosses what is just being sent.

use std::rc::Rc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;

use super::target::Target;

/// As long as the storefront waits; longer than nginx takes to try another replica.
const PATIENCE: Duration = Duration::from_secs(14);
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// An answer of the shop has at most some 100 kB; a body beyond this is not what was asked for.
const LARGEST_BODY: usize = 32 << 20;
/// hyper's buffer of a connection grows up to this: 10,000 of them have to fit.
const BUFFER: usize = 16 * 1024;

pub static REPLICA: HeaderName = HeaderName::from_static("trestle-replica");
pub static CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
pub static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is asked.
pub struct Ask<'a> {
    pub method: Method,
    /// Path and query.
    pub path: &'a str,
    pub headers: &'a [(HeaderName, HeaderValue)],
    /// JSON.
    pub body: Option<Bytes>,
    /// Whether the answer's bytes are looked at.
    pub keep_body: bool,
}

impl<'a> Ask<'a> {
    pub fn get(path: &'a str) -> Self {
        Self {
            method: Method::GET,
            path,
            headers: &[],
            body: None,
            keep_body: false,
        }
    }
}

/// What was answered.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// Empty when it was not to be kept.
    pub body: Bytes,
    /// On the wire, without the head.
    pub length: usize,
}

/// Why no answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    Refused(String),
    Closed(String),
    TimedOut,
}

impl std::fmt::Display for NoAnswer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(why) => write!(formatter, "no connection: {why}"),
            Self::Closed(why) => write!(formatter, "no answer: {why}"),
            Self::TimedOut => write!(formatter, "no answer in {} s", PATIENCE.as_secs()),
        }
    }
}

impl std::error::Error for NoAnswer {}

/// A connection that is made at the first request, and again when it has ended.
pub struct Client {
    target: Rc<Target>,
    sender: Option<SendRequest<Full<Bytes>>>,
    /// Which of the shop's addresses is next.
    turn: usize,
}

impl Client {
    pub fn new(target: Rc<Target>, turn: usize) -> Self {
        Self {
            target,
            sender: None,
            turn,
        }
    }

    /// Lets go of the connection, as a closed browser does.
    pub fn close(&mut self) {
        self.sender = None;
    }

    /// # Errors
    /// When no answer comes. Whether the shop has done what was asked is not known then.
    pub async fn send(&mut self, ask: &Ask<'_>) -> Result<Answer, NoAnswer> {
        if let Ok(answer) = tokio::time::timeout(PATIENCE, self.send_now(ask)).await {
            if answer.is_err() {
                self.sender = None;
            }
            return answer;
        }
        // The answer may still come, on a connection that nobody reads any more.
        self.sender = None;
        Err(NoAnswer::TimedOut)
    }

    async fn send_now(&mut self, ask: &Ask<'_>) -> Result<Answer, NoAnswer> {
        if let Some(mut sender) = self.sender.take().filter(|sender| !sender.is_closed()) {
            match self.exchange(&mut sender, ask).await {
                // Nothing of an answer came on a connection that was used before: once more on a new one.
                Err(error) if error.before_answer => {}
                Err(error) => return Err(error.into()),
                Ok(answer) => {
                    self.sender = Some(sender);
                    return Ok(answer);
                }
            }
        }
        let mut sender = self.connect().await?;
        let answer = self.exchange(&mut sender, ask).await?;
        self.sender = Some(sender);
        Ok(answer)
    }

    async fn connect(&mut self) -> Result<SendRequest<Full<Bytes>>, NoAnswer> {
        let refused = |error: &dyn std::fmt::Display| NoAnswer::Refused(error.to_string());
        self.turn = self.turn.wrapping_add(1);
        let stream = tokio::time::timeout(CONNECT_WITHIN, self.target.connect(self.turn))
            .await
            .map_err(|_| NoAnswer::Refused(format!("not in {} s", CONNECT_WITHIN.as_secs())))?
            .map_err(|error| refused(&error.kind()))?;
        if self.target.is_secure() {
            let stream = self.target.secure(stream).await;
            let stream = stream
                .ok_or_else(|| NoAnswer::Refused("no TLS".to_owned()))?
                .map_err(|error| refused(&error))?;
            return Self::handshake(TokioIo::new(stream)).await;
        }
        Self::handshake(TokioIo::new(stream)).await
    }

    async fn handshake<T>(io: T) -> Result<SendRequest<Full<Bytes>>, NoAnswer>
    where
        T: hyper::rt::Read + hyper::rt::Write + Unpin + 'static,
    {
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(BUFFER)
            .handshake(io)
            .await
            .map_err(|error| NoAnswer::Refused(error.to_string()))?;
        // It ends with the connection; what it ended with, the request hears too.
        tokio::task::spawn_local(async move { drop(connection.await) });
        Ok(sender)
    }

    async fn exchange(
        &self,
        sender: &mut SendRequest<Full<Bytes>>,
        ask: &Ask<'_>,
    ) -> Result<Answer, Interrupted> {
        let request = self.request(ask).map_err(|error| Interrupted {
            why: error.to_string(),
            before_answer: false,
        })?;
        let before = |error: hyper::Error| Interrupted {
            why: cause(&error),
            before_answer: true,
        };
        sender.ready().await.map_err(before)?;
        let response = sender.send_request(request).await.map_err(before)?;
        let (head, body) = response.into_parts();
        let (body, length) = read(body, ask.keep_body).await.map_err(|why| Interrupted {
            why,
            before_answer: false,
        })?;
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
            length,
        })
    }

    fn request(&self, ask: &Ask<'_>) -> http::Result<Request<Full<Bytes>>> {
        let mut request = Request::new(Full::new(ask.body.clone().unwrap_or_default()));
        *request.method_mut() = ask.method.clone();
        *request.uri_mut() = http::Uri::try_from(ask.path)?;
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.target.host.clone());
        if ask.body.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in ask.headers {
            headers.append(name, value.clone());
        }
        Ok(request)
    }
}

struct Interrupted {
    why: String,
    before_answer: bool,
}

impl From<Interrupted> for NoAnswer {
    fn from(error: Interrupted) -> Self {
        Self::Closed(error.why)
    }
}

/// The innermost reason: `connection reset by peer` says more than `error reading a body`.
fn cause(error: &hyper::Error) -> String {
    let mut reason: &dyn std::error::Error = error;
    while let Some(inner) = reason.source() {
        reason = inner;
    }
    reason.to_string()
}

async fn read(mut body: Incoming, keep: bool) -> Result<(Bytes, usize), String> {
    let mut kept = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| cause(&error))?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > LARGEST_BODY {
            return Err(format!("an answer of more than {} MB", LARGEST_BODY >> 20));
        }
        if keep {
            kept.extend_from_slice(&data);
        }
    }
    Ok((kept.freeze(), length))
}
