//! Every container's death while shoppers buy: SIGKILL to the main process, from the host. Nothing that was acknowledged
//! is lost or doubled, and all of it comes back by itself.

use std::time::{Duration, Instant};

use trestle_tests::{Crowd, good, within};

use crate::project::{Project, shared};

const SHOPPERS: usize = 4;
/// After this long without a failed request all is well again.
const QUIET: Duration = Duration::from_secs(3);

/// The names of `trestle --compose`, each with its container's.
fn targets(project: &Project) -> Vec<(String, String)> {
    let replicas = project.replicas().into_iter().map(|name| (name.clone(), name));
    let others = [("redis", "redis-1"), ("nginx", "web-1"), ("database", "mysql-1")];
    replicas
        .chain(others.map(|(name, container)| (name.to_owned(), container.to_owned())))
        .collect()
}

/// When the main process began, as the engine says: another value is another process.
fn started(project: &Project, container: &str) -> String {
    project.inspect(container)["State"]["StartedAt"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn is_back(project: &Project, container: &str, before: &str) -> Duration {
    let ((), took) = within(Duration::from_secs(60), container, async || {
        let state = &project.inspect(container)["State"];
        (state["StartedAt"] != before && state["Health"]["Status"] == "healthy").then_some(())
    })
    .await;
    took
}

#[tokio::test]
async fn no_death_loses_or_doubles_an_acknowledged_order() {
    let (_alone, project) = shared().await;
    let stack = project.stack().await;
    let mut table = vec![format!(
        "{:<10} {:>7} {:>7} {:>12} {:>15}  failures by kind",
        "killed", "orders", "failed", "healthy in s", "longest pause s"
    )];
    // One replica stands for all.
    for (name, container) in targets(project).into_iter().skip(1) {
        let goods = good(&stack, "compose-faults", 100_000).await;
        let crowd = Crowd::start(&stack, SHOPPERS, goods).await;
        let before = started(project, &container);
        let killed = Instant::now();
        project.trestle(&["kill", &name]);
        let healthy = is_back(project, &container, &before).await;
        crowd.buys(SHOPPERS * 2).await;
        crowd.is_content_for(QUIET).await;
        let told = crowd.stop().await;
        table.push(format!(
            "{name:<10} {:>7} {:>7} {:>12.1} {:>15.1}  {}",
            told.paid,
            told.failed,
            healthy.as_secs_f32(),
            told.longest_pause(killed).as_secs_f32(),
            told.failures_by_kind()
        ));
        told.is_true(&stack).await;
        // The other replica and the database took over.
        if name.starts_with("api-") || name == "redis" {
            assert!(told.longest_pause(killed) < Duration::from_secs(10), "{name}");
        }
    }
    eprintln!("{}", table.join("\n"));
}

#[tokio::test]
async fn all_killed_at_once_come_back_without_a_hand() {
    let (_alone, project) = shared().await;
    let stack = project.stack().await;
    let goods = good(&stack, "compose-all", 100_000).await;
    let crowd = Crowd::start(&stack, SHOPPERS, goods).await;
    let all = targets(project);
    let before: Vec<String> = all
        .iter()
        .map(|(_, container)| started(project, container))
        .collect();
    let killed = Instant::now();
    let mut arguments = vec!["kill"];
    arguments.extend(all.iter().map(|(name, _)| name.as_str()));
    project.trestle(&arguments);
    for ((_, container), before) in all.iter().zip(&before) {
        is_back(project, container, before).await;
    }
    let healthy = killed.elapsed();
    crowd.buys(SHOPPERS * 2).await;
    crowd.is_content_for(QUIET).await;
    let told = crowd.stop().await;
    eprintln!(
        "all five killed at once: healthy after {:.1} s, longest pause {:.1} s, {} orders, {} failed requests",
        healthy.as_secs_f32(),
        told.longest_pause(killed).as_secs_f32(),
        told.paid,
        told.failed
    );
    told.is_true(&stack).await;
}
