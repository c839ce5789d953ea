//! A cached answer as HTTP: the bytes as they are, with where they came from (RFC 9211) and how old they are.

use axum::response::{IntoResponse as _, Response};
use http::HeaderValue;
use http::header::{self, HeaderName};

use crate::cache::{Hit, Source};
use crate::error::Error;
use crate::state::AppState;

static CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// Answers a hit: 200 with the bytes, 404 when the thing does not exist. `conventions::Known` makes 304 of it where the
/// client has them.
pub fn respond(hit: &Hit, what: &'static str) -> Response {
    let entry = &hit.entry;
    let Some(body) = &entry.body else {
        let mut response = Error::NotFound(what).into_response();
        response.headers_mut().insert(CACHE_STATUS.clone(), status(hit));
        return response;
    };
    let mut response = Response::new(body.clone().into());
    let headers = response.headers_mut();
    // With those of the middleware and the server: a map that grows is filled anew.
    headers.reserve(12);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ETAG, entry.etag.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(CACHE_STATUS.clone(), status(hit));
    headers.insert(header::AGE, HeaderValue::from(hit.age_ms / 1000));
    response
}

/// Says that shared caches may give this answer to others, where the configuration allows it. What is past its bound already
/// they may not, nor that something is missing. Without `Age`, which would count against the time they were given: it tells
/// how long ago MySQL was read, not when a cache got its copy.
pub fn share(state: &AppState, hit: &Hit, mut response: Response) -> Response {
    if let Some(shared) = &state.config.shared_catalog
        && hit.entry.body.is_some()
        && !hit.stale
    {
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, shared.clone());
        headers.remove(header::AGE);
    }
    response
}

/// Which layers were asked and what they had; the one nearest to the database comes first (RFC 9211).
fn status(hit: &Hit) -> HeaderValue {
    if hit.source == Source::Memory && !hit.stale {
        return HeaderValue::from_static("memory; hit");
    }
    let mut parts = Vec::with_capacity(2);
    let detail = if hit.stale { "; detail=stale" } else { "" };
    match hit.source {
        Source::Redis => parts.push(format!("redis; hit{detail}")),
        _ if hit.asked.redis => parts.push("redis; fwd=miss".to_owned()),
        _ => {}
    }
    let collapsed = if hit.joined { "; collapsed" } else { "" };
    match hit.source {
        Source::Memory => parts.push(format!("memory; hit{detail}")),
        _ if hit.asked.memory => parts.push(format!("memory; fwd=miss{collapsed}")),
        _ => {}
    }
    if parts.is_empty() {
        // No layer was asked.
        parts.push("memory; fwd=bypass".to_owned());
    }
    HeaderValue::try_from(parts.join(", ")).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cache::Asked;
    use crate::cache::entry::Entry;

    #[test]
    fn cache_status_names_the_layers_that_were_asked_the_origin_first() {
        let hit = |source, memory, redis| Hit {
            entry: Arc::new(Entry::new(None, 0, 0)),
            source,
            age_ms: 0,
            stale: false,
            asked: Asked { memory, redis },
            joined: false,
        };
        let of = |hit: &Hit| status(hit).to_str().map(str::to_owned).unwrap_or_default();
        for (source, memory, redis, said) in [
            (Source::Memory, true, false, "memory; hit"),
            (Source::Redis, true, true, "redis; hit, memory; fwd=miss"),
            (Source::Redis, false, true, "redis; hit"),
            (Source::Database, true, true, "redis; fwd=miss, memory; fwd=miss"),
            (Source::Database, true, false, "memory; fwd=miss"),
            (Source::Database, false, true, "redis; fwd=miss"),
            (Source::Database, false, false, "memory; fwd=bypass"),
        ] {
            assert_eq!(of(&hit(source, memory, redis)), said);
        }
        let mut waited = hit(Source::Database, true, true);
        waited.joined = true;
        assert_eq!(of(&waited), "redis; fwd=miss, memory; fwd=miss; collapsed");
        for (source, redis, said) in [
            (Source::Memory, false, "memory; hit; detail=stale"),
            (Source::Memory, true, "redis; fwd=miss, memory; hit; detail=stale"),
            (Source::Redis, true, "redis; hit; detail=stale, memory; fwd=miss"),
        ] {
            let mut stale = hit(source, true, redis);
            stale.stale = true;
            assert_eq!(of(&stale), said);
        }
    }
}
