//! The cart cookie: which cart, whose, and the version last acknowledged; signed, so that none can be made up.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use uuid::Uuid;

use crate::request;
use crate::secrets::Keys;
use crate::state::AppState;
use crate::types::id::{CartId, CustomerId};

const NAME: &str = "trestle_cart";
/// As long as an untouched anonymous cart is kept.
const MAX_AGE_SECONDS: u32 = 30 * 24 * 3600;
/// Cart id, version, customer id (zero for an anonymous cart).
const LENGTH: usize = 16 + 8 + 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CartCookie {
    pub id: CartId,
    pub version: u64,
    /// Set for a customer's cart: then the cookie counts only beside that customer's token.
    pub customer: Option<CustomerId>,
}

fn encode(keys: &Keys, cookie: &CartCookie) -> String {
    let mut content = Vec::with_capacity(LENGTH + 32);
    content.extend_from_slice(cookie.id.0.as_bytes());
    content.extend_from_slice(&cookie.version.to_be_bytes());
    content.extend_from_slice(
        cookie
            .customer
            .map_or(Uuid::nil(), |customer| customer.0)
            .as_bytes(),
    );
    let mac = keys.sign_cookie(&content);
    content.extend_from_slice(&mac);
    URL_SAFE_NO_PAD.encode(content)
}

fn decode(keys: &Keys, text: &str) -> Option<CartCookie> {
    if text.len() > 128 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (content, mac) = bytes.split_at_checked(LENGTH)?;
    if !keys.verify_cookie(content, mac) {
        return None;
    }
    let id = Uuid::from_slice(&content[..16]).ok()?;
    let version = u64::from_be_bytes(content[16..24].try_into().ok()?);
    let customer = Uuid::from_slice(&content[24..]).ok()?;
    Some(CartCookie {
        id: CartId(id),
        version,
        customer: (!customer.is_nil()).then_some(CustomerId(customer)),
    })
}

/// The request's cart cookie, if there is one that we made.
pub fn read(headers: &HeaderMap, keys: &Keys) -> Option<CartCookie> {
    decode(keys, request::cookie(headers, NAME)?)
}

/// The value of a Set-Cookie header.
pub fn set(state: &AppState, cookie: &CartCookie) -> HeaderValue {
    let value = encode(&state.config.keys, cookie);
    let secure = if state.config.cookie_secure {
        "; Secure"
    } else {
        ""
    };
    let text =
        format!("{NAME}={value}; Path=/api; Max-Age={MAX_AGE_SECONDS}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_comes_back_whole_and_a_changed_one_does_not() {
        let keys = Keys::parse("a:0123456789abcdef0123456789abcdef").unwrap();
        let others = Keys::parse("a:another-key-0123456789abcdef012345").unwrap();
        let cookie = CartCookie {
            id: CartId::generate(),
            version: 7,
            customer: Some(CustomerId::generate()),
        };
        let text = encode(&keys, &cookie);
        assert_eq!(decode(&keys, &text), Some(cookie));
        assert_eq!(decode(&others, &text), None);
        for position in 0..text.len() {
            let mut spoilt = text.clone().into_bytes();
            spoilt[position] = if spoilt[position] == b'A' { b'B' } else { b'A' };
            let spoilt = String::from_utf8(spoilt).unwrap();
            assert!(decode(&keys, &spoilt).is_none(), "position {position}");
        }
    }

    #[test]
    fn the_second_key_still_verifies() {
        let old = Keys::parse("a:0123456789abcdef0123456789abcdef").unwrap();
        let both =
            Keys::parse("b:fedcba9876543210fedcba9876543210,a:0123456789abcdef0123456789abcdef").unwrap();
        let cookie = CartCookie {
            id: CartId::generate(),
            version: 1,
            customer: None,
        };
        assert_eq!(decode(&both, &encode(&old, &cookie)), Some(cookie));
    }
}
