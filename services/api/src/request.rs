//! How requests are read: JSON bodies, queries and path segments, with errors in the shop's own words.

use std::time::Duration;

use aws_lc_rs::digest;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, FieldError};

/// The largest body that any route takes, in bytes. The proxy's limit is the same.
pub const BODY_LIMIT: usize = 64 * 1024;
/// A client that sends it more slowly is let go: it holds one of the places for requests.
const BODY_WITHIN: Duration = Duration::from_secs(5);

/// A JSON body. Unknown fields are refused by the types themselves.
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        check_content_type(request.headers())?;
        let body = read_body(request).await?;
        parse(&body).map(Self)
    }
}

/// Reads a body of at most `BODY_LIMIT` bytes.
///
/// # Errors
/// 413 when it is larger, 400 when it ends too soon.
pub async fn read_body(request: Request) -> Result<Bytes, Error> {
    let body = axum::body::to_bytes(request.into_body(), BODY_LIMIT);
    let Ok(body) = tokio::time::timeout(BODY_WITHIN, body).await else {
        return Err(Error::invalid("the body did not come to its end in 5 s"));
    };
    body.map_err(|error| {
        let limit = std::error::Error::source(&error)
            .is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
        if limit {
            Error::PayloadTooLarge
        } else {
            Error::invalid("the body could not be read to its end")
        }
    })
}

/// # Errors
/// 415 unless the body is said to be application/json.
pub fn check_content_type(headers: &HeaderMap) -> Result<(), Error> {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            let media = value.split(';').next().unwrap_or_default().trim();
            media.eq_ignore_ascii_case("application/json")
        });
    if is_json {
        Ok(())
    } else {
        Err(Error::UnsupportedMediaType)
    }
}

/// Reads JSON: 400 when it is not JSON, 422 with the field's name when a field does not fit.
///
/// # Errors
/// As said.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        (path, error.into_inner())
    });
    let parsed = parsed.and_then(|value| match json.end() {
        Ok(()) => Ok(value),
        Err(error) => Err((String::new(), error)),
    });
    parsed.map_err(|(path, error)| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        match error.classify() {
            serde_json::error::Category::Data => {
                let field = field_at(&path, &message);
                Error::Validation(vec![FieldError { field, message }])
            }
            _ => Error::invalid(format!("the body is not JSON: {message}")),
        }
    })
}

/// The field at fault, such as `items[3].quantity`. A field that is missing is named by the message alone; the path then
/// ends at what should hold it.
fn field_at(path: &str, message: &str) -> String {
    let starts = ["missing field `", "unknown field `", "duplicate field `"];
    let rest = starts.iter().find_map(|start| message.strip_prefix(start));
    let named = rest.and_then(|rest| rest.split('`').next()).unwrap_or_default();
    let parent = if path == "." { "" } else { path };
    match (parent, named) {
        ("", "") => "body".to_owned(),
        ("", field) | (field, "") => field.to_owned(),
        (parent, field) if parent == field || parent.ends_with(&format!(".{field}")) => parent.to_owned(),
        (parent, field) => format!("{parent}.{field}"),
    }
}

/// Query parameters.
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => {
                let text = rejection.body_text();
                let reason = text
                    .rsplit_once("query string: ")
                    .map_or(text.as_str(), |(_, reason)| reason);
                // It says "field: reason", except for what is missing from the query altogether.
                let field = match reason.split_once(": ") {
                    Some((field, _)) if !field.contains(' ') => field.to_owned(),
                    _ => field_at("", reason),
                };
                Err(Error::InvalidRequest {
                    detail: format!("the query is not valid: {reason}"),
                    errors: vec![FieldError {
                        field,
                        message: reason.to_owned(),
                    }],
                })
            }
        }
    }
}

/// One path segment, as text.
pub struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Error::invalid("the path is not valid UTF-8"))?;
        Ok(Self(text))
    }
}

/// The revision that a write expects, from `If-Match`: the ETag that a read of the same thing answered. 428 without one
/// (`*` says nothing of what was read, so it counts as none), 412 for a tag that can be none of ours.
pub struct IfMatch(pub u64);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let mut values = parts.headers.get_all(header::IF_MATCH).iter();
        let tag = match (values.next(), values.next()) {
            (None, _) => return Err(Error::PreconditionRequired),
            (Some(value), None) => value.to_str().unwrap_or_default().trim(),
            (Some(_), Some(_)) => return Err(Error::PreconditionFailed),
        };
        if tag == "*" {
            return Err(Error::PreconditionRequired);
        }
        // A proxy that compresses the answer makes its tag weak. RFC 9110 would refuse a weak one, because other bytes may
        // stand behind it; behind a revision there are none.
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        let number = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let revision = number.and_then(|number| number.parse().ok());
        revision
            .filter(|revision| etag(*revision) == tag)
            .map(Self)
            .ok_or(Error::PreconditionFailed)
    }
}

/// The strong ETag of a revision: what `IfMatch` reads.
pub fn etag(revision: u64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{revision}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// The value of a cookie that the client sent.
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    cookies(headers, name).next()
}

/// The values of all cookies of this name, in the order that the client sent them.
pub fn cookies<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = &'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(move |(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// An answer that belongs to one customer: JSON that no cache may keep. What is read (200) has an ETag, so that a program
/// that asks again can be told that nothing changed.
pub struct Private<T>(pub StatusCode, pub T);

impl<T: Serialize> IntoResponse for Private<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.1) {
            Ok(body) => {
                let etag = (self.0 == StatusCode::OK).then(|| [(header::ETAG, etag_of(&body))]);
                (self.0, private_headers(), etag, body).into_response()
            }
            Err(error) => Error::Internal(format!("an answer cannot be written: {error}")).into_response(),
        }
    }
}

/// Bytes of an ETag with its quotes: 12 of the hash, in base64.
pub const ETAG_LENGTH: usize = 18;

/// The ETag of these bytes: the same on every replica.
pub fn etag_of(bytes: &[u8]) -> HeaderValue {
    let sum = digest::digest(&digest::SHA256, bytes);
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&sum.as_ref()[..12]));
    HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""))
}

/// The headers of a personal JSON answer.
pub fn private_headers() -> [(header::HeaderName, HeaderValue); 2] {
    [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-store"),
        ),
    ]
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        #[expect(dead_code, reason = "only what does not fit is looked at")]
        name: String,
        #[serde(default)]
        #[expect(dead_code, reason = "only what does not fit is looked at")]
        lines: Vec<Line>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        #[expect(dead_code, reason = "only what does not fit is looked at")]
        count: u32,
    }

    #[test]
    fn a_body_that_does_not_fit_names_the_field_and_never_a_value() {
        let cases = [
            ("{}", "name"),
            (r#"{"name":"a","role":"admin"}"#, "role"),
            (r#"{"name":"a","name":"b"}"#, "name"),
            (r#"{"name":5}"#, "name"),
            (
                r#"{"name":"a","lines":[{"count":1},{"count":"x"}]}"#,
                "lines[1].count",
            ),
            (r#"{"name":"a","lines":[{}]}"#, "lines[0].count"),
            (
                r#"{"name":"a","lines":[{"count":1,"price":2}]}"#,
                "lines[0].price",
            ),
            ("7", "body"),
        ];
        for (body, field) in cases {
            let Error::Validation(errors) = parse::<Form>(body.as_bytes()).unwrap_err() else {
                unreachable!("{body}");
            };
            assert_eq!(errors[0].field, field, "{body}");
        }
        let error = parse::<Form>(b"{\"name\":").unwrap_err();
        assert!(matches!(error, Error::InvalidRequest { .. }));
    }

    async fn expected(values: &[&str]) -> Result<u64, Error> {
        let mut request = http::Request::new(());
        for value in values {
            let headers = request.headers_mut();
            headers.append(header::IF_MATCH, value.parse().unwrap());
        }
        let mut parts = request.into_parts().0;
        let IfMatch(revision) = IfMatch::from_request_parts(&mut parts, &()).await?;
        Ok(revision)
    }

    #[tokio::test]
    async fn a_write_expects_the_revision_whose_etag_it_sends() {
        let own = etag(7);
        assert_eq!(expected(&[own.to_str().unwrap()]).await.unwrap(), 7);
        assert_eq!(expected(&["W/\"7\""]).await.unwrap(), 7, "weakened by a proxy");
        for missing in [&[][..], &["*"]] {
            let error = expected(missing).await;
            assert!(matches!(error, Err(Error::PreconditionRequired)), "{missing:?}");
        }
        for other in [
            &["7"][..],
            &["\"07\""],
            &["\"+7\""],
            &["\"abc\""],
            &["\"7\", \"8\""],
            &["\"7\"", "\"7\""],
        ] {
            let error = expected(other).await;
            assert!(matches!(error, Err(Error::PreconditionFailed)), "{other:?}");
        }
    }
}
