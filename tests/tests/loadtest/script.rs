//! What the k6 script asks, read from its text, held against the OpenAPI document.
//!
//! The script's every request is a `call(method, route, statuses, fields, …)`, so that it can be read without running it.

use serde_json::Value;

/// Where the document's routes begin; the script leaves it out.
const BASE: &str = "/api/v1";

/// One call of the script.
#[derive(Debug, PartialEq)]
pub struct Call {
    pub method: String,
    pub route: String,
    pub statuses: Vec<u64>,
    /// Of the answer, such as `items[].id`.
    pub fields: Vec<String>,
}

/// Every call in the script, in its order.
pub fn calls(script: &str) -> Result<Vec<Call>, String> {
    let mut found = Vec::new();
    for (at, _) in script.match_indices("call(") {
        let before = &script[..at];
        let is_definition = before.ends_with("function ");
        let is_named_otherwise = before.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
        let is_comment = before.lines().next_back().is_some_and(|line| line.contains("//"));
        if !(is_definition || is_named_otherwise || is_comment) {
            let line = before.matches('\n').count() + 1;
            let arguments = &script[at + "call(".len()..];
            found.push(call(arguments).ok_or(format!("line {line}: not a call that can be read"))?);
        }
    }
    Ok(found)
}

/// The first four arguments are literals: as JSON, they are the beginning of a list.
fn call(arguments: &str) -> Option<Call> {
    let (method, rest) = literal(arguments)?;
    let (route, rest) = literal(rest)?;
    let (statuses, rest) = literal(rest)?;
    let (fields, _) = literal(rest)?;
    let numbers = statuses.as_array().cloned().unwrap_or(vec![statuses]);
    let fields = fields
        .as_array()?
        .iter()
        .map(|field| Some(field.as_str()?.to_owned()));
    Some(Call {
        method: method.as_str()?.to_owned(),
        route: route.as_str()?.to_owned(),
        statuses: numbers.iter().map(Value::as_u64).collect::<Option<_>>()?,
        fields: fields.collect::<Option<_>>()?,
    })
}

/// One JSON value, and what comes after it and its comma.
fn literal(text: &str) -> Option<(Value, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter();
    let value = values.next()?.ok()?;
    let rest = text[values.byte_offset()..].trim_start();
    Some((value, rest.strip_prefix(',').unwrap_or(rest)))
}

/// What the document does not know of these calls.
pub fn unknown(calls: &[Call], document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for call in calls {
        let name = format!("{} {}", call.method, call.route);
        let operation = &document["paths"][format!("{BASE}{}", call.route)][call.method.to_lowercase()];
        if operation.is_null() {
            found.push(format!("{name} is not in the document"));
            continue;
        }
        let responses = &operation["responses"];
        for status in &call.statuses {
            if responses[status.to_string()].is_null() {
                found.push(format!("{name} never answers {status}"));
            }
        }
        let good = call.statuses.iter().find(|status| **status < 300).unwrap_or(&0);
        let schema = &responses[good.to_string()]["content"]["application/json"]["schema"];
        for field in &call.fields {
            if !has(document, schema, field) {
                found.push(format!("{name} {good} has no field {field}"));
            }
        }
    }
    found
}

/// Whether things of this schema may have the field.
fn has(document: &Value, schema: &Value, field: &str) -> bool {
    let (name, rest) = field.split_once('.').unwrap_or((field, ""));
    let (name, is_list) = name.strip_suffix("[]").map_or((name, false), |name| (name, true));
    parts(document, schema).into_iter().any(|part| {
        let below = &part["properties"][name];
        if below.is_null() {
            return false;
        }
        let lists = parts(document, below);
        let is_one = lists.iter().any(|it| !it["items"].is_null());
        match (is_list, rest) {
            (true, _) if !is_one => false,
            (_, "") => true,
            (false, rest) => has(document, below, rest),
            (true, rest) => lists.iter().any(|it| has(document, &it["items"], rest)),
        }
    })
}

/// The schema itself, and those that it is put together from.
fn parts<'d>(document: &'d Value, schema: &'d Value) -> Vec<&'d Value> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap_or_default();
        return parts(document, &document["components"]["schemas"][name]);
    }
    let mut all = vec![schema];
    for kind in ["allOf", "oneOf"] {
        let of = schema[kind].as_array().into_iter().flatten();
        all.extend(of.flat_map(|part| parts(document, part)));
    }
    all
}
