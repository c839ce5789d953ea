//! Whose cart a request is about.

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::cookie::{self, CartCookie};
use crate::error::Error;
use crate::identity::MaybeCustomer;
use crate::state::AppState;
use crate::types::id::CustomerId;

#[derive(Debug, Clone, Copy)]
pub enum Owner {
    /// A customer's cart; the cookie, when it is this customer's, says where it is and how new it must be.
    Customer(CustomerId, Option<CartCookie>),
    /// Whoever holds the cookie; None when there is no cart yet.
    Anonymous(Option<CartCookie>),
}

impl Owner {
    pub fn customer(&self) -> Option<CustomerId> {
        match self {
            Self::Customer(id, _) => Some(*id),
            Self::Anonymous(_) => None,
        }
    }
}

impl FromRequestParts<AppState> for Owner {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        let MaybeCustomer(customer) = MaybeCustomer::from_request_parts(parts, state).await?;
        let cookie = cookie::read(&parts.headers, &state.config.keys);
        Ok(match customer {
            Some(customer) => Self::Customer(
                customer.id,
                cookie.filter(|cookie| cookie.customer == Some(customer.id)),
            ),
            // A customer's cart is not shown to whoever uses the browser after a logout.
            None => Self::Anonymous(cookie.filter(|cookie| cookie.customer.is_none())),
        })
    }
}
