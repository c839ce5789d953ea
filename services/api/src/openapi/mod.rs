//! The contract: OpenAPI 3.1, made from the handlers' own annotations and types, served at `/api/openapi.json`.
//!
//! An annotation lists what is special to its operation. What every operation can answer is added here, so that it is
//! said once. A response of 400 and above is described by the problem codes it can carry, parted by commas:
//! `problems` makes the response of them. Bodies without an example get one from their schema: `examples`.
//!
//! The committed copy is `services/api/openapi.json`, so that a change of the API shows in review.

pub mod command;
mod examples;
mod links;
mod problems;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};
use serde_json::{Map, Value, json};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{HttpMethod, OpenApi};

use crate::request::etag_of;

/// Where the document is served.
pub const PATH: &str = "/api/openapi.json";

const DESCRIPTION: &str = "\
A load-bearing shop: catalogue, cart, accounts, checkout, orders, reviews, backoffice.

Money is integer minor units with its currency. Times are RFC 3339 in UTC. Lists are `{items, next_cursor}`; a cursor \
is given back unchanged, with the same filters. Errors are RFC 9457 problems with a `code` to program against and the \
`request_id` that finds the request in the logs. Unknown fields and unknown or repeated query parameters are refused. \
HEAD is answered like GET, OPTIONS with 204 and `Allow`.";

/// What the tags of the operations stand for, in the order in which they are read.
const TAGS: &[(&str, &str)] = &[
    (
        "catalog",
        "Products and categories; read through the caches, a second old at most",
    ),
    ("reviews", "What customers say of the products they bought"),
    ("cart", "A visitor's or a customer's cart"),
    ("identity", "Accounts, sessions, addresses"),
    ("checkout", "From a cart to an order"),
    ("orders", "A customer's own orders"),
    ("backoffice", "For the role admin alone"),
    ("instance", "The replica that answered, and this document"),
];

/// The document for the operations that the router collected.
pub fn complete(api: &OpenApi) -> Value {
    // The types it is made of always can be written.
    let mut document = serde_json::to_value(api).unwrap_or_default();
    document["openapi"] = json!("3.1.0");
    document["info"] = json!({
        "title": "Trestle",
        "version": env!("CARGO_PKG_VERSION"),
        "description": DESCRIPTION,
        "license": {"name": "MIT", "identifier": "MIT"},
    });
    document["servers"] = json!([{"url": "/", "description": "The shop that serves this document"}]);
    document["tags"] = TAGS
        .iter()
        .map(|(name, description)| json!({"name": name, "description": description}))
        .collect();
    document["paths"][PATH] = json!({"get": own_operation()});
    let components = &mut document["components"];
    components["securitySchemes"] = security_schemes();
    components["headers"] = headers();
    components["schemas"]["Problem"] = problems::schema();
    components["examples"] = problems::examples();
    close_choices(&mut components["schemas"]);
    let schemas = components["schemas"].clone();
    let mut problems = Map::new();
    for_each_operation(&mut document, |path, method, operation| {
        complete_operation(path, method, operation, &schemas, &mut problems);
    });
    document["components"]["responses"] = problems.into();
    links::add(&mut document);
    document
}

/// Of an enum that is written as `{"choice": value}` exactly one is taken; its derived schema lets others stand beside it.
fn close_choices(schemas: &mut Value) {
    let schemas = schemas.as_object_mut().into_iter().flatten();
    let choices = schemas.filter_map(|(_, schema)| schema.get_mut("oneOf")?.as_array_mut());
    for choice in choices.flatten() {
        let is_single = choice["properties"].as_object().is_some_and(|all| all.len() == 1);
        if is_single && choice["type"] == "object" {
            choice["additionalProperties"] = json!(false);
        }
    }
}

/// How a request says whose it is. An operation's annotation names "bearer"; the cookie is added to it.
fn security_schemes() -> Value {
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The `access_token` of a registration, a login or a refresh. It lives 5 minutes.",
        },
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": "trestle_access",
            "description": "For browsers: login with `\"transport\": \"cookie\"` sets it (`__Host-trestle_access` over TLS). \
                Authorization counts first. Writes must come from the shop's own pages or an allowed origin.",
        },
    })
}

/// Headers that answers share; `add_headers` says which answer has which.
fn headers() -> Value {
    let text = |description: &str| json!({"description": description, "schema": {"type": "string"}});
    let seconds =
        |description: &str| json!({"description": description, "schema": {"type": "integer", "minimum": 0}});
    json!({
        "Age": seconds("Seconds since MySQL was read"),
        "Cache-Status": text("RFC 9211: which cache had the answer, such as `memory; hit`"),
        "ETag": text("Names these bytes: with If-None-Match the answer is 304 while they are the same"),
        "Retry-After": seconds("Seconds after which another try can help"),
        "Server-Timing": text("How long the replica worked: `app;dur=` milliseconds"),
        "Trestle-Replica": text("The replica that answered"),
        "WWW-Authenticate": text("RFC 9110: the scheme to log in with"),
        "X-Request-Id": text("Finds the request in the logs; a sane one of the client's is kept"),
    })
}

fn own_operation() -> Value {
    json!({
        "tags": ["instance"],
        "summary": "This document",
        "responses": {
            "200": {
                "description": "OpenAPI 3.1",
                "content": {"application/json": {"schema": {"type": "object"}, "example": {"openapi": "3.1.0"}}},
            },
        },
    })
}

fn for_each_operation(document: &mut Value, mut work: impl FnMut(&str, &str, &mut Map<String, Value>)) {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if let Some(operation) = operation.as_object_mut() {
                work(path, method, operation);
            }
        }
    }
}

fn complete_operation(
    path: &str,
    method: &str,
    operation: &mut Map<String, Value>,
    schemas: &Value,
    problems: &mut Map<String, Value>,
) {
    operation.insert("operationId".into(), json!(operation_id(path, method)));
    allow_cookie(operation);
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        describe_path_parameter(path, parameter);
        describe_header(parameter);
    }
    problems::complete(path, method, operation, problems);
    if let Some(body) = operation.get_mut("requestBody") {
        examples::add(body, schemas);
    }
    let summary = operation.get("summary").cloned().unwrap_or_default();
    let tag = operation["tags"][0].as_str().unwrap_or_default().to_owned();
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
    let Some(responses) = responses else { return };
    // What is always fresh (which replica, a token) has no tag; what is read again has one.
    let has_etag = method == "get" && tag != "instance" && responses.contains_key("200");
    let is_cached = has_etag && (tag == "catalog" || tag == "reviews");
    if has_etag {
        let unchanged =
            json!({"description": "Not modified: If-None-Match names the ETag that it still has"});
        responses.insert("304".into(), unchanged);
    }
    for (status, response) in responses {
        if status.starts_with('2') {
            examples::add(response, schemas);
            if response["description"].as_str().is_none_or(str::is_empty) {
                response["description"] = summary.clone();
            }
        }
        if !problems::is_problem(status) {
            add_headers(status, response, has_etag, is_cached);
        }
    }
}

/// Whatever takes the token in a header takes it in the cookie.
fn allow_cookie(operation: &mut Map<String, Value>) {
    let choices = operation.get_mut("security").and_then(Value::as_array_mut);
    if let Some(choices) = choices {
        let takes = |choices: &[Value], scheme| choices.iter().any(|choice| choice.get(scheme).is_some());
        if takes(choices, "bearer") && !takes(choices, "cookie") {
            choices.push(json!({"cookie": []}));
        }
    }
}

/// `get_products_id` of GET /api/v1/products/{id}.
fn operation_id(path: &str, method: &str) -> String {
    let path = path.trim_start_matches("/api/v1").trim_start_matches("/api");
    let words = path.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    format!("{method}_{}", words.join("_"))
}

/// "The id of one of the products", where the annotation says nothing.
fn describe_path_parameter(path: &str, parameter: &mut Value) {
    let is_bare = parameter["in"] == "path" && parameter["description"].as_str().is_none_or(str::is_empty);
    let Some(name) = parameter["name"].as_str().filter(|_| is_bare) else {
        return;
    };
    let before = path.split(&format!("/{{{name}}}")).next().unwrap_or_default();
    let many = before.rsplit('/').next().unwrap_or_default();
    parameter["description"] = json!(format!("The {name} of one of the {many}"));
}

/// What the headers are that several operations take.
fn describe_header(parameter: &mut Value) {
    let name = parameter["name"].as_str().filter(|_| parameter["in"] == "header");
    let (description, pattern, example) = match name {
        Some("If-Match") => (
            "The ETag of what was read: 428 without, 412 when it has been changed since",
            "^\"[0-9]{1,18}\"$",
            "\"3\"",
        ),
        Some("Idempotency-Key") => (
            "Names this attempt: a repeat with the same key and body gets the same answer, with another body 422. \
             1 to 255 visible ASCII characters, in quotes as the IETF draft has it, or bare; \"a\" and a are one key",
            "^[!#-~]{1,255}$|^\"[!#-\\[\\]-~]{1,255}\"$",
            "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"",
        ),
        _ => return,
    };
    parameter["description"] = json!(description);
    parameter["schema"] = json!({"type": "string", "pattern": pattern});
    parameter["example"] = json!(example);
}

fn add_headers(status: &str, response: &mut Value, has_etag: bool, is_cached: bool) {
    let mut names = vec!["Trestle-Replica", "X-Request-Id", "Server-Timing"];
    if matches!(status, "429" | "503") {
        names.push("Retry-After");
    }
    if status == "401" {
        names.push("WWW-Authenticate");
    }
    if has_etag && matches!(status, "200" | "304") {
        names.push("ETag");
    }
    if is_cached && matches!(status, "200" | "304") {
        names.extend(["Cache-Status", "Age"]);
    }
    for name in names {
        response["headers"][name] = json!({"$ref": format!("#/components/headers/{name}")});
    }
}

/// The document as text, as it is served and as it is committed.
pub fn text(document: &Value) -> String {
    format!("{document:#}\n")
}

/// The committed copy, which a test holds against the code: made at run time it would cost each replica megabytes.
static COPY: &str = include_str!("../../openapi.json");

/// GET /api/openapi.json.
pub async fn respond() -> Response {
    static TAG: LazyLock<HeaderValue> = LazyLock::new(|| etag_of(COPY.as_bytes()));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::ETAG, TAG.clone()),
    ];
    (headers, COPY).into_response()
}

/// The document's own path beside those of the features.
pub fn with_own_path(mut api: OpenApi) -> OpenApi {
    api.paths
        .add_path_operation(PATH, vec![HttpMethod::Get], Operation::default());
    api
}
