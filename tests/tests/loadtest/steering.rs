//! The commands that steer a stack, each for real and short, on a small one.

use crate::program::{Launched, folder, is_a_report, json, loadtest, result};

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
    assert!(result["audit"]["passed"].is_string(), "{}", said.text);
    assert_eq!(
        result["verification"]["violations"],
        serde_json::json!([]),
        "{}",
        said.text
    );
    let probes = std::fs::read_to_string(path.join("probes.csv")).unwrap();
    assert_eq!(
        probes.lines().count(),
        3,
        "a head and a probe of each count: {}",
        said.text
    );
    is_a_report(&path);
    assert_eq!(stack.replicas().await, 1, "as before");
}

/// Points of half a second, and a load that one replica cannot carry: the group grows and shrinks again.
#[tokio::test]
async fn autoscale_adds_replicas_and_takes_them_away() {
    let stack = Launched::up(1, 100).await;
    let (path, output) = folder(&stack.data, "autoscale");
    let said = loadtest(&[
        "autoscale",
        "--stack",
        &stack.driver(),
        "--speedup",
        "120",
        "--in-after",
        "5",
        "--warm-up",
        "1",
        "--quota",
        "0.05",
        "--peak",
        "2",
        "--output",
        &output,
    ])
    .await;
    let result = &json(&path, "autoscale.json")["run"];
    assert!(result["audit"]["passed"].is_string(), "{}", said.text);
    assert_eq!(
        result["verification"]["violations"],
        serde_json::json!([]),
        "{}",
        said.text
    );
    is_a_report(&path);
    assert_eq!(stack.replicas().await, 1, "as before");
}

#[tokio::test]
async fn plan_says_how_many_cores_so_many_shoppers_need() {
    let stack = Launched::up(1, 100).await;
    let (path, output) = folder(&stack.data, "plan");
    let said = loadtest(&[
        "plan",
        "--shoppers",
        "500",
        "--quick",
        "--no-check",
        "--stack",
        &stack.driver(),
        "--output",
        &output,
    ])
    .await;
    let plan = json(&path, "plan.json");
    assert!(
        plan["audit"]["passed"].is_string() && plan["held"] == true,
        "{}",
        said.text
    );
    let demands = std::fs::read_to_string(path.join("demand.csv")).unwrap();
    assert!(demands.lines().count() > 16, "{demands}");
    is_a_report(&path);
}

#[tokio::test]
async fn bench_compares_the_shop_with_its_limits() {
    let parent = tempfile::tempdir().unwrap();
    let (path, output) = folder(&parent, "bench");
    let said = loadtest(&[
        "bench",
        "--rounds",
        "1",
        "--seconds",
        "0.3",
        "--only",
        "memory_hit,redis_hit,checkout,generator",
        "--output",
        &output,
    ])
    .await
    .ended_with(0);
    let result = json(&path, "bench.json");
    let comparisons = result["comparisons"].as_array().unwrap();
    assert_eq!(comparisons.len(), 4, "{}", said.text);
    for comparison in comparisons {
        assert!(comparison["ratio"].as_f64().unwrap() > 0.0, "{comparison}");
    }
    is_a_report(&path);
}
