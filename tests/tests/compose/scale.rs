//! More replicas, fewer, other ones: while shoppers buy, without a failed request, and without a word to nginx.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use trestle::Stack;
use trestle_tests::pypi::must;
use trestle_tests::{Crowd, Shopper, good, within};

use crate::project::{Project, shared};

const SHOPPERS: usize = 4;

/// Names and images of the replicas that are ready.
fn replicas(project: &Project) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = project
        .containers()
        .into_iter()
        .filter(|container| crate::project::service(container) == "api")
        .map(|container| {
            assert_eq!(container["State"]["Health"]["Status"], "healthy");
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            (text(&container["Config"]["Hostname"]), text(&container["Image"]))
        })
        .collect();
    all.sort();
    all
}

/// Who answers through nginx, until all of these have.
async fn answer(stack: &Stack, wanted: &BTreeSet<String>, limit: Duration) -> Duration {
    let visitor = Shopper::visitor(&stack.url());
    let mut seen = BTreeSet::new();
    within(limit, "each replica answers", async || {
        let answer = visitor.get("/instance").await.expect(200);
        seen.insert(answer.replica().to_owned());
        wanted.is_subset(&seen).then_some(())
    })
    .await
    .1
}

#[tokio::test]
async fn from_two_replicas_to_four_and_back_without_a_failed_request() {
    let (_alone, project) = shared().await;
    let stack = project.stack().await;
    let goods = good(&stack, "compose-scale", 100_000).await;
    let crowd = Crowd::start(&stack, SHOPPERS, goods).await;
    let said = project.trestle(&["scale", "4"]);
    let after = answer(&stack, &names(&replicas(project)), Duration::from_secs(20)).await;
    assert_eq!(replicas(project).len(), 4, "{said}");
    crowd.buys(SHOPPERS * 2).await;
    let began = Instant::now();
    project.trestle(&["scale", "2"]);
    let drained = began.elapsed();
    assert_eq!(replicas(project).len(), 2);
    crowd.buys(SHOPPERS * 2).await;
    let told = crowd.stop().await;
    eprintln!(
        "scale 2 -> 4 -> 2: {} orders, {} failed requests; both new replicas answered {:.1} s after the command; drained in {:.1} s",
        told.paid,
        told.failed,
        after.as_secs_f32(),
        drained.as_secs_f32()
    );
    assert_eq!(told.failures_by_kind(), "", "{}", project.complaints());
    told.is_true(&stack).await;
}

fn names(replicas: &[(String, String)]) -> BTreeSet<String> {
    replicas.iter().map(|(name, _)| name.clone()).collect()
}

/// Counted from the moment at which the new container is healthy, with nginx never told of it.
#[tokio::test]
async fn a_new_replica_gets_traffic_within_three_seconds() {
    let (_alone, project) = shared().await;
    let stack = project.stack().await;
    let before = names(&replicas(project));
    project.must(&[
        "up",
        "--detach",
        "--no-build",
        "--no-recreate",
        "--no-deps",
        "--scale",
        "api=3",
        "api",
    ]);
    let visitor = Shopper::visitor(&stack.url());
    let mut healthy = None;
    let ((), _) = within(Duration::from_secs(30), "the new one answers", async || {
        let containers = project.containers();
        let ready = |container: &serde_json::Value| {
            crate::project::service(container) == "api" && container["State"]["Health"]["Status"] == "healthy"
        };
        if healthy.is_none() && containers.iter().filter(|container| ready(container)).count() == 3 {
            healthy = Some(Instant::now());
        }
        let answer = visitor.get("/instance").await.expect(200);
        (!before.contains(answer.replica())).then_some(())
    })
    .await;
    let took = healthy.map_or(Duration::ZERO, |at: Instant| at.elapsed());
    project.trestle(&["scale", "2"]);
    eprintln!(
        "a new replica answered {:.1} s after it was healthy",
        took.as_secs_f32()
    );
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn all_replicas_are_replaced_by_a_new_image_without_a_failed_request() {
    let (_alone, project) = shared().await;
    let stack = project.stack().await;
    let goods = good(&stack, "compose-roll", 100_000).await;
    let before = replicas(project);
    let crowd = Crowd::start(&stack, SHOPPERS, goods).await;
    let image = project.inspect(&project.replicas()[0])["Config"]["Image"]
        .as_str()
        .unwrap()
        .to_owned();
    rebuild(&image);
    let began = Instant::now();
    project.trestle(&["roll"]);
    let took = began.elapsed();
    crowd.buys(SHOPPERS * 2).await;
    let told = crowd.stop().await;
    let after = replicas(project);
    eprintln!(
        "rolling replacement of {} replicas in {:.1} s: {} orders, {} failed requests",
        after.len(),
        took.as_secs_f32(),
        told.paid,
        told.failed
    );
    assert_eq!(told.failures_by_kind(), "", "{}", project.complaints());
    assert_eq!(after.len(), before.len());
    assert!(names(&before).is_disjoint(&names(&after)));
    let images = |replicas: &[(String, String)]| -> BTreeSet<String> {
        replicas.iter().map(|(_, image)| image.clone()).collect()
    };
    assert_eq!(images(&after).len(), 1);
    assert!(
        images(&before).is_disjoint(&images(&after)),
        "they run the new image"
    );
    told.is_true(&stack).await;
}

/// Another image under the same name, as a build of a changed source is.
fn rebuild(image: &str) {
    let folder = tempfile::tempdir().unwrap();
    let lines = format!("FROM {image}\nLABEL org.opencontainers.image.revision=changed\n");
    std::fs::write(folder.path().join("Dockerfile"), lines).unwrap();
    must(
        Command::new("docker")
            .args(["build", "--quiet", "--tag", image])
            .arg(folder.path()),
    );
}

/// What `docker stop` does: SIGTERM to process 1, which drains and ends by itself. Several times, because what could go
/// wrong depends on when nginx asks DNS again: services/web/nginx/again.conf.template.
#[tokio::test]
async fn a_replica_that_is_stopped_drains_and_ends_well() {
    let (_alone, project) = shared().await;
    let stack = project.stack().await;
    let goods = good(&stack, "compose-stop", 100_000).await;
    let crowd = Crowd::start(&stack, SHOPPERS, goods).await;
    for replica in project.replicas().iter().cycle().take(4) {
        let name = format!("{}-{replica}", project.name);
        let began = Instant::now();
        must(Command::new("docker").args(["stop", &name]));
        let took = began.elapsed();
        assert_eq!(project.inspect(replica)["State"]["ExitCode"], 0);
        assert!(
            took > Duration::from_secs(3) && took < Duration::from_secs(20),
            "{took:?}"
        );
        crowd.buys(SHOPPERS).await;
        stack.restart_process(replica).await.unwrap();
    }
    let told = crowd.stop().await;
    assert_eq!(told.failures_by_kind(), "", "{}", project.complaints());
    told.is_true(&stack).await;
}
