//! `trestle-loadtest chaos` for real: a replica and Redis are killed while shoppers buy, nobody notices, and a report says so. And the
//! crowd of the fault tests, which is the same generator.

use std::time::{Duration, Instant};

use serde_json::Value;
use trestle::Stack;
use trestle_tests::{Crowd, good};

use crate::program::{Launched, folder, json, loadtest};

#[tokio::test]
async fn nobody_notices_a_killed_replica_or_redis_and_the_report_says_so() {
    let stack = Launched::up(2, 200).await;
    let (result, output) = folder(&stack.data, "result");
    let chaos = ["chaos", "--stack", &stack.driver(), "--output", &output];
    let load = ["--shoppers", "12", "--think", "0.2", "--seconds", "20"];
    let faults = ["--fault", "kill:api-1@4", "--fault", "kill:redis@12"];
    loadtest(&[&chaos[..], &load, &faults].concat())
        .await
        .ended_with(0);
    let refused = loadtest(&["chaos", "--stack", &stack.driver(), "--fault", "kill:api-9@4"])
        .await
        .ended_with(64);
    assert!(
        refused.text.contains("--fault") && refused.text.contains("api-1"),
        "{}",
        refused.text
    );

    let told = json(&result, "chaos.json");
    assert_eq!(told["outcome"], "passed");
    let faults = told["faults"].as_array().unwrap();
    let names: Vec<&Value> = faults.iter().map(|it| &it["struck"]["fault"]["name"]).collect();
    assert_eq!(names, ["api-1", "redis"]);
    for fault in faults {
        let noticed = &fault["noticed"];
        assert_eq!(
            (&noticed["failed"], &noticed["shed"]),
            (&0.into(), &0.into()),
            "{fault}"
        );
        assert!(noticed["orders"].as_u64().unwrap() > 0, "{fault}");
        assert!(
            noticed["recovered"].is_number() && fault["struck"]["healthy"].is_number(),
            "{fault}"
        );
    }
    assert_eq!(told["verification"]["violations"], Value::Array(Vec::new()));
    assert!(told["verification"]["orders"].as_u64().unwrap() > 0);
    assert!(told["audit"]["passed"].is_string(), "{}", told["audit"]);
    let page = std::fs::read_to_string(result.join("report.html")).unwrap();
    for shown in ["<svg", "kill api-1", "kill redis", "Passed"] {
        assert!(page.contains(shown), "{shown}");
    }
    for (table, rows) in [("faults.csv", 3), ("timeline.csv", 21)] {
        let lines = std::fs::read_to_string(result.join(table))
            .unwrap()
            .lines()
            .count();
        assert!(lines >= rows, "{table}: {lines}");
    }
}

#[tokio::test]
async fn a_crowd_that_buys_goes_on_when_a_replica_dies_and_was_told_the_truth() {
    let stack = Stack::builder().replicas(2).products(50).start().await.unwrap();
    let goods = good(&stack, "loadtest-crowd", 100_000).await;
    let crowd = Crowd::start(&stack, 4, goods).await;
    let killed = Instant::now();
    stack.kill("api-1").unwrap();
    crowd.buys(40).await;
    crowd.is_content_for(Duration::from_secs(2)).await;
    let told = crowd.stop().await;
    assert_eq!(told.failures_by_kind(), "");
    assert!(told.paid >= 48, "{}", told.paid);
    assert!(told.longest_pause(killed) > Duration::ZERO);
    told.is_true(&stack).await;

    // With no database nobody buys, and they are told so.
    let crowd = Crowd::start(&stack, 4, goods).await;
    let gone = Instant::now();
    stack.kill_and_hold("database").await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    stack.restart_process("database").await.unwrap();
    crowd.buys(8).await;
    crowd.is_content_for(Duration::from_secs(2)).await;
    let told = crowd.stop().await;
    assert!(
        told.failed > 0 && told.failures_by_kind().contains("503"),
        "{}",
        told.failures_by_kind()
    );
    assert!(
        told.longest_pause(gone) >= Duration::from_secs(1),
        "{:?}",
        told.longest_pause(gone)
    );
    told.is_true(&stack).await;
    stack.stop().await.unwrap();
}
