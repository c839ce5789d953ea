//! How large it is: images on the disk, and each container's memory after shoppers have been there.

use std::process::Command;

use serde_json::Value;
use trestle_tests::pypi::must;
use trestle_tests::{Crowd, good};

use crate::project::{inspect, service, shared};

/// Bytes that docker counts against the container's limit, without the page cache that it could give back.
fn memory(name: &str) -> f64 {
    let format = "{{.MemUsage}}";
    let text = must(Command::new("docker").args(["stats", "--no-stream", "--format", format, name]));
    let used = text.split('/').next().unwrap().trim();
    let unit = used.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let factor = match unit {
        "B" => 1.0,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        other => panic!("what is {other}?"),
    };
    used.trim_end_matches(unit).parse::<f64>().unwrap() * factor / 1e6
}

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
