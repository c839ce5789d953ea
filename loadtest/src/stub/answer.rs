//! Responses with the headers that Trestle's have.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::Full;

pub type Answer = Response<Full<Bytes>>;

static REPLICA: HeaderName = HeaderName::from_static("trestle-replica");
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
static CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
/// Nothing changes here.
const ETAG: HeaderValue = HeaderValue::from_static("\"1\"");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer in JSON, not cached.
pub fn json(status: u16, body: impl Into<Bytes>) -> Answer {
    let mut response = plain(status, JSON, body.into());
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REPLICA.clone(), HeaderValue::from_static("stub-1"));
    headers.insert(
        REQUEST_ID.clone(),
        HeaderValue::from_static("5700b000000000000001"),
    );
    headers.insert(SERVER_TIMING.clone(), HeaderValue::from_static("app;dur=0.0"));
    response
}

/// An answer from memory; 304 where the client has it.
pub fn cached(request: &HeaderMap, body: impl Into<Bytes>) -> Answer {
    let is_known = request.get(header::IF_NONE_MATCH) == Some(&ETAG);
    let mut response = if is_known {
        json(304, Bytes::new())
    } else {
        json(200, body)
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::ETAG, ETAG);
    headers.insert(header::AGE, HeaderValue::from_static("0"));
    headers.insert(CACHE_STATUS.clone(), HeaderValue::from_static("memory; hit"));
    response
}

/// A read or a write of something with a version, as admins have them.
pub fn versioned(status: u16, body: impl Into<Bytes>) -> Answer {
    let mut response = json(status, body);
    response.headers_mut().insert(header::ETAG, ETAG);
    response
}

/// A file, as nginx serves it: `kept` for good, or asked for again each time.
pub fn file(kind: &'static str, kept: bool, body: impl Into<Bytes>) -> Answer {
    let mut response = plain(200, HeaderValue::from_static(kind), body.into());
    let control = if kept {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(control));
    headers.insert(header::ETAG, ETAG);
    response
}

pub fn problem(status: u16, code: &str) -> Answer {
    let body = format!(
        r#"{{"type":"about:blank","title":"{code}","status":{status},"detail":"the stub refuses","code":"{code}","request_id":"5700b000000000000001"}}"#
    );
    let mut response = json(status, body);
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// The response, with one more cookie.
pub fn with_cookie(mut response: Answer, cookie: &str) -> Answer {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn plain(status: u16, kind: HeaderValue, body: Bytes) -> Answer {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
