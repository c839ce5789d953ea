//! What the web tier's nginx does for the API, done here where there is none in front (`TRESTLE_BEHIND_NGINX=off`): a load
//! balancer that sends `/api/` straight to the replicas.
//!
//! Behind nginx nothing of this is in a request's way. The values are nginx's own (services/web/nginx): `tests/bypass.rs`
//! compares them.

mod compress;
mod connection;
mod refusal;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Version};
use hyper::body::Incoming;

pub use self::connection::{Exchange, Guarded};
pub use self::refusal::Refusals;
use crate::client::TrustedProxies;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::request::BODY_LIMIT;

/// An idle connection is kept for longer than a load balancer of AWS keeps it (60 s): were it closed here first, the balancer
/// would write into a connection that is just closed, and answer 502.
pub const IDLE: Duration = Duration::from_secs(75);
/// An address, and a header with its name.
const LONGEST_LINE: usize = 8 * 1024;
/// All headers.
const LARGEST_HEAD: usize = 32 * 1024;

static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What every answer says. An answer is data: a browser that is led to it runs and frames nothing.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];
/// Of who reached the shop by TLS.
const TRANSPORT_SECURITY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// For all connections of a runtime.
pub struct Front {
    trusted: TrustedProxies,
    pub refusals: Arc<Refusals>,
}

/// What the answer has to know of its request.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    is_read: bool,
    takes_gzip: bool,
    by_tls: bool,
}

impl Front {
    /// None where nginx is in front.
    pub fn of(config: &Config) -> Option<Self> {
        (!config.behind_nginx).then(|| Self {
            trusted: config.trusted_proxies.clone(),
            refusals: Arc::new(Refusals::of(&config.replica)),
        })
    }

    pub fn receive(&self, request: &mut http::Request<Incoming>, peer: IpAddr) -> Asked {
        let headers = request.headers_mut();
        // A load balancer passes on what the client says here, and leaves Host as the client wrote it: that counts.
        headers.remove(&FORWARDED_HOST);
        let by_tls = self.trusted.holds(peer)
            && headers
                .get(&FORWARDED_PROTO)
                .is_some_and(|scheme| scheme == "https");
        Asked {
            takes_gzip: compress::takes_gzip(request.headers()),
            is_read: *request.method() == Method::GET,
            by_tls,
        }
    }

    pub async fn send(&self, asked: Asked, response: Response) -> Response {
        // Only reads: answers with tokens come from writes, and their length must tell nothing about them (BREACH).
        let mut response = if asked.is_read {
            compress::compress(response, asked.takes_gzip).await
        } else {
            response
        };
        add_headers(response.headers_mut());
        if asked.by_tls {
            let headers = response.headers_mut();
            headers.insert(header::STRICT_TRANSPORT_SECURITY, TRANSPORT_SECURITY);
        }
        response
    }
}

fn add_headers(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// What a request may be, before anything else is asked of it. What is no HTTP at all never comes here: see `refusal`.
///
/// # Errors
/// 400 without one Host, 413, 414 and 431.
pub fn check(request: &Request) -> Result<()> {
    let headers = request.headers();
    let hosts = headers.get_all(header::HOST).iter().count();
    if hosts > 1 || (hosts == 0 && request.version() >= Version::HTTP_11) {
        return Err(Error::invalid("the request has to name one host"));
    }
    let address = request.uri().path_and_query();
    if address.is_some_and(|address| address.as_str().len() > LONGEST_LINE) {
        return Err(Error::UriTooLong);
    }
    // hyper's own limit is on what it reads at a time, and lets a head through that came at once.
    let lengths = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len());
    let (longest, all) = lengths.fold((0, 0), |(longest, all), length| {
        (length.max(longest), all + length)
    });
    if longest > LONGEST_LINE || all > LARGEST_HEAD {
        return Err(Error::HeadersTooLarge);
    }
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > BODY_LIMIT as u64) {
        return Err(Error::PayloadTooLarge);
    }
    Ok(())
}
