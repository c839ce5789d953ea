//! The problem answers in the document: one schema, and for each code an example that `error.rs` itself makes, so that
//! the two cannot say different things.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::error::{Error, FieldError, Shortage};
use crate::types::id::VariantId;
use crate::types::money::{Currency, Money};

/// An example of an error for every code that an answer can have.
fn samples() -> Vec<Error> {
    let usd: Option<Currency> = "USD".parse().ok();
    let price_changed = usd.map(|usd| Error::PriceChanged {
        total: Money::new(2199, usd),
    });
    let mut samples = vec![
        Error::query("limit", "must be from 1 to 100"),
        Error::IdempotencyKeyMissing,
        Error::Unauthenticated,
        Error::PaymentDeclined {
            order: json!({"id": Uuid::nil(), "state": "failed"}),
        },
        Error::Forbidden,
        Error::CrossOrigin,
        Error::TooManyAttempts { retry_after: 2 },
        Error::NotBought,
        Error::AlreadyReviewed,
        Error::AlreadyExists(FieldError {
            field: "sku".into(),
            message: "another variant has it".into(),
        }),
        Error::CouponNotApplicable("the order is below the coupon's minimum".into()),
        Error::CouponUsedUp("the coupon has no uses left".into()),
        Error::CouponExists,
        Error::PreconditionFailed,
        Error::PreconditionRequired,
        Error::NotFound("product"),
        Error::MethodNotAllowed,
        Error::EmailTaken,
        Error::OutOfStock(vec![Shortage {
            variant_id: VariantId(17),
            requested: 3,
            left: 1,
        }]),
        Error::OrderInProgress,
        Error::IllegalTransition {
            state: "shipped".into(),
            action: "cancelled",
        },
        Error::PayloadTooLarge,
        Error::UnsupportedMediaType,
        Error::Validation(vec![FieldError {
            field: "items[0].quantity".into(),
            message: "must be from 1 to 99".into(),
        }]),
        Error::IdempotencyKeyReused,
        Error::CartFull { max: 50 },
        Error::Internal("not shown".into()),
        Error::Overloaded,
        Error::Maintenance,
        Error::Unavailable("the database"),
    ];
    samples.extend(price_changed);
    samples
}

/// A whole problem body for every code.
pub fn by_code() -> BTreeMap<String, Value> {
    let samples = samples().into_iter().map(|error| {
        let (_, problem) = error.problem();
        let mut body = problem.body;
        body.insert("request_id".into(), json!("5f0c1d7e00000a42"));
        let code = body["code"].as_str().unwrap_or_default().to_owned();
        (code, Value::Object(body))
    });
    samples.collect()
}

/// The one schema of all problem answers.
pub fn schema() -> Value {
    let codes: Vec<_> = by_code().into_keys().collect();
    json!({
        "type": "object",
        "description": "RFC 9457. Some codes have members of their own.",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {
            "type": {"type": "string", "description": "urn:trestle:problem: and the code"},
            "title": {"type": "string", "description": "The status in words"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "What is wrong, for a person"},
            "code": {"type": "string", "enum": codes, "description": "What is wrong, for a program"},
            "request_id": {"type": "string", "description": "Finds the request in the logs"},
            "errors": {
                "type": "array",
                "description": "The fields at fault, all of them",
                "items": {
                    "type": "object",
                    "required": ["field", "message"],
                    "properties": {
                        "field": {"type": "string", "description": "Such as items[0].quantity"},
                        "message": {"type": "string"},
                    },
                },
            },
            "order": {"type": "object", "description": "payment_declined: the order, which is failed now"},
            "total": {
                "allOf": [{"$ref": "#/components/schemas/Money"}],
                "description": "price_changed: what the order costs now",
            },
            "items": {
                "type": "array",
                "description": "out_of_stock: what there is less of than was asked for",
                "items": {
                    "type": "object",
                    "required": ["variant_id", "requested", "left"],
                    "properties": {
                        "variant_id": {"type": "integer"},
                        "requested": {"type": "integer"},
                        "left": {"type": "integer"},
                    },
                },
            },
        },
    })
}

/// Gives the operation all its problem answers: those its annotation names, and those that any such operation has. They
/// are kept in `shared`, because most are the same for many operations.
pub fn complete(
    path: &str,
    method: &str,
    operation: &mut Map<String, Value>,
    shared: &mut Map<String, Value>,
) {
    let mut codes = common(path, method, operation);
    let responses = operation.get("responses").and_then(Value::as_object);
    for (status, response) in responses.into_iter().flatten().filter(|(s, _)| is_problem(s)) {
        let named = response["description"].as_str().unwrap_or_default();
        let named = named.split(',').map(|code| code.trim().to_owned());
        codes.entry(status.clone()).or_default().extend(named);
    }
    for (status, codes) in codes {
        let name = codes.iter().cloned().collect::<Vec<_>>().join(".");
        operation["responses"][status.as_str()] = json!({"$ref": format!("#/components/responses/{name}")});
        shared.entry(name).or_insert_with(|| response(&status, &codes));
    }
}

pub fn is_problem(status: &str) -> bool {
    status.parse::<u16>().is_ok_and(|status| status >= 400)
}

/// What an operation can answer because of what it takes, whatever it does.
fn common(path: &str, method: &str, operation: &Map<String, Value>) -> BTreeMap<String, BTreeSet<String>> {
    let mut codes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut can = |status: &str, code: &str| {
        codes
            .entry(status.to_owned())
            .or_default()
            .insert(code.to_owned());
    };
    // Every operation refuses a query parameter that it does not know.
    can("400", "invalid_request");
    if operation.contains_key("requestBody") {
        can("413", "payload_too_large");
        can("415", "unsupported_media_type");
        can("422", "validation_failed");
    }
    let security = operation.get("security").and_then(Value::as_array);
    if security.is_some_and(|ways| {
        ways.iter()
            .any(|way| way.as_object().is_some_and(|way| !way.is_empty()))
    }) {
        can("401", "unauthenticated");
    }
    if path.starts_with("/api/v1/admin/") {
        can("403", "forbidden");
    }
    // A browser's write from another site's page, whatever it asks.
    if method != "get" {
        can("403", "cross_origin");
        can("503", "maintenance");
    }
    can("500", "internal");
    can("503", "overloaded");
    can("503", "unavailable");
    codes
}

fn response(status: &str, codes: &BTreeSet<String>) -> Value {
    let examples: Map<String, Value> = codes
        .iter()
        .map(|code| {
            (
                code.clone(),
                json!({"$ref": format!("#/components/examples/{code}")}),
            )
        })
        .collect();
    let named: Vec<_> = codes.iter().map(|code| format!("`{code}`")).collect();
    let number: u16 = status.parse().unwrap_or_default();
    let mut response = json!({
        "description": named.join(", "),
        "content": {"application/problem+json": {
            "schema": {
                "allOf": [{"$ref": "#/components/schemas/Problem"}],
                "properties": {"status": {"const": number}, "code": {"enum": codes}},
            },
            "examples": examples,
        }},
    });
    super::add_headers(status, &mut response, false, false);
    response
}

/// An example for every code, for `components`.
pub fn examples() -> Value {
    let examples = by_code()
        .into_iter()
        .map(|(code, body)| (code, json!({"value": body})));
    Value::Object(examples.collect())
}
