//! What surrounds every request, in one layer: the request id, the trace, the replica's name, the limit on requests under
//! way, the end of problem answers, what is counted and the log line. One function, because each layer costs the hot path.

mod log;
mod text;
mod trace;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use http::header::{self, HeaderName};
use http::{HeaderValue, StatusCode};

pub use self::trace::Trace;
use crate::browser;
use crate::conventions::{Conventions, Known};
use crate::error::{Error, Problem};
use crate::front;
use crate::metrics::{METRICS, Reason, Shard};
use crate::state::AppState;
use crate::tally::{self, Tally};

pub static REPLICA: HeaderName = HeaderName::from_static("trestle-replica");
pub static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What the layer knows beside the state; made once for each runtime.
pub struct Surround {
    pub state: AppState,
    pub replica: HeaderValue,
    conventions: Arc<Conventions>,
    ids: Ids,
    /// Whether nothing has looked at requests before they came here.
    is_front: bool,
    /// This runtime's counts of requests.
    counts: Arc<Shard>,
}

/// Makes request ids: a random start for the process and a count.
struct Ids {
    start: u32,
    count: AtomicU64,
}

impl Surround {
    pub fn new(state: AppState, conventions: Arc<Conventions>) -> Self {
        // The name was checked to be letters, digits and punctuation.
        let replica =
            HeaderValue::from_str(&state.config.replica).unwrap_or(HeaderValue::from_static("unnamed"));
        Self {
            is_front: !state.config.behind_nginx,
            state,
            replica,
            conventions,
            ids: Ids {
                start: rand::random(),
                count: AtomicU64::new(0),
            },
            counts: METRICS.requests.shard(),
        }
    }

    /// The headers that every answer has.
    fn head(&self, response: &mut Response, id: HeaderValue, took: Duration) {
        let headers = response.headers_mut();
        headers.insert(&REPLICA, self.replica.clone());
        headers.insert(&REQUEST_ID, id);
        if let Some(timing) = text::timing(took) {
            headers.insert(&SERVER_TIMING, timing);
        }
        if self.state.lifecycle.is_draining() {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }

    /// Whether this can be a request of ours, now.
    fn check(&self, request: &Request, tally: &Tally) -> Result<(), Error> {
        if self.is_front {
            front::check(request)?;
        }
        if !request.method().is_safe() {
            tally.writes(self.state.writes.begin()?);
        }
        Ok(())
    }

    fn request_id(&self, request: &Request) -> HeaderValue {
        if let Some(id) = request.headers().get(&REQUEST_ID)
            && is_sane(id.as_bytes())
        {
            return id.clone();
        }
        let count = self.ids.count.fetch_add(1, Ordering::Relaxed);
        text::request_id(self.ids.start, count)
    }
}

/// An id for what never became a request.
pub fn random_id() -> String {
    let id = text::request_id(rand::random(), rand::random());
    id.to_str().unwrap_or_default().to_owned()
}

fn is_sane(id: &[u8]) -> bool {
    (1..=64).contains(&id.len()) && id.iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b))
}

/// What is known of a request before it is worked on, and still needed after it.
struct Asked {
    method: http::Method,
    route: Option<MatchedPath>,
}

impl Asked {
    fn of(request: &Request) -> Self {
        Self {
            method: request.method().clone(),
            route: request.extensions().get::<MatchedPath>().cloned(),
        }
    }

    /// The route as it is declared: what a client sends must not become a label.
    fn route(&self) -> &str {
        self.route.as_ref().map_or("none", MatchedPath::as_str)
    }
}

/// The layer.
pub async fn surround(State(surround): State<Arc<Surround>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let state = &surround.state;
    let id = surround.request_id(&request);
    let admission = Arc::clone(&state.admission);
    let tally = Arc::new(Tally::new(id.clone(), Trace::of(request.headers()), admission));
    let asked = Asked::of(&request);
    let known = Known::of(&request);
    let mut admitted = surround.check(&request, &tally);
    // A read may find all it needs in memory, for less than a refusal costs, and takes its place when it does not
    // (`tally::enter`). A write never can: it is refused before it is read.
    if admitted.is_ok() && !asked.method.is_safe() {
        admitted = tally.enter().await;
    }
    let mut response = if let Err(refused) = admitted {
        refused.into_response()
    } else if browser::is_cross_origin_write(&request, &state.config) {
        Error::CrossOrigin.into_response()
    } else if let Err(error) = surround.conventions.check(&request) {
        error.into_response()
    } else {
        let work = tally::scope(Arc::clone(&tally), next.run(request));
        // A handler that panics answers 500; the process goes on.
        AssertUnwindSafe(work)
            .catch_unwind()
            .await
            .unwrap_or_else(|panic| {
                Error::Internal(format!("panicked: {}", message_of(&panic))).into_response()
            })
    };
    tally.leave();
    known.finish(&mut response);
    let cause = finish_problem(&mut response, &id);
    let took = began.elapsed();
    surround.head(&mut response, id, took);
    surround
        .counts
        .answered(asked.route(), &asked.method, response.status(), took);
    if let Some(reason) = refusal(&response, &tally) {
        METRICS.refusals.of(reason).observe(took);
    }
    if state.log.access.load(Ordering::Relaxed) {
        let answered = log::Answered {
            micros: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            replica: &state.config.replica,
            cause: cause.as_deref(),
        };
        log::write(&asked, &tally, &response, &answered);
    } else if let Some(cause) = cause {
        log::write_failure(&tally, &cause);
    }
    response
}

/// Whether this answer turned the request away, and why.
fn refusal(response: &Response, tally: &Tally) -> Option<Reason> {
    match response.status() {
        StatusCode::SERVICE_UNAVAILABLE => tally.refusal(),
        StatusCode::TOO_MANY_REQUESTS => Some(Reason::Throttled),
        _ => None,
    }
}

fn message_of(panic: &Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

/// Completes a problem answer with the request's id.
fn finish_problem(response: &mut Response, id: &HeaderValue) -> Option<String> {
    let Problem { mut body, cause } = response.extensions_mut().remove::<Problem>()?;
    body.insert("request_id".into(), id.to_str().unwrap_or_default().into());
    *response.body_mut() = serde_json::Value::Object(body).to_string().into();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    cause
}
