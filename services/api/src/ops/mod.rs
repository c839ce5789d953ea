//! The operations port, for probes, scrapers and operators. No proxy leads here.

mod caches;
pub mod healthcheck;
mod log;
mod probes;
mod server;
mod writes;

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use http::{StatusCode, header};

use crate::metrics::{CONTENT_TYPE, Page};
use crate::state::Shared;

pub use self::server::serve;

/// What `/` lists: path and what is there.
const PAGES: &[(&str, &str)] = &[
    ("/livez", "the process runs"),
    (
        "/readyz",
        "whether it takes requests, and the state of what it depends on",
    ),
    ("/metrics", "counts and readings for Prometheus"),
    (
        "/log",
        "what is logged; PUT a filter such as debug or info,sqlx=warn",
    ),
    (
        "/caches",
        "the cache layers; PUT {\"memory\": \"off\"} or {\"redis\": \"off\"} switches one",
    ),
    ("/caches/flush", "POST empties both, or ?layer=memory or redis"),
    ("/log/access", "PUT on or off: a line for each request"),
    (
        "/writes",
        "whether writes are taken, and how many are under way; PUT {\"writes\": \"off\"} stops them",
    ),
];

/// A filter has a few directives.
const LONGEST_BODY: usize = 4096;

pub fn router(shared: Arc<Shared>) -> Router {
    let page = Arc::new(Page::new(Arc::clone(&shared)));
    Router::new()
        .route("/", get(async || index()))
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(probes::readyz))
        .route("/metrics", get(async move || metrics(&page)))
        .route("/log", get(log::show).put(log::set_filter))
        .route("/log/access", put(log::set_access))
        .route("/caches", get(caches::show).put(caches::switch))
        .route("/caches/flush", post(caches::flush))
        .route("/writes", get(writes::show).put(writes::switch))
        .fallback(async || (StatusCode::NOT_FOUND, index()))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(from_fn(no_pages))
        .with_state(shared)
}

/// A web page in an operator's browser reaches this port too, and needs no leave to send a POST, or for anything once a
/// name of its own leads here. Browsers say when a page asks; programs and the address line send neither header.
async fn no_pages(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let by_page = headers.contains_key(header::ORIGIN)
        || headers.get("sec-fetch-site").is_some_and(|site| site != "none");
    if by_page {
        return (StatusCode::FORBIDDEN, "not for web pages\n").into_response();
    }
    next.run(request).await
}

fn index() -> String {
    PAGES.iter().fold(String::new(), |mut text, (path, what)| {
        let _ = writeln!(text, "{path:<14} {what}");
        text
    })
}

fn metrics(page: &Page) -> impl IntoResponse + use<> {
    match page.text() {
        Ok(text) => (StatusCode::OK, [(header::CONTENT_TYPE, CONTENT_TYPE)], text),
        Err(error) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            [(header::CONTENT_TYPE, "text/plain")],
            error.to_string(),
        ),
    }
}
