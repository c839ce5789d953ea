//! One deadline a request: it bounds waiting for a connection, lock waits, retries and payment together.

use std::time::Duration;

use axum::extract::{FromRequestParts, MatchedPath};
use http::Method;
use http::request::Parts;
use tokio::time::Instant;

pub const READ: Duration = Duration::from_secs(2);
pub const WRITE: Duration = Duration::from_secs(5);
pub const CHECKOUT: Duration = Duration::from_secs(8);

/// The moment by which an answer is due.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(pub Instant);

impl Deadline {
    pub fn after(duration: Duration) -> Self {
        Self(Instant::now() + duration)
    }

    /// Time left; zero when it has passed.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// The earlier of this deadline and `duration` from now.
    pub fn within(self, duration: Duration) -> Self {
        Self(self.0.min(Instant::now() + duration))
    }
}

/// The deadline of this kind of request. The proxy's read time-outs are longer, by location.
impl<S: Send + Sync> FromRequestParts<S> for Deadline {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let reads = parts.method == Method::GET || parts.method == Method::HEAD;
        let checkout = parts.method == Method::POST
            && parts
                .extensions
                .get::<MatchedPath>()
                .is_some_and(|route| route.as_str() == "/api/v1/orders");
        Ok(Self::after(if reads {
            READ
        } else if checkout {
            CHECKOUT
        } else {
            WRITE
        }))
    }
}
