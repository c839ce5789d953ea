//! Links (OpenAPI 3): which operations take the id that an answer brings. A program can follow them, and a test that walks
//! the API finds things that exist.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Adds to each list and each creation the operations on one of its things: those whose path goes on with `/{id}` and has
/// no other parameter.
pub fn add(document: &mut Value) {
    let paths = document["paths"].as_object().into_iter().flatten();
    let mut targets: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (path, item) in paths {
        let Some((list, rest)) = path.split_once("/{") else {
            continue;
        };
        let Some((name, rest)) = rest.split_once('}') else {
            continue;
        };
        let ids = item
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(_, operation)| operation["operationId"].as_str());
        if !rest.contains('{') {
            let target = targets.entry(list.to_owned()).or_default();
            target.extend(ids.map(|id| (id.to_owned(), name.to_owned())));
        }
    }
    for (list, targets) in targets {
        for (method, status, place) in [("get", "200", "/items/0"), ("post", "201", "")] {
            let pointer = format!("/paths/{}/{method}/responses/{status}", list.replace('/', "~1"));
            let Some(response) = document.pointer_mut(&pointer) else {
                continue;
            };
            for (operation, parameter) in &targets {
                let example = &response["content"]["application/json"]["example"];
                if example.pointer(&format!("{place}/{parameter}")).is_none() {
                    continue;
                }
                let value = format!("$response.body#{place}/{parameter}");
                response["links"][operation] =
                    json!({"operationId": operation, "parameters": {parameter: value}});
            }
        }
    }
}
