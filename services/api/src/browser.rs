//! What browsers of other sites may do: nothing, unless their origin is configured.
//!
//! A browser sends our cookies along with requests that another site's page makes. Such a page can only write what it
//! may, so every write must come from our own origin or a configured one (`TRESTLE_CORS_ORIGINS`). A program sends
//! neither Sec-Fetch-Site nor Origin, and a browser sends Authorization to another origin only when CORS lets it.

use std::str::FromStr;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler as _;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodRouter, any};
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Uri};
use tower_http::cors::{AllowCredentials, AllowOrigin, CorsLayer, Vary};

use crate::config::Config;
use crate::middleware::{REPLICA, REQUEST_ID};

static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Browsers keep the answer to a preflight for this long; more than two hours none does.
const PREFLIGHT_KEPT: Duration = Duration::from_secs(3600);

/// Origins whose pages may use the API with cookies. None, unless configured.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<HeaderValue>);

impl FromStr for Origins {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(origin).collect::<Result<_, _>>().map(Self)
    }
}

/// An origin exactly as browsers write it: anything else would never match, and be missed only later.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let wrong = || format!("{text:?} is not an origin such as https://shop.example or http://localhost:3000");
    let uri: Uri = text.parse().map_err(|_| wrong())?;
    let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or_else(wrong)?;
    let default_port = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return Err(wrong()),
    };
    let is_written_so = text == format!("{scheme}://{authority}")
        && !text
            .bytes()
            .any(|byte| byte.is_ascii_uppercase() || b"@*".contains(&byte))
        && authority.port_u16() != Some(default_port);
    if is_written_so {
        HeaderValue::from_str(text).map_err(|_| wrong())
    } else {
        Err(wrong())
    }
}

impl Origins {
    fn hold(&self, origin: &HeaderValue) -> bool {
        self.0.contains(origin)
    }
}

/// Whether a request is a write that a page of another site made.
pub fn is_cross_origin_write(request: &Request, config: &Config) -> bool {
    if request.method().is_safe() || request.headers().contains_key(header::AUTHORIZATION) {
        return false;
    }
    let headers = request.headers();
    let origin = headers.get(header::ORIGIN);
    if origin.is_some_and(|origin| config.cors_origins.hold(origin)) {
        return false;
    }
    match (headers.get(&SEC_FETCH_SITE), origin) {
        (Some(site), _) => !matches!(site.as_bytes(), b"same-origin" | b"none"),
        // Browsers leave Sec-Fetch-Site out on plain http.
        (None, Some(origin)) => {
            let by_proxy = config.trusted_proxies.sent(request.extensions());
            !is_own(origin, own_host(headers, by_proxy))
        }
        (None, None) => false,
    }
}

/// The shop's address as the client reached it, such as `https://shop.example`. None when that cannot be told.
pub fn own_origin(headers: &HeaderMap, by_proxy: bool) -> Option<String> {
    let host = own_host(headers, by_proxy)?.to_str().ok()?;
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_host) {
        return None;
    }
    let forwarded = headers.get(&FORWARDED_PROTO).filter(|_| by_proxy);
    let scheme = if forwarded.is_some_and(|scheme| scheme == "https") {
        "https"
    } else {
        "http"
    };
    Some(format!("{scheme}://{host}"))
}

/// The host and port that the client asked for, as it wrote them.
fn own_host(headers: &HeaderMap, by_proxy: bool) -> Option<&HeaderValue> {
    let forwarded = headers.get(&FORWARDED_HOST).filter(|_| by_proxy);
    forwarded.or_else(|| headers.get(header::HOST))
}

fn is_own(origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    match (origin, host) {
        (Some((_, theirs)), Some(ours)) => theirs.as_bytes().eq_ignore_ascii_case(ours.as_bytes()),
        _ => false,
    }
}

/// Surrounds the routes with CORS for the configured origins; with nothing at all when there are none.
///
/// The layer takes every OPTIONS for a preflight. One that is none goes past it, and is told the methods there are.
pub fn open_to(origins: &Origins, router: Router) -> Router {
    let Some(cors) = cors(origins) else {
        return router;
    };
    router.layer(from_fn_with_state(any(pass).layer(cors), choose))
}

async fn choose(State(with_cors): State<MethodRouter<Next>>, request: Request, next: Next) -> Response {
    if is_options_without_preflight(&request) {
        next.run(request).await
    } else {
        with_cors.call(request, next).await
    }
}

/// What the CORS layer is around.
async fn pass(State(next): State<Next>, request: Request) -> Response {
    next.run(request).await
}

fn is_options_without_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && !request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The layer that answers preflights and lets the configured origins read answers; None when there are none.
fn cors(origins: &Origins) -> Option<CorsLayer> {
    if origins.0.is_empty() {
        return None;
    }
    let credentials = origins.clone();
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.0.iter().cloned()))
        .allow_credentials(AllowCredentials::predicate(move |origin, _| {
            credentials.hold(origin)
        }))
        .vary(Vary::list([header::ORIGIN]))
        .allow_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("traceparent"),
            REQUEST_ID.clone(),
        ])
        .expose_headers([
            header::ETAG,
            header::AGE,
            header::RETRY_AFTER,
            header::LOCATION,
            HeaderName::from_static("cache-status"),
            HeaderName::from_static("server-timing"),
            REPLICA.clone(),
            REQUEST_ID.clone(),
        ])
        .max_age(PREFLIGHT_KEPT);
    Some(layer)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_exactly_as_browsers_write_them() {
        let good: Origins = "https://shop.example, http://localhost:3000,https://[2001:db8::1]:8443"
            .parse()
            .unwrap();
        assert_eq!(good.0.len(), 3);
        assert!("".parse::<Origins>().unwrap().0.is_empty());
        for wrong in [
            "*",
            "null",
            "shop.example",
            "https://",
            "https://shop.example/",
            "https://shop.example/path",
            "https://Shop.example",
            "https://shop.example:443",
            "http://shop.example:80",
            "https://*.shop.example",
            "https://user@shop.example",
            "ftp://shop.example",
            "https://shop.example https://other.example",
        ] {
            assert!(wrong.parse::<Origins>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_origin_is_ours_when_host_and_port_are() {
        let own = |origin: &'static str, host: &'static str| {
            is_own(
                &HeaderValue::from_static(origin),
                Some(&HeaderValue::from_static(host)),
            )
        };
        assert!(own("http://shop.example:8080", "shop.example:8080"));
        assert!(own("https://shop.example", "Shop.Example"));
        assert!(!own("http://shop.example:8081", "shop.example:8080"));
        assert!(!own("http://shop.example.evil.example", "shop.example"));
        assert!(!own("null", "shop.example"));
        assert!(!is_own(&HeaderValue::from_static("https://shop.example"), None));
    }

    #[test]
    fn only_a_trusted_proxy_says_what_host_was_asked_for() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("inside"));
        headers.insert(&FORWARDED_HOST, HeaderValue::from_static("shop.example:8080"));
        assert_eq!(own_host(&headers, true).unwrap(), "shop.example:8080");
        assert_eq!(own_host(&headers, false).unwrap(), "inside");
    }
}
