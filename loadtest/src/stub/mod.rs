//! A server with fixed answers that a generator takes for Trestle: what the generator can do, and costs, is measured against it.
//!
//! It holds nothing: a cart lives in its cookie, an order only in the answer that it was placed with. So carts agree with what
//! was acknowledged, and orders that are asked for again do not: a run against it is not verified. Give it a runtime of one
//! thread.

mod answer;
mod bodies;
mod cart;
mod routes;

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

/// Bytes of a request's body at most.
const MOST: usize = 64 * 1024;
/// hyper's smallest: ten thousand connections take as little as they can.
const BUFFER: usize = 8 * 1024;
/// How long to wait when no more files can be opened.
const PAUSE: Duration = Duration::from_millis(10);

/// How the stub behaves.
#[derive(Debug, Clone, Copy)]
pub struct Behaviour {
    /// Products in its catalogue, with ids from 1; each has two variants, 2 id - 1 and 2 id.
    pub products: u64,
    /// Each answer takes so long.
    pub latency: Duration,
    pub stall: Option<Stall>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            products: 1000,
            latency: Duration::ZERO,
            stall: None,
        }
    }
}

/// A time in which nothing is answered: what would have been is answered at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    /// From when the stub began to serve.
    pub after: Duration,
    pub lasts: Duration,
}

impl Stall {
    /// How long an answer that is due so long after the beginning has still to wait.
    fn left(self, since: Duration) -> Duration {
        if since < self.after {
            return Duration::ZERO;
        }
        (self.after + self.lasts).saturating_sub(since)
    }
}

/// Serves until it is dropped.
///
/// # Errors
/// Never while the listener holds; an error of one connection ends that connection.
pub async fn serve(listener: TcpListener, behaviour: Behaviour) -> std::io::Result<()> {
    let began = Instant::now();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                stream.set_nodelay(true)?;
                tokio::spawn(connection(stream, behaviour, began));
            }
            Err(error) if is_of_connection(&error) => {}
            // Out of files: those that are open are served on.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Whether the client was gone before it was accepted.
fn is_of_connection(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        std::io::ErrorKind::ConnectionAborted | std::io::ErrorKind::ConnectionReset
    )
}

async fn connection(stream: TcpStream, behaviour: Behaviour, began: Instant) {
    let service = service_fn(move |request| respond(request, behaviour, began));
    // How a client leaves is its own affair.
    let _ = http1::Builder::new()
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(
    request: Request<Incoming>,
    behaviour: Behaviour,
    began: Instant,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let response = match Limited::new(body, MOST).collect().await {
        Ok(body) => routes::answer(&parts, &body.to_bytes(), behaviour.products),
        Err(_) => answer::problem(413, "payload_too_large"),
    };
    let left = behaviour
        .stall
        .map_or(Duration::ZERO, |it| it.left(began.elapsed()));
    let wait = left.max(behaviour.latency);
    // The timer's grain is a millisecond: without a wait it is not asked.
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    Ok(response)
}

#[cfg(test)]
mod tests;

/// A stub as a shop to go shopping in, with its journal in `folder`. It lives as long as the test's runtime.
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
pub(crate) async fn shop(folder: &std::path::Path) -> std::rc::Rc<crate::shopper::shop::Shop> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, Behaviour::default()));
    let journal = crate::journal::Journal::create(&folder.join("journal")).unwrap();
    let target = crate::shopper::target::Target::resolve(&url, None).await.unwrap();
    let encoding = http::HeaderValue::from_static("identity");
    crate::shopper::shop::Shop::read(target, journal, encoding, 1)
        .await
        .unwrap()
}
