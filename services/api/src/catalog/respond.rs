//! A cached answer as HTTP: the bytes as they are, with where they came from (RFC 9211) and how old they are.

use axum::response::{IntoResponse as _, Response};
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::cache::{Hit, Source};
use crate::conventions::names;
use crate::error::Error;

static CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// Answers a hit: 200 with the bytes, 304 when the client has them, 404 when the thing does not exist.
pub fn respond(hit: &Hit, request: &HeaderMap, what: &'static str) -> Response {
    let entry = &hit.entry;
    let Some(body) = &entry.body else {
        let mut response = Error::NotFound(what).into_response();
        response
            .headers_mut()
            .insert(CACHE_STATUS.clone(), status(hit.source));
        return response;
    };
    let unchanged = request
        .get(header::IF_NONE_MATCH)
        .is_some_and(|given| names(given, &entry.etag));
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(body.clone().into())
    };
    let headers = response.headers_mut();
    if !unchanged {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers.insert(header::ETAG, entry.etag.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(CACHE_STATUS.clone(), status(hit.source));
    headers.insert(header::AGE, HeaderValue::from(hit.age_ms / 1000));
    response
}

fn status(source: Source) -> HeaderValue {
    HeaderValue::from_static(match source {
        Source::Memory => "memory; hit",
        Source::Redis => "memory; fwd=miss, redis; hit",
        Source::Database => "memory; fwd=miss, redis; fwd=miss",
        Source::Stale => "memory; hit; detail=stale",
    })
}
