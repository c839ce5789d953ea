//! What a customer asks for with POST orders, read and checked before the database is asked.

use aws_lc_rs::digest;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::gateway::Token;
use crate::coupons::{Code, code};
use crate::error::{Error, FieldError, Result};
use crate::request::parse;
use crate::types::id::{AddressId, VariantId};
use crate::types::money::Money;
use crate::types::text::Checks;

const HEADER: &str = "Idempotency-Key";
const MAX_KEY: usize = 255;
const MAX_ITEMS: usize = 50;
const MAX_QUANTITY: i64 = 99;

// Numbers are signed here, so that a negative one is named like any other that is wrong.
/// What is bought, and how it is paid
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrder, example = json!({
    "items": [{"variant_id": 12, "quantity": 2}],
    "address_id": "0195501b-7400-7000-8000-000000000002",
    "payment_token": "tok_approve",
    "coupon": "WELCOME-10",
    "expected_total": {"amount": 3598, "currency": "USD"},
}))]
pub struct Body {
    /// Each variant once
    #[schema(min_items = 1, max_items = 50)]
    items: Vec<BodyItem>,
    /// One of one's own addresses
    #[schema(format = Uuid)]
    address_id: String,
    /// How the sandbox gateway behaves: captured at once, declined, captured after 2 s, never answered, captured but the
    /// answer is lost, captured seconds after the shop gave up
    #[schema(pattern = "^tok_(approve|decline|slow|timeout|lost|late)$")]
    payment_token: String,
    /// The code of a coupon, in either case
    #[schema(min_length = 3, max_length = 32, pattern = "^[A-Za-z0-9-]{3,32}$")]
    coupon: Option<String>,
    /// The total that the customer was shown, discount included; only compared
    expected_total: Option<Money>,
}

#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrderItem)]
struct BodyItem {
    #[schema(minimum = 1)]
    variant_id: i64,
    #[schema(minimum = 1, maximum = 99)]
    quantity: i64,
}

/// A line of the order that is wanted. Its place in the list is its place in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    pub variant: VariantId,
    pub quantity: i32,
}

/// A request that is right in itself.
#[derive(Debug)]
pub struct Wanted {
    pub items: Vec<Item>,
    pub address: AddressId,
    pub token: Token,
    pub coupon: Option<Code>,
    pub expected_total: Option<Money>,
    /// SHA-256 of the request: two bodies are the same when they say the same, whatever their white space or the
    /// order of their fields. The order of the items counts: it is the order of the lines.
    pub hash: [u8; 32],
}

impl Wanted {
    /// # Errors
    /// 400 when the body is not JSON, 422 with every field at fault.
    pub fn read(body: &[u8]) -> Result<Self> {
        let body: Body = parse(body)?;
        let mut checks = Checks::default();
        let items = check_items(&body.items, &mut checks);
        let address = AddressId::parse(&body.address_id).ok();
        if address.is_none() {
            checks.fail("address_id", "is not an address id");
        }
        let token = Token::read(&body.payment_token);
        if token.is_none() {
            checks.fail("payment_token", "is not a token that the payment gateway knows");
        }
        let coupon = body.coupon.as_deref().map(Code::parse);
        if coupon == Some(None) {
            checks.fail("coupon", code::RULE);
        }
        checks.done()?;
        let (Some(address), Some(token)) = (address, token) else {
            return Err(Error::Internal("a check of the request was lost".into()));
        };
        Ok(Self {
            hash: hash(&body)?,
            items,
            address,
            token,
            coupon: coupon.flatten(),
            expected_total: body.expected_total,
        })
    }
}

fn check_items(items: &[BodyItem], checks: &mut Checks) -> Vec<Item> {
    if items.is_empty() || items.len() > MAX_ITEMS {
        checks.fail("items", format!("must have 1 to {MAX_ITEMS} entries"));
        return Vec::new();
    }
    let mut read: Vec<Item> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let variant = u64::try_from(item.variant_id).ok().filter(|id| *id > 0);
        let quantity = i32::try_from(item.quantity)
            .ok()
            .filter(|_| (1..=MAX_QUANTITY).contains(&item.quantity));
        if variant.is_none() {
            let message = "must be a positive whole number";
            checks.fail(format!("items[{index}].variant_id"), message);
        }
        if quantity.is_none() {
            let message = format!("must be from 1 to {MAX_QUANTITY}");
            checks.fail(format!("items[{index}].quantity"), message);
        }
        let (Some(variant), Some(quantity)) = (variant, quantity) else {
            continue;
        };
        let variant = VariantId(variant);
        if read.iter().any(|other| other.variant == variant) {
            checks.fail(format!("items[{index}].variant_id"), "is there twice");
            continue;
        }
        read.push(Item { variant, quantity });
    }
    read
}

fn hash(body: &Body) -> Result<[u8; 32]> {
    let unreadable = || Error::Internal("a request cannot be written".into());
    let text = serde_json::to_vec(body).map_err(|_| unreadable())?;
    let digest = digest::digest(&digest::SHA256, &text);
    digest.as_ref().try_into().map_err(|_| unreadable())
}

/// The request's Idempotency-Key: 1 to 255 visible ASCII characters, as a string of RFC 9651 in quotes, which is what the
/// IETF draft says, or bare, which is what most clients send. The quotes are not part of it: `"a"` and `a` are one key.
///
/// # Errors
/// 400 that names the header when it is missing, given twice or anything else.
pub fn idempotency_key(headers: &HeaderMap) -> Result<String> {
    let mut values = headers.get_all(HEADER).iter();
    let value = values.next().ok_or(Error::IdempotencyKeyMissing)?;
    let text = value.to_str().unwrap_or_default();
    let key = match text.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').and_then(unescaped),
        None => Some(text.to_owned()),
    };
    // A space is not taken: at the end of a key the database would not see it.
    let key = key
        .filter(|key| (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()))
        .filter(|_| values.next().is_none());
    key.ok_or_else(|| {
        let message = format!("must be one value of 1 to {MAX_KEY} visible ASCII characters");
        Error::InvalidRequest {
            detail: format!("the {HEADER} header {message}"),
            errors: vec![FieldError {
                field: HEADER.to_owned(),
                message,
            }],
        }
    })
}

/// The inside of a quoted string: a backslash stands before a quote or a backslash, and nowhere else.
fn unescaped(inside: &str) -> Option<String> {
    let mut text = String::with_capacity(inside.len());
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => text.push(characters.next().filter(|next| matches!(next, '"' | '\\'))?),
            plain => text.push(plain),
        }
    }
    Some(text)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    const ADDRESS: &str = "01890000-0000-7000-8000-000000000001";

    fn body(items: &str, more: &str) -> String {
        format!(r#"{{"items": {items}, "address_id": "{ADDRESS}", "payment_token": "tok_approve"{more}}}"#)
    }

    fn fields(body: &str) -> Vec<String> {
        match Wanted::read(body.as_bytes()) {
            Err(Error::Validation(errors)) => errors.into_iter().map(|e| e.field).collect(),
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn the_same_request_in_other_white_space_is_the_same() {
        let one = body(r#"[{"variant_id": 1, "quantity": 2}]"#, "");
        let same = format!(
            r#"{{"payment_token":"tok_approve","items":[{{"quantity":2,"variant_id":1}}],"coupon":null,"address_id":"{ADDRESS}"}}"#
        );
        let other = body(r#"[{"variant_id": 1, "quantity": 3}]"#, "");
        let hash = |text: &str| Wanted::read(text.as_bytes()).unwrap().hash;
        assert_eq!(hash(&one), hash(&same));
        assert_ne!(hash(&one), hash(&other));
    }

    #[test]
    fn every_field_at_fault_is_named() {
        let items = r#"[{"variant_id": 1, "quantity": 0}, {"variant_id": -1, "quantity": 100},
            {"variant_id": 2, "quantity": 1}, {"variant_id": 2, "quantity": 1}]"#;
        let found = fields(&body(items, r#", "coupon": "HALF OFF""#));
        assert_eq!(
            found,
            [
                "items[0].quantity",
                "items[1].variant_id",
                "items[1].quantity",
                "items[3].variant_id",
                "coupon"
            ]
        );
        let bare = r#"{"items": [], "address_id": "x", "payment_token": "y"}"#;
        assert_eq!(fields(bare), ["items", "address_id", "payment_token"]);
    }

    #[test]
    fn a_price_is_never_taken_from_the_request() {
        let priced = r#"[{"variant_id": 1, "quantity": 1, "price": 1}]"#;
        assert_eq!(fields(&body(priced, "")), ["items[0].price"]);
        let one = r#"[{"variant_id": 1, "quantity": 1}]"#;
        assert_eq!(fields(&body(one, r#", "total": 1"#)), ["total"]);
    }

    #[test]
    fn a_key_is_visible_ascii_of_bounded_length() {
        let key = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(HEADER, http::HeaderValue::from_bytes(value).unwrap());
            }
            idempotency_key(&headers)
        };
        assert_eq!(key(&[b"a-1"]).unwrap(), "a-1");
        assert_eq!(key(&[&[b'x'; 255]]).unwrap().len(), 255);
        assert!(matches!(key(&[]), Err(Error::IdempotencyKeyMissing)));
        for bad in [&b""[..], b"a b", b"a\tb", "ä".as_bytes(), &[b'x'; 256]] {
            assert!(
                matches!(key(&[bad]), Err(Error::InvalidRequest { .. })),
                "{bad:?}"
            );
        }
        assert!(key(&[b"a", b"b"]).is_err());
        assert_eq!(key(&[b"\"a-1\""]).unwrap(), "a-1");
        assert_eq!(key(&[br#""a\"\\b""#]).unwrap(), r#"a"\b"#);
        assert_eq!(
            key(&[&[b"\"", &[b'x'; 255][..], b"\""].concat()]).unwrap().len(),
            255
        );
        for bad in [
            &b"\""[..],
            b"\"\"",
            b"\"a",
            b"\"a\"b\"",
            b"\"a\\b\"",
            b"\"a\\\"",
            b"\"a b\"",
            b"\"a\";v=1",
        ] {
            assert!(key(&[bad]).is_err(), "{bad:?}");
        }
    }
}
