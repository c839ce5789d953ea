//! The profile `observability`: Prometheus finds the replicas as they come and go, and every panel shows something.
//!
//! Grafana itself is not started: its image cannot be had everywhere. `infra/observability/draw` asks what its panels ask.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use trestle::ports;
use trestle_tests::pypi::must;
use trestle_tests::{Crowd, Shopper, eventually, good, within};

use crate::project::{Project, read, shared, top};

/// The configuration, each alert shown to fire and not to, the dashboard's file.
#[test]
fn the_rules_are_right_and_each_alert_is_shown_to_fire() {
    let compose = read("docker-compose.yml");
    let mut images = compose
        .lines()
        .filter_map(|line| line.trim().strip_prefix("image: "));
    let image = images.find(|image| image.starts_with("prom/")).unwrap();
    let mut check = Command::new(top().join("infra/observability/check"));
    eprintln!("{}", must(check.env("PROMETHEUS_IMAGE", image)));
}

/// The answer's `data` to a question of Prometheus' API.
async fn ask(port: u16, path: &str) -> Option<Value> {
    let answer = reqwest::get(format!("http://127.0.0.1:{port}/api/v1/{path}"))
        .await
        .ok()?;
    let mut body: Value = answer.json().await.ok()?;
    Some(body["data"].take())
}

async fn replicas_up(port: u16) -> usize {
    let Some(data) = ask(port, "targets?state=active").await else {
        return 0;
    };
    let targets = data["activeTargets"].as_array().cloned().unwrap_or_default();
    let up = |target: &&Value| target["labels"]["job"] == "trestle-api" && target["health"] == "up";
    targets.iter().filter(up).count()
}

/// Prometheus beside the shared project, ended again.
struct Watched<'a>(&'a Project);

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.0.output(&[
            "--profile",
            "observability",
            "rm",
            "--stop",
            "--force",
            "prometheus",
        ]);
    }
}

#[tokio::test]
async fn prometheus_follows_the_replicas_and_every_panel_shows_something() {
    let (_alone, project) = shared().await;
    let port = ports::free(1).unwrap()[0];
    let mut start = project.compose(&[
        "--profile",
        "observability",
        "up",
        "--detach",
        "--wait",
        "--no-deps",
    ]);
    let _watched = Watched(project);
    must(start.arg("prometheus").env("PROMETHEUS_PORT", port.to_string()));
    let stack = project.stack().await;
    let goods = good(&stack, "compose-metrics", 100_000).await;
    let crowd = Crowd::start(&stack, 4, goods).await;
    // What the panels of logins and refused orders count.
    let mut customer = Shopper::customer(&stack.url()).await;
    customer.log_in().await.expect(201);
    let scarce = good(&stack, "compose-scarce", 1).await;
    customer
        .order(scarce.variant, 2)
        .await
        .refused(409, "out_of_stock");
    within(Duration::from_secs(30), "both replicas are scraped", async || {
        (replicas_up(port).await == 2).then_some(())
    })
    .await;
    project.trestle(&["scale", "3"]);
    eventually("the third is scraped", async || replicas_up(port).await == 3).await;
    crowd.buys(60).await;
    project.trestle(&["scale", "2"]);
    eventually("and no longer", async || replicas_up(port).await == 2).await;
    crowd.stop().await.is_true(&stack).await;
    let prometheus = format!("http://127.0.0.1:{port}");
    let draw = |arguments: &[&str]| {
        let mut command = Command::new(top().join("infra/observability/draw"));
        must(
            command
                .args(arguments)
                .args(["--prometheus", &prometheus, "--minutes", "3"]),
        )
    };
    eprintln!("{}", draw(&["check"]));
    let picture = trestle_tests::browser::target_folder().join("tmp/dashboard.svg");
    draw(&["svg", "--row", "Overview", picture.to_str().unwrap()]);
    let svg = std::fs::read_to_string(&picture).unwrap();
    assert!(
        svg.contains("<polyline") || svg.contains("<path"),
        "lines are drawn"
    );
    // The rules are loaded, and this shop is well.
    let alerts = ask(port, "rules?type=alert").await.unwrap();
    let firing: Vec<&Value> = alerts["groups"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap())
        .filter(|rule| rule["state"] == "firing")
        .map(|rule| &rule["name"])
        .collect();
    assert!(firing.is_empty(), "{firing:?}");
}
