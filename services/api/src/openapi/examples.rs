//! Examples of bodies, made of the examples of the schemas that they are built of.

use serde_json::{Map, Value, json};

/// Deeper than any type of ours: a schema that holds itself ends here.
const DEEPEST: usize = 12;

/// Gives each JSON content of a request body or response an example, where it has none.
pub fn add(body: &mut Value, schemas: &Value) {
    let contents = body.get_mut("content").and_then(Value::as_object_mut);
    for (media, content) in contents.into_iter().flatten() {
        let has_one = content.get("example").is_some() || content.get("examples").is_some();
        if media == "application/json" && !has_one {
            content["example"] = of(&content["schema"], schemas, "", DEEPEST);
        }
    }
}

/// An example of a schema: its own, else one made of its parts. `name` is the field's, for a text that says nothing else.
fn of(schema: &Value, schemas: &Value, name: &str, depth: usize) -> Value {
    if let Some(own) = own(schema) {
        return own.clone();
    }
    if depth == 0 {
        return Value::Null;
    }
    if let Some(target) = schema["$ref"].as_str() {
        let target = target.rsplit('/').next().unwrap_or_default();
        return of(&schemas[target], schemas, name, depth - 1);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let mut whole = properties(schema, schemas, depth);
        for part in parts {
            match of(part, schemas, name, depth - 1) {
                Value::Object(part) => whole.extend(part),
                other => return other,
            }
        }
        return whole.into();
    }
    for choice in ["oneOf", "anyOf"] {
        let choices = schema[choice].as_array().into_iter().flatten();
        if let Some(choice) = choices.into_iter().find(|choice| choice["type"] != "null") {
            return of(choice, schemas, name, depth - 1);
        }
    }
    match kind(schema) {
        "object" => properties(schema, schemas, depth).into(),
        "array" => json!([of(&schema["items"], schemas, name, depth - 1)]),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(true),
        "string" => match schema["format"].as_str() {
            Some("uuid") => json!("0198c5a2-7d1e-7c3a-9b60-3f2a8d4e5b61"),
            Some("date-time") => json!("2026-03-14T15:09:26Z"),
            Some("date") => json!("2026-03-14"),
            None if name.ends_with("_at") => json!("2026-03-14T15:09:26Z"),
            _ => json!(name),
        },
        _ => Value::Null,
    }
}

fn own(schema: &Value) -> Option<&Value> {
    let given = schema.get("example").or_else(|| schema["examples"].get(0));
    given
        .or_else(|| schema.get("default"))
        .or_else(|| schema["enum"].get(0))
        .or_else(|| schema.get("const"))
}

/// The schema's type; of several the first that is not null.
fn kind(schema: &Value) -> &str {
    let several = schema["type"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let mut all = schema["type"].as_str().into_iter().chain(several);
    all.find(|kind| *kind != "null").unwrap_or_default()
}

fn properties(schema: &Value, schemas: &Value, depth: usize) -> Map<String, Value> {
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .map(|(name, property)| (name.clone(), of(property, schemas, name, depth - 1)))
        .collect()
}
