//! Answers to reads, compressed as nginx does it: gzip, from 1 KiB on.

use std::io::Write as _;

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// One TCP segment is sent whether full or half full: below it, compressing saves nothing.
const LEAST: u64 = 1024;
/// nginx's level: 20 products as JSON, 3.7 kB, become 0.9 kB.
const LEVEL: u32 = 2;
/// Answers lie in memory already, the largest (100 products) with 40 kB.
const MOST: usize = 4 * 1024 * 1024;
const KINDS: [&str; 3] = ["application/json", "application/problem+json", "text/xml"];

/// Whether Accept-Encoding names gzip, and not with a weight of nothing.
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING);
    let mut codings = values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map(str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && !matches!(weight, Some(Ok(0.0) | Err(_)))
    })
}

/// Compresses what is worth it. Its ETag becomes weak then, as nginx makes it: the bytes are others, what they say is not.
pub async fn compress(response: Response, wanted: bool) -> Response {
    let length = response.body().size_hint().exact();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    if length.is_none_or(|length| length < LEAST) || !KINDS.contains(&kind) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    parts
        .headers
        .append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if !wanted {
        return Response::from_parts(parts, body);
    }
    let Ok(plain) = to_bytes(body, MOST).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 3), Compression::new(LEVEL));
    // Writing into memory cannot fail.
    let Ok(packed) = encoder.write_all(&plain).and_then(|()| encoder.finish()) else {
        return Response::from_parts(parts, Body::from(plain));
    };
    let headers = &mut parts.headers;
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    let weak = headers.get(header::ETAG).and_then(|tag| {
        let tag = tag.to_str().ok().filter(|tag| tag.starts_with('"'))?;
        HeaderValue::try_from(format!("W/{tag}")).ok()
    });
    if let Some(weak) = weak {
        headers.insert(header::ETAG, weak);
    }
    Response::from_parts(parts, Body::from(packed))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_when_it_is_named_and_not_refused() {
        let taken = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, value.parse().unwrap());
            takes_gzip(&headers)
        };
        for yes in ["gzip", "deflate, gzip;q=0.5, br", "GZIP", "br;q=1, gzip; q=0.1"] {
            assert!(taken(yes), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzip; q=0.0", "identity", "gzipped"] {
            assert!(!taken(no), "{no}");
        }
    }
}
