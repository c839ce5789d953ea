//! The tokens of a browser: cookies that no script can read.
//!
//! The access cookie stays as long as the session, although its token is good for five minutes: a browser that comes with
//! an expired one is told 401 and refreshes. Without it, the browser would be taken for a visitor, and a customer who
//! comes back after a while would fill somebody's anonymous cart.

use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};

use super::session::Tokens;
use crate::request;
use crate::state::AppState;

/// Only this host, over TLS, can set a cookie whose name begins so.
const SECURE_ACCESS: &str = "__Host-trestle_access";
const ACCESS: &str = "trestle_access";
const REFRESH: &str = "trestle_refresh";
const AMBIGUOUS: &str = "two cookies of one name";
/// The refresh token goes nowhere else.
const REFRESH_PATH: &str = "/api/v1/sessions";

fn access_name(secure: bool) -> &'static str {
    if secure { SECURE_ACCESS } else { ACCESS }
}

/// The access token of the request's cookie.
pub fn access<'h>(state: &AppState, headers: &'h HeaderMap) -> Option<&'h str> {
    given(headers, access_name(state.config.cookie_secure))
}

/// The refresh token of the request's cookie.
pub fn refresh(headers: &HeaderMap) -> Option<&str> {
    given(headers, REFRESH)
}

/// Two cookies of one name are nobody's, as two Authorization headers are: a neighbouring host may have set one of them. The
/// text given for them is no token, and is refused as one that is not valid.
fn given<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = request::cookies(headers, name);
    let first = values.next()?;
    match values.next() {
        Some(_) => Some(AMBIGUOUS),
        None => Some(first).filter(|value| !value.is_empty()),
    }
}

/// Gives the browser its tokens.
pub fn set(state: &AppState, response: &mut Response, tokens: &Tokens) {
    write(
        state,
        response,
        &tokens.access,
        &tokens.refresh,
        tokens.session_seconds,
    );
}

/// Takes the tokens away from a browser that has some.
pub fn clear(state: &AppState, request: &HeaderMap, response: &mut Response) {
    if access(state, request).is_some() || refresh(request).is_some() {
        write(state, response, "", "", 0);
    }
}

fn write(state: &AppState, response: &mut Response, access: &str, refresh: &str, seconds: u64) {
    let is_secure = state.config.cookie_secure;
    let name = access_name(is_secure);
    let secure = if is_secure { "; Secure" } else { "" };
    let cookies = [
        format!("{name}={access}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"),
        format!(
            "{REFRESH}={refresh}; Path={REFRESH_PATH}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
        ),
    ];
    for cookie in cookies {
        // Tokens are letters, digits, dots, dashes and underscores.
        if let Ok(value) = HeaderValue::try_from(cookie) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
}
