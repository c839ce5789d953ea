//! The generator itself, against a server with fixed answers: that it is not what is measured.

use serde_json::Value;

use crate::program::{folder, loadtest, result, stub};

const FREE: &str = "--no-verify";

#[tokio::test]
async fn ten_thousand_shoppers_fit_into_one_process() {
    let stub = stub(&[]).await;
    let parent = tempfile::tempdir().unwrap();
    let (path, output) = folder(&parent, "crowd");
    let said = loadtest(&[
        "run",
        "--url",
        &stub.url,
        "--shoppers",
        "10000",
        "--think",
        "14",
        "--with-sessions",
        "--accounts",
        "0",
        "--warm-up",
        "8",
        "--seconds",
        "8",
        "--no-audit",
        FREE,
        "--output",
        &output,
    ])
    .await;
    let result = result(&path);
    let client = &result["measured"]["client"];
    let memory = client["memory"].as_f64().unwrap() / 1e6;
    eprintln!(
        "10,000 shoppers: {memory:.0} MB, {}",
        said.text.lines().last().unwrap_or_default()
    );
    assert_eq!(client["connections"], 10_000, "{}", said.text);
    assert!(memory < 450.0, "{memory} MB");
    assert_eq!(result["measured"]["failed"], 0, "{}", said.text);
}

/// A server that stalls for two of ten seconds: one arrival in five waits, up to two seconds. Who counted from the moment
/// at which a free connection sent would see one slow answer.
#[tokio::test]
async fn a_stall_is_charged_for_everybody_who_would_have_come() {
    let stub = stub(&["--stall-after", "8", "--stall-for", "2"]).await;
    let parent = tempfile::tempdir().unwrap();
    let (path, output) = folder(&parent, "stalled");
    loadtest(&[
        "run",
        "--url",
        &stub.url,
        "--arrivals",
        "100",
        "--spread",
        "constant",
        "--only",
        "product_detail",
        "--with-sessions",
        "--accounts",
        "0",
        "--warm-up",
        "2",
        "--seconds",
        "10",
        "--no-audit",
        FREE,
        "--output",
        &output,
    ])
    .await
    .ended_with(1);
    let result = result(&path);
    let measured = &result["measured"];
    let p90 = measured["interactions"][0]["p90"].as_f64().unwrap();
    let p50 = measured["interactions"][0]["p50"].as_f64().unwrap();
    assert!(p90 > 700.0 && p50 < 500.0, "p50 {p50} ms, p90 {p90} ms");
    let limits = result["limits"].as_array().unwrap();
    let reads = limits.iter().find(|it| it["what"] == "reads p99").unwrap();
    assert_eq!(reads["holds"], false, "{reads}");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_the_number_that_would() {
    let said = loadtest(&[
        "run",
        "--url",
        "http://127.0.0.1:1",
        "--shoppers",
        "1000000",
        "--no-audit",
    ])
    .await
    .ended_with(64);
    let fits: Vec<u64> = said
        .text
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .filter(|number| (100..1_000_000).contains(number))
        .collect();
    assert!(!fits.is_empty(), "{}", said.text);
}

#[tokio::test]
async fn a_generator_that_cannot_keep_up_makes_the_run_invalid() {
    let stub = stub(&[]).await;
    let parent = tempfile::tempdir().unwrap();
    let (path, output) = folder(&parent, "overdriven");
    let said = loadtest(&[
        "run",
        "--url",
        &stub.url,
        "--arrivals",
        "18000",
        "--only",
        "product_detail",
        "--with-sessions",
        "--accounts",
        "0",
        "--warm-up",
        "1",
        "--seconds",
        "3",
        "--no-audit",
        FREE,
        "--output",
        &output,
    ])
    .await
    .ended_with(1);
    let result: Value = result(&path);
    assert_eq!(result["outcome"], "invalid", "{}", said.text);
}
