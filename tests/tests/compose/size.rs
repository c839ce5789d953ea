//! How large it is: images on the disk, and each container's memory after shoppers have been there.

use serde_json::Value;
use trestle::Compose;
use trestle_tests::{Crowd, good};

use crate::project::{inspect, service, shared};

#[tokio::test]
async fn the_shop_is_as_small_as_was_promised() {
    let (_alone, project) = shared().await;
    let stack = project.stack().await;
    let goods = good(&stack, "compose-size", 100_000).await;
    let crowd = Crowd::start(&stack, 8, goods).await;
    crowd.buys(80).await;
    crowd.stop().await.is_true(&stack).await;
    let mut table = vec![format!(
        "{:<8} {:>9} {:>9} {:>9}",
        "service", "memory MB", "limit MB", "image MB"
    )];
    let mut sum = 0.0;
    let mut running: Vec<Value> = project.containers();
    running.retain(|container| container["State"]["Running"] == true);
    let status = Compose::project(&project.name).status().unwrap();
    let memory = |name: &str| {
        let log = format!("docker logs {name}");
        let row = status.processes.iter().find(|row| row.log == log).unwrap();
        assert!(row.memory > 0, "{name}: docker does not say");
        #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^53")]
        let megabytes = row.memory as f64 / 1e6;
        megabytes
    };
    for container in &running {
        let name = container["Name"].as_str().unwrap().trim_start_matches('/');
        let image = inspect(&[container["Image"].as_str().unwrap().to_owned()]).remove(0);
        let megabytes = |value: &Value| value.as_f64().unwrap() / 1e6;
        let (used, limit) = (memory(name), megabytes(&container["HostConfig"]["Memory"]));
        let size = megabytes(&image["Size"]);
        table.push(format!(
            "{:<8} {used:>9.0} {limit:>9.0} {size:>9.0}",
            service(container)
        ));
        sum += used;
        assert_eq!(
            container["State"]["OOMKilled"], false,
            "{name}: {limit:.0} MB were too little"
        );
        if service(container) == "api" {
            assert!(size < 110.0, "the image has {size:.0} MB");
        }
    }
    table.push(format!("{:<8} {sum:>9.0}", "all"));
    let binary = project.must(&[
        "exec",
        "-T",
        "api",
        "stat",
        "-c",
        "%s",
        "/usr/local/bin/trestle-api",
    ]);
    let binary: f64 = binary.trim().parse().unwrap();
    table.push(format!("trestle-api itself: {:.1} MB", binary / 1e6));
    eprintln!("{}", table.join("\n"));
    assert!(sum < 700.0 && binary < 25e6);
}

/// What a reader of `docker image inspect` finds.
#[tokio::test]
async fn images_say_what_they_are_of() {
    let (_alone, project) = shared().await;
    for container in ["web-1", &project.replicas()[0]] {
        let labels = &project.inspect(container)["Config"]["Labels"];
        for label in ["title", "description", "licenses", "version", "revision"] {
            let label = format!("org.opencontainers.image.{label}");
            assert!(
                labels[&label].as_str().is_some_and(|text| !text.is_empty()),
                "{label}"
            );
        }
        assert_eq!(
            labels["org.opencontainers.image.version"],
            env!("CARGO_PKG_VERSION")
        );
    }
}
