//! What holds for every route, whatever its feature: a query is refused where none is taken, If-None-Match counts for
//! every answer that has an ETag, OPTIONS and a wrong method are told which methods there are.
//!
//! A cached read pays two looks for it: whether it has a query, and whether it has If-None-Match.

use std::collections::{HashMap, HashSet};

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::Value;

use crate::error::{Error, FieldError};

/// What the OpenAPI document says of the routes.
#[derive(Debug, Default)]
pub struct Conventions {
    /// What a route can be asked, by its path, as `Allow` says it.
    methods: HashMap<String, String>,
    /// The routes that take no query. Those that take one refuse what they do not know by their own types.
    without_query: HashSet<(Method, String)>,
}

impl Conventions {
    pub fn of(document: &Value) -> Self {
        let mut all = Self::default();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            let mut methods = Vec::new();
            for (method, operation) in item.as_object().into_iter().flatten() {
                let Ok(method) = method.to_ascii_uppercase().parse::<Method>() else {
                    continue;
                };
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let takes_query = parameters.into_iter().any(|parameter| parameter["in"] == "query");
                methods.push(method.clone());
                // The router answers HEAD as GET.
                if method == Method::GET {
                    methods.push(Method::HEAD);
                }
                if !takes_query && method == Method::GET {
                    all.without_query.insert((Method::HEAD, path.clone()));
                }
                if !takes_query {
                    all.without_query.insert((method, path.clone()));
                }
            }
            methods.push(Method::OPTIONS);
            let methods: Vec<_> = methods.iter().map(Method::as_str).collect();
            all.methods.insert(path.clone(), methods.join(", "));
        }
        all
    }

    /// # Errors
    /// 400 that names the parameters of a query where none is taken.
    pub fn check(&self, request: &Request) -> Result<(), Error> {
        let Some(query) = request.uri().query().filter(|query| !query.is_empty()) else {
            return Ok(());
        };
        let Some(route) = request.extensions().get::<MatchedPath>() else {
            return Ok(());
        };
        let key = (request.method().clone(), route.as_str().to_owned());
        if !self.without_query.contains(&key) {
            return Ok(());
        }
        let names = query.split('&').filter(|pair| !pair.is_empty());
        let errors = names.map(|pair| FieldError {
            field: pair.split('=').next().unwrap_or_default().to_owned(),
            message: "is not a parameter of this address".to_owned(),
        });
        Err(Error::InvalidRequest {
            detail: "the query is not valid: this address takes none".to_owned(),
            errors: errors.take(MOST_NAMED).collect(),
        })
    }

    /// The answer to a method that a route has no handler for: 204 to OPTIONS, else 405. `Allow` says what it has.
    pub fn other_method(&self, method: &Method, route: &MatchedPath) -> Response {
        let mut response = if *method == Method::OPTIONS {
            StatusCode::NO_CONTENT.into_response()
        } else {
            Error::MethodNotAllowed.into_response()
        };
        let allow = self.methods.get(route.as_str());
        if let Some(Ok(allow)) = allow.map(HeaderValue::try_from) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        response
    }
}

/// Parameters that an answer names; a query can have thousands.
const MOST_NAMED: usize = 10;

/// What the client has already, where it reads: a 200 whose ETag this names becomes 304.
pub struct Known(Option<HeaderValue>);

impl Known {
    pub fn of(request: &Request) -> Self {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let given = request.headers().get(header::IF_NONE_MATCH);
        Self(given.filter(|_| reads).cloned())
    }

    pub fn finish(&self, response: &mut Response) {
        let Some(given) = &self.0 else { return };
        let unchanged = response.status() == StatusCode::OK
            && response
                .headers()
                .get(header::ETAG)
                .is_some_and(|tag| names(given, tag));
        if unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = Body::empty();
            let headers = response.headers_mut();
            headers.remove(header::CONTENT_LENGTH);
            headers.remove(header::CONTENT_TYPE);
        }
    }
}

/// Whether If-None-Match names this tag (RFC 9110, weak comparison).
pub fn names(given: &HeaderValue, etag: &HeaderValue) -> bool {
    let (Ok(given), Ok(etag)) = (given.to_str(), etag.to_str()) else {
        return false;
    };
    given
        .split(',')
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn if_none_match_takes_lists_weak_tags_and_the_star() {
        let tag = HeaderValue::from_static("\"abc\"");
        for given in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            assert!(names(&HeaderValue::from_static(given), &tag), "{given}");
        }
        for given in ["abc", "\"ab\"", ""] {
            assert!(!names(&HeaderValue::from_static(given), &tag), "{given}");
        }
    }

    #[test]
    fn a_write_is_never_answered_with_304() {
        let answer = |method: Method| {
            let request = http::Request::builder()
                .method(method)
                .header(header::IF_NONE_MATCH, "*");
            let known = Known::of(&request.body(Body::empty()).unwrap());
            let mut response = ([(header::ETAG, "\"a\"")], "body").into_response();
            known.finish(&mut response);
            response.status().as_u16()
        };
        assert_eq!(answer(Method::GET), 304);
        assert_eq!(answer(Method::HEAD), 304);
        assert_eq!(answer(Method::PATCH), 200);
    }
}
