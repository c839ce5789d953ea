#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::problems::{by_code, is_problem};
use super::{command, text};
use crate::router;

/// Every operation of the document, with its method and path for messages.
fn operations() -> Vec<(String, Value)> {
    let document = router::document();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push((format!("{method} {path}"), operation.clone()));
        }
    }
    operations
}

#[test]
fn the_committed_copy_is_what_the_code_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let copy = std::fs::read_to_string(path).unwrap_or_default();
    let difference = command::difference(&copy, &text(&router::document()));
    assert_eq!(difference, None, "services/api/openapi.json");
}

#[test]
fn a_difference_names_the_line_and_what_to_run() {
    assert_eq!(command::difference("a\nb\n", "a\nb\n"), None);
    let told = command::difference("a\n b\n", "a\nc\n").unwrap();
    assert!(told.contains("line 2") && told.contains("make openapi"), "{told}");
    assert!(command::difference("", "a\n").unwrap().contains("(its end)"));
}

#[test]
fn every_operation_is_described() {
    let document = router::document();
    let tags: HashSet<_> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].clone())
        .collect();
    let mut ids = HashSet::new();
    for (name, operation) in operations() {
        assert!(
            operation["summary"].as_str().is_some_and(|text| !text.is_empty()),
            "{name}: no summary"
        );
        assert!(
            tags.contains(&operation["tags"][0]),
            "{name}: its tag is not in TAGS"
        );
        assert!(
            ids.insert(operation["operationId"].to_string()),
            "{name}: its operationId is there twice"
        );
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let described = parameter["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty());
            assert!(
                described || parameter["in"] != "path",
                "{name}: {parameter} is not described"
            );
        }
    }
}

#[test]
fn every_body_has_a_schema_and_an_example() {
    for (name, operation) in operations() {
        let mut bodies: Vec<_> = operation.get("requestBody").into_iter().collect();
        let mut good = 0;
        for (status, response) in operation["responses"].as_object().unwrap() {
            if status.starts_with('2') {
                good += 1;
                assert!(
                    status == "204" || response["content"].is_object(),
                    "{name}: {status} has no body type"
                );
            }
            bodies.push(response);
        }
        assert!(good > 0, "{name}: no answer of 2xx");
        for body in bodies {
            for content in body["content"]
                .as_object()
                .into_iter()
                .flat_map(|contents| contents.values())
            {
                assert!(content["schema"].is_object(), "{name}: a body without schema");
                let example = content.get("example").or_else(|| content.get("examples"));
                assert!(
                    example.is_some_and(|example| !example.is_null()),
                    "{name}: a body without example"
                );
            }
        }
    }
}

/// A code that no error has is a slip in an annotation; a new error needs a sample in problems.rs.
#[test]
fn every_problem_code_is_one_that_error_rs_makes() {
    let known = by_code();
    let mut wrong = BTreeSet::new();
    for (status, code, name) in problem_codes() {
        match known.get(&code) {
            None => wrong.insert(format!("{code} is unknown: {name}")),
            Some(sample) if sample["status"].as_u64() != status.parse().ok() => {
                wrong.insert(format!("{code} is not {status}: {name}"))
            }
            Some(_) => false,
        };
    }
    assert!(
        wrong.is_empty(),
        "annotations, or the samples in openapi/problems.rs: {wrong:#?}"
    );
}

/// Status, code and operation.
fn problem_codes() -> Vec<(String, String, String)> {
    let document = router::document();
    let mut codes = Vec::new();
    for (name, operation) in operations() {
        let responses = operation["responses"].as_object().unwrap();
        for (status, response) in responses.iter().filter(|(status, _)| is_problem(status)) {
            let shared = response["$ref"].as_str().unwrap().trim_start_matches('#');
            let schema = &document.pointer(shared).unwrap()["content"]["application/problem+json"]["schema"];
            for code in schema["properties"]["code"]["enum"].as_array().unwrap() {
                codes.push((status.clone(), code.as_str().unwrap().to_owned(), name.clone()));
            }
        }
    }
    codes
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value, document: &Value) {
        if let Some(target) = value["$ref"].as_str() {
            let found = document.pointer(target.trim_start_matches('#'));
            assert!(
                found.is_some(),
                "{target} is not there; a parameter's type needs #[param(inline)]"
            );
        }
        match value {
            Value::Object(members) => members.values().for_each(|member| walk(member, document)),
            Value::Array(items) => items.iter().for_each(|item| walk(item, document)),
            _ => {}
        }
    }
    let document = router::document();
    walk(&document, &document);
}
