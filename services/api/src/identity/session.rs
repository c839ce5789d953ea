//! Opening a session: what registration and login have in common, and the tokens that a client gets.

use axum::response::{IntoResponse as _, Response};
use futures_util::future::BoxFuture;
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;

use super::customer::Customer;
use super::me::Profile;
use super::refresh_token::RefreshToken;
use super::register::NewCustomer;
use super::{store, token};
use crate::cart::cookie::CartCookie;
use crate::cart::merge::Merged;
use crate::cart::{cached, cookie, merge};
use crate::db::{Connection, Deadline};
use crate::error::{Error, Result};
use crate::request::Private;
use crate::state::AppState;
use crate::types::id::SessionId;

/// Seconds that a session lives, from its login on: refreshing does not lengthen it.
pub const LIFETIME_SECONDS: u64 = 30 * 24 * 3600;

/// The tokens of a session, as its client gets them.
#[derive(Serialize)]
pub struct Tokens {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    refresh_token: String,
    refresh_expires_in: u64,
}

impl Tokens {
    /// Signs an access token beside the refresh token, for a session with `left` seconds to live.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn issue(state: &AppState, customer: Customer, refresh: &RefreshToken, left: u64) -> Result<Self> {
        let expires_in = token::LIFETIME_SECONDS.min(left);
        Ok(Self {
            access_token: token::issue(&state.config.keys, customer, expires_in)?,
            token_type: "Bearer",
            expires_in,
            refresh_token: refresh.text(),
            refresh_expires_in: left,
        })
    }
}

/// The answer to registration and login.
#[derive(Serialize)]
struct Opened {
    customer: Profile,
    #[serde(flatten)]
    tokens: Tokens,
    cart: Merged,
}

/// Whose session is opened.
#[derive(Clone)]
pub enum Who {
    /// Registered in the same transaction.
    New(NewCustomer),
    Known(Profile),
}

/// Opens a session and takes over the anonymous cart of the request, in one transaction.
///
/// # Errors
/// `EmailTaken`, or when the database cannot be asked.
pub async fn open(state: &AppState, deadline: Deadline, headers: &HeaderMap, who: Who) -> Result<Response> {
    let session = SessionId::generate();
    let refresh = RefreshToken::generate()?;
    let cookie = cookie::read(headers, &state.config.keys);
    let hash = refresh.hash();
    let (profile, merged) = state
        .db
        .transact(deadline, move |tx| {
            write(tx, who.clone(), session, hash.clone(), cookie)
        })
        .await?;

    let anonymous = cookie.filter(|cookie| cookie.customer.is_none());
    // The anonymous cart is gone for good: no version of it counts any more.
    let gone = anonymous.map(|cart| CartCookie {
        version: u64::MAX,
        ..cart
    });
    let stale: Vec<_> = gone.into_iter().chain([merged.cart]).collect();
    cached::supersede(state, &stale).await;

    let customer = Customer {
        id: profile.id,
        session,
        role: profile.role,
    };
    let tokens = Tokens::issue(state, customer, &refresh, LIFETIME_SECONDS)?;
    let cart_cookie = cookie::set(state, &merged.cart);
    let body = Opened {
        customer: profile,
        tokens,
        cart: merged,
    };
    let mut response = Private(StatusCode::CREATED, body).into_response();
    response.headers_mut().append(header::SET_COOKIE, cart_cookie);
    Ok(response)
}

fn write(
    tx: &mut Connection,
    who: Who,
    session: SessionId,
    refresh_hash: Vec<u8>,
    cookie: Option<CartCookie>,
) -> BoxFuture<'_, Result<(Profile, Merged)>> {
    Box::pin(async move {
        let profile = match who {
            Who::Known(profile) => profile,
            Who::New(new) => {
                store::insert_customer(tx, &new).await?;
                store::profile(tx, new.id)
                    .await?
                    .ok_or_else(|| Error::Internal("a new customer is not there".into()))?
            }
        };
        store::insert_session(tx, session, profile.id, LIFETIME_SECONDS).await?;
        store::insert_refresh_token(tx, &refresh_hash, session).await?;
        let merged = merge::merge(tx, cookie.as_ref(), profile.id).await?;
        Ok((profile, merged))
    })
}
