//! `run`, `compare` and `merge` as a person uses them, on a small shop.

use std::path::Path;

use trestle_tests::shop;

use crate::program::{folder, is_a_report, loadtest, result};

#[tokio::test]
async fn a_run_is_measured_verified_and_audited() {
    let stack = shop().await;
    let parent = tempfile::tempdir().unwrap();
    let (path, output) = folder(&parent, "run");
    // A stack of the library answers no command: the load is told the address, and nobody audits.
    let said = loadtest(&[
        "run",
        "--url",
        &stack.url(),
        "--shoppers",
        "20",
        "--think",
        "0.2",
        "--mix",
        "ordering",
        "--seconds",
        "6",
        "--warm-up",
        "2",
        "--reads-p99",
        "5000",
        "--writes-p99",
        "5000",
        "--logins-p99",
        "5000",
        "--output",
        &output,
    ])
    .await
    .ended_with(1);
    let result = result(&path);
    let verification = &result["verification"];
    assert_eq!(
        verification["violations"].as_array().unwrap().len(),
        0,
        "{}",
        said.text
    );
    assert!(verification["orders"].as_u64().unwrap() > 10, "{verification}");
    assert!(verification["carts"].as_u64().unwrap() > 10, "{verification}");
    assert_eq!(result["measured"]["failed"], 0, "{}", said.text);
    assert!(
        ["not_audited", "invalid"].contains(&result["outcome"].as_str().unwrap()),
        "{}",
        said.text
    );
    is_a_report(&path);
}

#[tokio::test]
async fn a_flash_sale_sells_exactly_what_was_there() {
    let stack = shop().await;
    let goods = trestle_tests::good(stack, "flash-sale", 20).await;
    let parent = tempfile::tempdir().unwrap();
    let (path, output) = folder(&parent, "flash");
    loadtest(&[
        "run",
        "--url",
        &stack.url(),
        "--flash",
        &goods.product.to_string(),
        "--buyers",
        "50",
        "--seconds",
        "20",
        "--reads-p99",
        "9000",
        "--writes-p99",
        "9000",
        "--logins-p99",
        "9000",
        "--no-audit",
        "--output",
        &output,
    ])
    .await;
    let result = result(&path);
    assert_eq!(
        result["measured"]["orders"], 20,
        "{}",
        result["measured"]["errors"]
    );
    assert_eq!(result["verification"]["violations"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn results_are_compared_and_refused_where_they_cannot_be() {
    let stack = shop().await;
    let parent = tempfile::tempdir().unwrap();
    for (name, shoppers) in [("a", "10"), ("b", "10"), ("c", "12")] {
        let (_, output) = folder(&parent, name);
        loadtest(&[
            "run",
            "--url",
            &stack.url(),
            "--shoppers",
            shoppers,
            "--think",
            "0.05",
            "--mix",
            "browsing",
            "--seconds",
            "4",
            "--warm-up",
            "1",
            "--no-audit",
            "--output",
            &output,
        ])
        .await;
    }
    let [a, b, c, to] = ["a", "b", "c", "to"].map(|name| folder(&parent, name).1);
    let said = loadtest(&["compare", &a, &b, "--output", &to])
        .await
        .ended_with(0);
    assert!(said.text.contains("reads p50"), "{}", said.text);
    is_there(&parent.path().join("to"));
    let said = loadtest(&["compare", &a, &c]).await.ended_with(64);
    assert!(
        said.text.contains("10") && said.text.contains("12"),
        "{}",
        said.text
    );
}

#[track_caller]
fn is_there(folder: &Path) {
    for name in ["report.html", "compare.json"] {
        assert!(folder.join(name).is_file(), "{name}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    for (arguments, named) in [
        (vec!["run", "--shoppers", "5", "--arrivals", "3"], "--arrivals"),
        (vec!["run", "--shape", "5:1,3:2"], "--shape"),
        (vec!["run", "--url", "ftp://shop"], "--url"),
        (vec!["run", "--only", "nothing"], "--only"),
        (vec!["run", "--flash", "1"], "--buyers"),
        (vec!["compare", "/nowhere", "/nowhere"], "/nowhere"),
    ] {
        let said = loadtest(&arguments).await;
        assert_ne!(said.code, Some(0), "{arguments:?}");
        assert!(said.text.contains(named), "{arguments:?}: {}", said.text);
    }
}
