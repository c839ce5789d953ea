//! The commands that steer a stack, each for real and short, on a small one.

use std::path::Path;

use serde_json::Value;

use crate::program::{Launched, folder, loadtest, result};

#[track_caller]
fn is_a_report(folder: &Path) {
    let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(page.contains("<svg") && page.trim_end().ends_with("</html>"));
}

fn json(folder: &Path, name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}

/// With a stack that answers, the database is audited, and the load has an admin.
#[tokio::test]
async fn run_has_its_stack_audited() {
    let stack = Launched::up(2, 100).await;
    let (path, output) = folder(&stack.data, "run");
    let said = loadtest(&[
        "run",
        "--stack",
        &stack.driver(),
        "--shoppers",
        "20",
        "--think",
        "0.2",
        "--seconds",
        "4",
        "--warm-up",
        "1",
        "--reads-p99",
        "9000",
        "--writes-p99",
        "9000",
        "--logins-p99",
        "9000",
        "--output",
        &output,
    ])
    .await;
    let result = result(&path);
    assert!(result["audit"]["passed"].is_string(), "{}", said.text);
    assert_eq!(result["verification"]["violations"].as_array().unwrap().len(), 0);
    // On a busy machine the generator may have been late: that is said, and nothing else is wrong.
    let outcome = result["outcome"].as_str().unwrap();
    assert!(["passed", "invalid"].contains(&outcome), "{}", said.text);
    assert_eq!(said.code, Some(i32::from(outcome != "passed")));
    is_a_report(&path);
}

#[tokio::test]
async fn scale_out_probes_each_count_and_leaves_the_stack_as_it_was() {
    let stack = Launched::up(1, 100).await;
    let (path, output) = folder(&stack.data, "scale-out");
    let said = loadtest(&[
        "scale-out",
        "--stack",
        &stack.driver(),
        "--replicas",
        "1,2",
        "--rounds",
        "1",
        "--probe-seconds",
        "1",
        "--quota",
        "12",
        "--shoppers-per-replica",
        "6",
        "--output",
        &output,
    ])
    .await;
    let result = json(&path, "scale-out.json");
    let text = result.to_string();
    assert!(
        text.contains("probes") || text.contains("rounds"),
        "{}",
        said.text
    );
    assert!(path.join("probes.csv").is_file(), "{}", said.text);
    is_a_report(&path);
    let status = loadtest(&["run", "--stack", &stack.driver(), "--seconds", "0"]).await;
    assert!(status.text.contains("--seconds"), "{}", status.text);
}
