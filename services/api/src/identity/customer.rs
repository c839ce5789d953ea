//! Who a request comes from: the extractors that every feature asks.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{cookies, token};
use crate::error::Error;
use crate::state::AppState;
use crate::types::id::{CustomerId, SessionId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Customer,
    Admin,
}

impl Role {
    /// Reads what the database says.
    ///
    /// # Errors
    /// 500 for a role that this program does not know.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "customer" => Ok(Self::Customer),
            "admin" => Ok(Self::Admin),
            _ => Err(Error::Internal(format!("a customer has the role {text:?}"))),
        }
    }
}

/// The customer whose access token came with the request, in its Authorization header or else in its cookie: checked, in time, of a session that has not ended.
/// 401 without one; 503 while this replica cannot know which sessions have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Customer {
    pub id: CustomerId,
    pub session: SessionId,
    pub role: Role,
}

/// The customer, or None when the request has no access token. One that is not valid is 401 all the same: who sent it
/// means to be somebody. That goes for a browser's expired cookie too: taken for a visitor, a customer would go on with
/// an anonymous cart. It is told to refresh, and when that does not help, it loses its cookies.
#[derive(Debug, Clone, Copy)]
pub struct MaybeCustomer(pub Option<Customer>);

impl FromRequestParts<AppState> for Customer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        let token = if parts.headers.contains_key(header::AUTHORIZATION) {
            bearer(&parts.headers)
        } else {
            cookies::access(state, &parts.headers)
        };
        let token = token.ok_or(Error::Unauthenticated)?;
        let customer = token::read(&state.config.keys, token).ok_or(Error::Unauthenticated)?;
        if !state.revocations.are_known() {
            return Err(Error::Unavailable("the list of ended sessions"));
        }
        if state.revocations.is_revoked(customer.session) {
            return Err(Error::Unauthenticated);
        }
        Ok(customer)
    }
}

impl FromRequestParts<AppState> for MaybeCustomer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        let headers = &parts.headers;
        if headers.contains_key(header::AUTHORIZATION) || cookies::access(state, headers).is_some() {
            let customer = Customer::from_request_parts(parts, state).await?;
            Ok(Self(Some(customer)))
        } else {
            Ok(Self(None))
        }
    }
}

/// A customer whose role is admin. 401 as for any customer, 403 for another role.
#[derive(Debug, Clone, Copy)]
pub struct Admin(pub Customer);

impl FromRequestParts<AppState> for Admin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        let customer = Customer::from_request_parts(parts, state).await?;
        match customer.role {
            Role::Admin => Ok(Self(customer)),
            Role::Customer => Err(Error::Forbidden),
        }
    }
}

/// The token of `Authorization: Bearer TOKEN`. Two such headers name nobody.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_matches(' '))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    fn found(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, value.parse().unwrap());
        }
        bearer(&headers).map(ToOwned::to_owned)
    }

    #[test]
    fn a_bearer_token_is_found_and_nothing_else() {
        assert_eq!(found(&["Bearer a.b.c"]).unwrap(), "a.b.c");
        assert_eq!(found(&["bearer  a.b.c "]).unwrap(), "a.b.c");
        assert_eq!(found(&[]), None);
        assert_eq!(found(&["Bearer"]), None);
        assert_eq!(found(&["Basic YTpi"]), None);
        assert_eq!(found(&["Bearer a", "Bearer b"]), None);
    }
}
