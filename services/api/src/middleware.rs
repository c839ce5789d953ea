//! What surrounds every request, in one layer: the request id, the replica's name, the limit on requests under way,
//! the end of problem answers, and the log line. One function, because each layer costs the hot path.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use http::HeaderValue;
use http::header::{self, HeaderName};

use crate::browser;
use crate::conventions::{Conventions, Known};
use crate::error::{Error, Problem};
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
            state,
            replica,
            conventions,
            ids: Ids {
                start: rand::random(),
                count: AtomicU64::new(0),
            },
        }
    }

    fn request_id(&self, request: &Request) -> HeaderValue {
        if let Some(id) = request.headers().get(&REQUEST_ID)
            && is_sane(id.as_bytes())
        {
            return id.clone();
        }
        let count = self.ids.count.fetch_add(1, Ordering::Relaxed);
        let id = format!("{:08x}{count:08x}", self.ids.start);
        HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("0"))
    }
}

fn is_sane(id: &[u8]) -> bool {
    (1..=64).contains(&id.len()) && id.iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b))
}

/// The layer.
pub async fn surround(State(surround): State<Arc<Surround>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let state = &surround.state;
    let id = surround.request_id(&request);
    let cost = Arc::new(Tally::default());
    let log = state.config.access_log.then(|| LogLine::of(&request));
    let known = Known::of(&request);
    let refused = surround.conventions.check(&request).err();
    let mut response = match state.admission.enter().await {
        Some(_) if browser::is_cross_origin_write(&request, &state.config) => {
            Error::CrossOrigin.into_response()
        }
        Some(_) if let Some(error) = refused => error.into_response(),
        // A handler that panics answers 500; the process goes on.
        Some(_place) => match AssertUnwindSafe(tally::scope(Arc::clone(&cost), next.run(request)))
            .catch_unwind()
            .await
        {
            Ok(response) => response,
            Err(panic) => Error::Internal(format!("panicked: {}", message_of(&panic))).into_response(),
        },
        None => Error::Overloaded.into_response(),
    };
    known.finish(&mut response);
    let cause = finish_problem(&mut response, &id);
    let headers = response.headers_mut();
    headers.insert(&REPLICA, surround.replica.clone());
    headers.insert(&REQUEST_ID, id.clone());
    let took = began.elapsed();
    if let Ok(timing) = HeaderValue::try_from(format!(
        "app;dur={}.{:03}",
        took.as_millis(),
        took.as_micros() % 1000
    )) {
        headers.insert(&SERVER_TIMING, timing);
    }
    if state.lifecycle.is_draining() {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(line) = log {
        line.write(&response, took, &id, cause.as_deref());
    } else if let Some(cause) = cause {
        tracing::error!(
            request_id = id.to_str().unwrap_or_default(),
            cause,
            "a request failed"
        );
    }
    response
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

/// What the log says of a request; the route and not the path, so that lines can be counted by it.
struct LogLine {
    method: http::Method,
    route: Option<MatchedPath>,
}

impl LogLine {
    fn of(request: &Request) -> Self {
        Self {
            method: request.method().clone(),
            route: request.extensions().get::<MatchedPath>().cloned(),
        }
    }

    fn write(&self, response: &Response, took: std::time::Duration, id: &HeaderValue, cause: Option<&str>) {
        let route = self.route.as_ref().map_or("none", MatchedPath::as_str);
        let cache = response
            .headers()
            .get("cache-status")
            .and_then(|value| value.to_str().ok());
        let status = response.status().as_u16();
        let id = id.to_str().unwrap_or_default();
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let method = self.method.as_str();
        if status >= 500 {
            tracing::error!(
                method,
                route,
                status,
                micros,
                request_id = id,
                cache,
                cause,
                "request"
            );
        } else {
            tracing::info!(method, route, status, micros, request_id = id, cache, "request");
        }
    }
}
