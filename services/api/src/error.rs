//! What can go wrong, and the one place where it becomes HTTP (RFC 9457 problem+json).
//!
//! A 5xx body says nothing of the cause; the log line says all of it.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::types::id::VariantId;
use crate::types::money::Money;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A field of a request and what is wrong with it.
#[derive(Debug, Clone, Serialize)]
pub struct FieldError {
    pub field: String,
    pub message: String,
}

/// A variant of which less is left than was asked for.
#[derive(Debug, Clone, Serialize)]
pub struct Shortage {
    pub variant_id: VariantId,
    pub requested: i32,
    pub left: i32,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{detail}")]
    InvalidRequest { detail: String, errors: Vec<FieldError> },
    #[error("the Idempotency-Key header is missing")]
    IdempotencyKeyMissing,
    #[error("log in first: the access token is missing, spoilt, ended or expired")]
    Unauthenticated,
    #[error("e-mail address or password is wrong")]
    BadCredentials,
    #[error("log in again: the refresh token is spoilt, used up, ended or expired")]
    SessionEnded,
    #[error("this needs another role")]
    Forbidden,
    #[error("a page of another origin may not do this")]
    CrossOrigin,
    #[error("too many attempts failed: wait before the next")]
    TooManyAttempts { retry_after: u64 },
    #[error("there is no such {0}")]
    NotFound(&'static str),
    #[error("this path does not answer to that method")]
    MethodNotAllowed,
    #[error("only who bought a product can review it")]
    NotBought,
    #[error("you have reviewed this product: change that review instead")]
    AlreadyReviewed,
    #[error("an account with this e-mail address exists")]
    EmailTaken,
    #[error("the payment was not made; another try needs a new Idempotency-Key")]
    PaymentDeclined { order: Value },
    #[error("prices have changed: the total is now another")]
    PriceChanged { total: Money },
    #[error("not enough in stock")]
    OutOfStock(Vec<Shortage>),
    #[error("{0}")]
    CouponNotApplicable(String),
    #[error("{0}")]
    CouponUsedUp(String),
    #[error("a coupon with this code exists")]
    CouponExists,
    #[error("a request with this Idempotency-Key is still being worked on")]
    OrderInProgress,
    #[error("an order that is {state} cannot be {action}")]
    IllegalTransition { state: String, action: &'static str },
    #[error("{} {}", .0.field, .0.message)]
    AlreadyExists(FieldError),
    #[error("it was changed since it was read: read it again")]
    PreconditionFailed,
    #[error("the If-Match header is missing: send the ETag of what was read")]
    PreconditionRequired,
    #[error("the body is too large")]
    PayloadTooLarge,
    #[error("the address is too long: it may have 8 KiB")]
    UriTooLong,
    #[error("the headers are too large: one may have 8 KiB, all of them 32 KiB")]
    HeadersTooLarge,
    #[error("the body must be application/json")]
    UnsupportedMediaType,
    #[error("some fields are not valid")]
    Validation(Vec<FieldError>),
    #[error("this Idempotency-Key was used with another request")]
    IdempotencyKeyReused,
    #[error("a cart holds at most {max} lines")]
    CartFull { max: usize },
    #[error("too many requests are waiting")]
    Overloaded,
    #[error("nothing can be changed for the moment: the shop is being looked after")]
    Maintenance,
    #[error("{0} cannot be reached now")]
    Unavailable(&'static str),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error("{0}")]
    Internal(String),
}

impl Error {
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::InvalidRequest {
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    /// A query parameter that is at fault.
    pub fn query(field: &str, message: &str) -> Self {
        Self::InvalidRequest {
            detail: format!("{field} {message}"),
            errors: vec![FieldError {
                field: field.to_owned(),
                message: message.to_owned(),
            }],
        }
    }

    /// A body field that is at fault.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Validation(vec![FieldError {
            field: field.into(),
            message: message.into(),
        }])
    }

    /// Whether the database could not be asked, as opposed to what it answered.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Database(error) => crate::db::is_outage(error),
            _ => false,
        }
    }

    fn status_and_code(&self) -> (StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::InvalidRequest { .. } => (S::BAD_REQUEST, "invalid_request"),
            Self::IdempotencyKeyMissing => (S::BAD_REQUEST, "idempotency_key_missing"),
            Self::Unauthenticated | Self::BadCredentials | Self::SessionEnded => {
                (S::UNAUTHORIZED, "unauthenticated")
            }
            Self::Forbidden => (S::FORBIDDEN, "forbidden"),
            Self::CrossOrigin => (S::FORBIDDEN, "cross_origin"),
            Self::TooManyAttempts { .. } => (S::TOO_MANY_REQUESTS, "too_many_attempts"),
            Self::NotFound(_) => (S::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::NotBought => (S::FORBIDDEN, "not_bought"),
            Self::AlreadyReviewed => (S::CONFLICT, "already_reviewed"),
            Self::EmailTaken => (S::CONFLICT, "email_taken"),
            Self::PaymentDeclined { .. } => (S::PAYMENT_REQUIRED, "payment_declined"),
            Self::PriceChanged { .. } => (S::CONFLICT, "price_changed"),
            Self::OutOfStock(_) => (S::CONFLICT, "out_of_stock"),
            Self::CouponNotApplicable(_) => (S::CONFLICT, "coupon_not_applicable"),
            Self::CouponUsedUp(_) => (S::CONFLICT, "coupon_used_up"),
            Self::CouponExists => (S::CONFLICT, "coupon_exists"),
            Self::OrderInProgress => (S::CONFLICT, "order_in_progress"),
            Self::IllegalTransition { .. } => (S::CONFLICT, "illegal_transition"),
            Self::AlreadyExists(_) => (S::CONFLICT, "already_exists"),
            Self::PreconditionFailed => (S::PRECONDITION_FAILED, "precondition_failed"),
            Self::PreconditionRequired => (S::PRECONDITION_REQUIRED, "precondition_required"),
            Self::PayloadTooLarge => (S::PAYLOAD_TOO_LARGE, "payload_too_large"),
            Self::UriTooLong => (S::URI_TOO_LONG, "invalid_request"),
            Self::HeadersTooLarge => (S::REQUEST_HEADER_FIELDS_TOO_LARGE, "invalid_request"),
            Self::UnsupportedMediaType => (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Self::Validation(_) => (S::UNPROCESSABLE_ENTITY, "validation_failed"),
            Self::IdempotencyKeyReused => (S::UNPROCESSABLE_ENTITY, "idempotency_key_reused"),
            Self::CartFull { .. } => (S::UNPROCESSABLE_ENTITY, "cart_full"),
            Self::Overloaded => (S::SERVICE_UNAVAILABLE, "overloaded"),
            Self::Maintenance => (S::SERVICE_UNAVAILABLE, "maintenance"),
            Self::Unavailable(_) => (S::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Database(error) if crate::db::is_outage(error) || crate::db::is_contention(error) => {
                (S::SERVICE_UNAVAILABLE, "unavailable")
            }
            Self::Database(_) | Self::Internal(_) => (S::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    fn extras(&self, body: &mut Map<String, Value>) {
        match self {
            Self::InvalidRequest { errors, .. } if errors.is_empty() => {}
            Self::InvalidRequest { errors, .. } | Self::Validation(errors) => {
                body.insert("errors".into(), json!(errors));
            }
            Self::IdempotencyKeyMissing => {
                body.insert(
                    "errors".into(),
                    json!([{"field": "Idempotency-Key", "message": "is required"}]),
                );
            }
            Self::AlreadyExists(error) => {
                body.insert("errors".into(), json!([error]));
            }
            Self::PreconditionRequired => {
                body.insert(
                    "errors".into(),
                    json!([{"field": "If-Match", "message": "is required"}]),
                );
            }
            Self::PaymentDeclined { order } => {
                body.insert("order".into(), order.clone());
            }
            Self::PriceChanged { total } => {
                body.insert("total".into(), json!(total));
            }
            Self::OutOfStock(shortages) => {
                body.insert("items".into(), json!(shortages));
            }
            _ => {}
        }
    }
}

/// The body of a problem answer. `request_id` is added by the middleware, which knows it.
pub fn problem(status: StatusCode, code: &str, detail: &str) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("type".into(), json!(format!("urn:trestle:problem:{code}")));
    body.insert(
        "title".into(),
        json!(status.canonical_reason().unwrap_or("Error")),
    );
    body.insert("status".into(), json!(status.as_u16()));
    body.insert("detail".into(), json!(detail));
    body.insert("code".into(), json!(code));
    body
}

/// Marks an answer as a problem whose body the middleware still completes and serialises.
#[derive(Clone)]
pub struct Problem {
    pub body: Map<String, Value>,
    /// What the log line says and the body does not.
    pub cause: Option<String>,
}

impl Error {
    /// Status, body and, for the log alone, the cause.
    pub(crate) fn problem(&self) -> (StatusCode, Problem) {
        let (status, code) = self.status_and_code();
        let (detail, cause) = if status == StatusCode::INTERNAL_SERVER_ERROR {
            (
                "something went wrong here; the request id finds it in the log".to_owned(),
                Some(self.to_string()),
            )
        } else if let Self::Database(error) = self {
            (
                "the database cannot be reached now".to_owned(),
                Some(error.to_string()),
            )
        } else {
            (self.to_string(), None)
        };
        let mut body = problem(status, code, &detail);
        self.extras(&mut body);
        (status, Problem { body, cause })
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, problem) = self.problem();
        let mut response = status.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self {
            Self::Overloaded | Self::Unavailable(_) | Self::Database(_) | Self::OrderInProgress
                if status != StatusCode::INTERNAL_SERVER_ERROR =>
            {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Self::Maintenance => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
            }
            Self::TooManyAttempts { retry_after } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
            }
            Self::Unauthenticated | Self::BadCredentials | Self::SessionEnded => {
                headers.insert(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer realm=\"trestle\""),
                );
            }
            _ => {}
        }
        response.extensions_mut().insert(problem);
        response
    }
}
