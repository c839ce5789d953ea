//! One line a request. It names the route and not the path, so that lines can be counted by it; never a body, a header
//! that was sent, or a query.

use axum::response::Response;

use super::Asked;
use crate::tally::Tally;

/// What an answer was, beside the answer itself.
pub struct Answered<'a> {
    pub micros: u64,
    pub replica: &'a str,
    /// What a 5xx body does not say.
    pub cause: Option<&'a str>,
}

/// Writes the line of an answered request.
pub fn write(asked: &Asked, tally: &Tally, response: &Response, answered: &Answered<'_>) {
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                method = asked.method.as_str(),
                route = asked.route(),
                status = response.status().as_u16(),
                micros = answered.micros,
                queries = tally.queries.count(),
                query_micros = tally.queries.micros(),
                redis_calls = tally.redis.count(),
                redis_micros = tally.redis.micros(),
                request_id = tally.request_id(),
                trace_id = %tally.trace.id,
                span_id = %tally.trace.span,
                replica = answered.replica,
                cache = response.headers().get("cache-status").and_then(|value| value.to_str().ok()),
                cause = answered.cause,
                "request"
            )
        };
    }
    if response.status().is_server_error() {
        line!(error);
    } else {
        line!(info);
    }
}

/// Without lines for all requests, one for those that failed here.
pub fn write_failure(tally: &Tally, cause: &str) {
    tracing::error!(
        request_id = tally.request_id(),
        trace_id = %tally.trace.id,
        cause,
        "a request failed"
    );
}
