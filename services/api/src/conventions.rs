//! What holds for every route, whatever its feature: a query is refused where none is taken, If-None-Match counts for
//! every answer that has an ETag, OPTIONS and a wrong method are told which methods there are.
//!
//! A cached read pays two looks for it: whether it has a query, and whether it has If-None-Match.

use std::collections::HashMap;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, Method, StatusCode, header};
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{OpenApi, PathItem, RefOr};

use crate::error::{Error, FieldError};

/// What the OpenAPI document says of the routes, by their paths.
#[derive(Debug, Default)]
pub struct Conventions(HashMap<String, Route>);

#[derive(Debug, Default)]
struct Route {
    /// What it can be asked, as `Allow` says it.
    allow: String,
    /// The methods that take no query. Those that take one refuse what they do not know by their own types.
    without_query: Vec<Method>,
}

impl Route {
    fn of(item: &PathItem) -> Self {
        let operations = [
            // The router answers HEAD as GET.
            (&item.get, &[Method::GET, Method::HEAD][..]),
            (&item.post, &[Method::POST]),
            (&item.put, &[Method::PUT]),
            (&item.patch, &[Method::PATCH]),
            (&item.delete, &[Method::DELETE]),
        ];
        let mut methods = Vec::new();
        let mut without_query = Vec::new();
        for (operation, names) in operations {
            let Some(operation) = operation else { continue };
            methods.extend_from_slice(names);
            if !takes_query(operation) {
                without_query.extend_from_slice(names);
            }
        }
        methods.push(Method::OPTIONS);
        let methods: Vec<_> = methods.iter().map(Method::as_str).collect();
        Self {
            allow: methods.join(", "),
            without_query,
        }
    }
}

fn takes_query(operation: &Operation) -> bool {
    let parameters = operation.parameters.iter().flatten();
    parameters.into_iter().any(
        |parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query),
    )
}

impl Conventions {
    pub fn of(api: &OpenApi) -> Self {
        let paths = api.paths.paths.iter();
        Self(
            paths
                .map(|(path, item)| (path.clone(), Route::of(item)))
                .collect(),
        )
    }

    /// # Errors
    /// 400 that names the parameters of a query where none is taken.
    pub fn check(&self, request: &Request) -> Result<(), Error> {
        let Some(query) = request.uri().query().filter(|query| !query.is_empty()) else {
            return Ok(());
        };
        let Some(matched) = request.extensions().get::<MatchedPath>() else {
            return Ok(());
        };
        let Some(route) = self.0.get(matched.as_str()) else {
            return Ok(());
        };
        if !route.without_query.contains(request.method()) {
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
        let allow = self.0.get(route.as_str()).map(|route| route.allow.as_str());
        if let Some(Ok(allow)) = allow.map(HeaderValue::try_from) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        response
    }
}

/// Parameters that an answer names; a query can have thousands.
const MOST_NAMED: usize = 10;

/// Set on an answer whose ETag is a revision, and whose body can change without it: If-None-Match says nothing of it.
#[derive(Debug, Clone, Copy)]
pub struct NotRevalidated;

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
            && response.extensions().get::<NotRevalidated>().is_none()
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
fn names(given: &HeaderValue, etag: &HeaderValue) -> bool {
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
