//! Access tokens: signed, short-lived, read without asking anyone. What ends one early is the change feed.

use std::sync::LazyLock;

use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};

use super::customer::{Customer, Role};
use crate::clock;
use crate::error::{Error, Result};
use crate::secrets::Keys;
use crate::types::id::{CustomerId, SessionId};

/// Seconds that a token lives. Revocations are kept longer than this (see `cache::feed`).
pub const LIFETIME_SECONDS: u64 = 300;

/// What kind of token this is (RFC 9068): no other that one of our keys may sign one day can pass for it.
const TYPE: &str = "at+jwt";
const ISSUER: &str = "trestle";
const AUDIENCE: &str = "trestle-api";
/// How far the replicas' clocks may differ, in seconds.
const LEEWAY_SECONDS: u64 = 5;
/// Ours have about 400 bytes; longer text is not decoded at all.
const MAX_BYTES: usize = 1024;

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(Clone))]
struct Claims {
    iss: String,
    aud: String,
    sub: CustomerId,
    sid: SessionId,
    role: Role,
    iat: u64,
    exp: u64,
}

/// The one algorithm, and the claims that must be there. `sid`, `role` and `iat` are demanded by `Claims`.
static VALIDATION: LazyLock<Validation> = LazyLock::new(|| {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.leeway = LEEWAY_SECONDS;
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    validation
});

/// Signs a token that lives `lifetime` seconds.
///
/// # Errors
/// When it cannot be signed.
pub fn issue(keys: &Keys, customer: Customer, lifetime: u64) -> Result<String> {
    let now = clock::now_ms() / 1000;
    let claims = Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: customer.id,
        sid: customer.session,
        role: customer.role,
        iat: now,
        exp: now + lifetime,
    };
    sign(keys, &claims)
}

fn sign(keys: &Keys, claims: &Claims) -> Result<String> {
    let (kid, key) = keys
        .signing_token_key()
        .ok_or_else(|| Error::Internal("there is no key to sign with".into()))?;
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(kid.to_owned());
    header.typ = Some(TYPE.to_owned());
    encode(&header, claims, key)
        .map_err(|error| Error::Internal(format!("a token cannot be signed: {error}")))
}

/// Whose token this is, unless it is spoilt, expired, or not one of ours. Ended sessions are the caller's to check.
pub fn read(keys: &Keys, token: &str) -> Option<Customer> {
    if token.len() > MAX_BYTES {
        return None;
    }
    let header = decode_header(token).ok()?;
    if header.typ.as_deref() != Some(TYPE) {
        return None;
    }
    let kid = header.kid?;
    let claims: Claims = decode(token, keys.token_key(&kid)?, &VALIDATION).ok()?.claims;
    Some(Customer {
        id: claims.sub,
        session: claims.sid,
        role: claims.role,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::EncodingKey;
    use serde_json::{Value, json};

    use super::*;

    const ONE: &str = "one:11111111111111111111111111111111";
    const TWO: &str = "two:22222222222222222222222222222222";

    fn keys(text: &str) -> Keys {
        Keys::parse(text).unwrap()
    }

    fn customer() -> Customer {
        Customer {
            id: CustomerId::generate(),
            session: SessionId::generate(),
            role: Role::Customer,
        }
    }

    fn good() -> Value {
        let now = clock::now_ms() / 1000;
        json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": CustomerId::generate(), "sid": SessionId::generate(),
            "role": "customer", "iat": now, "exp": now + 300,
        })
    }

    /// A token with any header and claims, signed with the first of `keys`.
    fn forge(keys: &Keys, algorithm: Algorithm, kid: Option<&str>, claims: &Value) -> String {
        let mut header = Header::new(algorithm);
        header.kid = kid.map(ToOwned::to_owned);
        header.typ = Some(TYPE.to_owned());
        let key: &EncodingKey = keys.signing_token_key().unwrap().1;
        encode(&header, claims, key).unwrap()
    }

    #[test]
    fn a_token_comes_back_as_it_was_issued() {
        let keys = keys(ONE);
        let customer = customer();
        let token = issue(&keys, customer, 300).unwrap();
        assert_eq!(read(&keys, &token), Some(customer));
        let admin = Customer {
            role: Role::Admin,
            ..customer
        };
        assert_eq!(read(&keys, &issue(&keys, admin, 300).unwrap()), Some(admin));
        assert!(token.len() < MAX_BYTES / 2, "{}", token.len());
    }

    #[test]
    fn a_key_is_replaced_without_logging_anyone_out() {
        let token = issue(&keys(ONE), customer(), 300).unwrap();
        assert!(read(&keys(&format!("{TWO},{ONE}")), &token).is_some());
        assert!(read(&keys(TWO), &token).is_none(), "its key is gone");
        let other = keys("one:33333333333333333333333333333333");
        assert!(read(&other, &token).is_none(), "same kid, other key");
    }

    #[test]
    fn only_our_algorithm_and_a_known_kid_are_believed() {
        let keys = keys(ONE);
        let read = |token: &str| super::read(&keys, token);
        let hs256 = Algorithm::HS256;
        assert!(read(&forge(&keys, hs256, Some("one"), &good())).is_some());
        assert!(read(&forge(&keys, hs256, None, &good())).is_none());
        assert!(read(&forge(&keys, hs256, Some("two"), &good())).is_none());
        for other in [Algorithm::HS384, Algorithm::HS512] {
            assert!(read(&forge(&keys, other, Some("one"), &good())).is_none());
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        for none in ["none", "None", "NONE"] {
            let header = part(&json!({"alg": none, "typ": TYPE, "kid": "one"}));
            assert!(read(&format!("{header}.{}.", part(&good()))).is_none());
        }
    }

    #[test]
    fn a_token_of_another_type_is_not_believed() {
        let keys = keys(ONE);
        let (kid, key) = keys.signing_token_key().unwrap();
        for (typ, is_believed) in [(Some(TYPE), true), (Some("JWT"), false), (None, false)] {
            let mut header = Header::new(Algorithm::HS256);
            header.kid = Some(kid.to_owned());
            header.typ = typ.map(ToOwned::to_owned);
            let token = encode(&header, &good(), key).unwrap();
            assert_eq!(read(&keys, &token).is_some(), is_believed, "{typ:?}");
        }
    }

    #[test]
    fn every_claim_is_demanded_and_must_be_ours() {
        let keys = keys(ONE);
        let read = |claims: &Value| super::read(&keys, &forge(&keys, Algorithm::HS256, Some("one"), claims));
        for claim in ["iss", "aud", "sub", "sid", "role", "iat", "exp"] {
            let mut claims = good();
            claims.as_object_mut().unwrap().remove(claim);
            assert!(read(&claims).is_none(), "without {claim}");
            claims[claim] = Value::Null;
            assert!(read(&claims).is_none(), "{claim} is null");
            claims[claim] = json!("other");
            assert!(read(&claims).is_none(), "{claim} is another");
        }
    }

    #[test]
    fn a_token_ends_after_its_time_and_the_leeway() {
        let keys = keys(ONE);
        let now = clock::now_ms() / 1000;
        let at = |exp: u64| {
            let mut claims = good();
            claims["exp"] = json!(exp);
            read(&keys, &forge(&keys, Algorithm::HS256, Some("one"), &claims)).is_some()
        };
        assert!(at(now + 1));
        assert!(at(now - 2), "clocks may differ by this much");
        assert!(!at(now - 10) && !at(0));
    }

    #[test]
    fn spoilt_text_is_no_token() {
        let keys = keys(ONE);
        let token = issue(&keys, customer(), 300).unwrap();
        let (rest, signature) = token.rsplit_once('.').unwrap();
        let flipped = if signature.starts_with('A') { "B" } else { "A" };
        let spoilt = [
            String::new(),
            ".".into(),
            "..".into(),
            "a.b.c".into(),
            rest.to_owned(),
            format!("{rest}."),
            format!("{rest}.{flipped}{}", &signature[1..]),
            format!("{token}A"),
            format!("{token}.{token}"),
            "A".repeat(100_000),
        ];
        for text in spoilt {
            assert!(read(&keys, &text).is_none(), "{text:.80}");
        }
    }
}
