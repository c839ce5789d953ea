//! Opening a session: what registration and login have in common, and the tokens that a client gets.

use axum::response::{IntoResponse as _, Response};
use futures_util::future::BoxFuture;
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::customer::Customer;
use super::me::Profile;
use super::refresh_token::RefreshToken;
use super::register::NewCustomer;
use super::{cookies, store, token};
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
/// What is kept of a User-Agent; the width of its column.
const USER_AGENT_BYTES: usize = 200;

/// How a client wants its tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// In the answer, for programs: they send `Authorization: Bearer`.
    #[default]
    Bearer,
    /// In cookies that no script can read, for browsers.
    Cookie,
}

/// The tokens of a session.
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    access_seconds: u64,
    pub session_seconds: u64,
}

/// What an answer says of a session's tokens.
#[derive(Serialize, ToSchema)]
pub struct SessionTokens {
    /// Not with `transport: cookie`
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Bearer")]
    token_type: Option<&'static str>,
    /// Seconds until the access token expires
    #[schema(example = 300)]
    expires_in: u64,
    /// Good for one exchange at `POST /api/v1/sessions/refresh`; not with `transport: cookie`
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// Seconds until the session ends
    #[schema(example = 2_592_000)]
    refresh_expires_in: u64,
}

impl Tokens {
    /// Signs an access token beside the refresh token, for a session with `left` seconds to live.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn issue(state: &AppState, customer: Customer, refresh: &RefreshToken, left: u64) -> Result<Self> {
        let access_seconds = token::LIFETIME_SECONDS.min(left);
        Ok(Self {
            access: token::issue(&state.config.keys, customer, access_seconds)?,
            refresh: refresh.text(),
            access_seconds,
            session_seconds: left,
        })
    }

    /// What the answer's body says of them.
    pub fn body(&self, transport: Transport) -> SessionTokens {
        let in_body = transport == Transport::Bearer;
        SessionTokens {
            access_token: in_body.then(|| self.access.clone()),
            token_type: in_body.then_some("Bearer"),
            expires_in: self.access_seconds,
            refresh_token: in_body.then(|| self.refresh.clone()),
            refresh_expires_in: self.session_seconds,
        }
    }
}

/// The answer to registration and login.
#[derive(Serialize, ToSchema)]
pub struct OpenedSession {
    customer: Profile,
    #[serde(flatten)]
    tokens: SessionTokens,
    /// What became of the visitor's cart.
    cart: Merged,
}

/// Whose session is opened.
#[derive(Clone)]
pub enum Who {
    /// Registered in the same transaction.
    New(NewCustomer),
    /// Who proved the password of this hash.
    Known(Profile, String),
}

/// Opens a session and takes over the anonymous cart of the request, in one transaction.
///
/// # Errors
/// `EmailTaken`, `BadCredentials` when the password was changed meanwhile, or when the database cannot be asked.
pub async fn open(
    state: &AppState,
    deadline: Deadline,
    headers: &HeaderMap,
    who: Who,
    transport: Transport,
) -> Result<Response> {
    let session = SessionId::generate();
    let refresh = RefreshToken::generate()?;
    let cookie = cookie::read(headers, &state.config.keys);
    let new = NewSession {
        id: session,
        refresh_hash: refresh.hash(),
        user_agent: user_agent(headers),
    };
    let (profile, merged) = state
        .db
        .transact(deadline, move |tx| write(tx, who.clone(), new.clone(), cookie))
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
    let body = OpenedSession {
        customer: profile,
        tokens: tokens.body(transport),
        cart: merged,
    };
    let mut response = Private(StatusCode::CREATED, body).into_response();
    response.headers_mut().append(header::SET_COOKIE, cart_cookie);
    if transport == Transport::Cookie {
        cookies::set(state, &mut response, &tokens);
    }
    Ok(response)
}

/// What the client says it is, as much of it as is kept; empty when it says nothing that can be read.
fn user_agent(headers: &HeaderMap) -> String {
    let text = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    // Such text is ASCII: a byte is a character.
    let text = text.unwrap_or_default().trim();
    text[..text.len().min(USER_AGENT_BYTES)].to_owned()
}

#[derive(Clone)]
pub struct NewSession {
    pub id: SessionId,
    pub refresh_hash: Vec<u8>,
    pub user_agent: String,
}

fn write(
    tx: &mut Connection,
    who: Who,
    new: NewSession,
    cookie: Option<CartCookie>,
) -> BoxFuture<'_, Result<(Profile, Merged)>> {
    Box::pin(async move {
        let profile = match who {
            Who::Known(profile, proved) => {
                // A change of the password ends all sessions: none may be opened with the old one a moment later.
                if store::hold_password(tx, profile.id).await?.as_ref() != Some(&proved) {
                    return Err(Error::BadCredentials);
                }
                // Read again now that the row is held: the role may have changed since, and this session would not
                // have ended with the others.
                store::profile(tx, profile.id)
                    .await?
                    .ok_or(Error::BadCredentials)?
            }
            Who::New(new) => {
                store::insert_customer(tx, &new).await?;
                store::profile(tx, new.id)
                    .await?
                    .ok_or_else(|| Error::Internal("a new customer is not there".into()))?
            }
        };
        store::session::insert(tx, &new, profile.id, LIFETIME_SECONDS).await?;
        store::session::insert_refresh_token(tx, &new.refresh_hash, new.id).await?;
        let merged = merge::merge(tx, cookie.as_ref(), profile.id).await?;
        Ok((profile, merged))
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn little_is_kept_of_a_user_agent() {
        let kept = |bytes: &[u8]| {
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(bytes) {
                headers.insert(header::USER_AGENT, value);
            }
            user_agent(&headers)
        };
        assert_eq!(kept(b" curl/8.5.0 "), "curl/8.5.0");
        assert_eq!(kept("x".repeat(500).as_bytes()).len(), USER_AGENT_BYTES);
        assert_eq!(kept("안".as_bytes()), "");
        assert_eq!(user_agent(&HeaderMap::new()), "");
    }
}
