//! From nothing to a shop, down, up again with everything, and gone; and tiers that come in any order.

use std::process::Command;
use std::time::{Duration, Instant};

use trestle_tests::pypi::must;
use trestle_tests::{Shopper, within};

use crate::project::{Project, shared};

/// A product that is in stock, bought by somebody who has just registered.
async fn buy(url: &str) -> (Shopper, String) {
    let customer = Shopper::customer(url).await;
    let list = customer.get("/products?in_stock=true&limit=1").await.expect(200);
    let product = customer
        .get(&format!("/products/{}", list.items()[0]["id"]))
        .await
        .expect(200);
    let variants = product.body["variants"].as_array().unwrap().iter();
    let variant = variants
        .filter(|variant| variant["in_stock"] == true)
        .find_map(|variant| variant["id"].as_u64())
        .unwrap();
    customer.put_in_cart(variant, 1).await.expect(200);
    let order = customer.order(variant, 1).await.expect(201);
    (customer, order.body["id"].as_str().unwrap().to_owned())
}

/// How many things of this kind the engine has of the project.
fn left(project: &Project, kind: &str) -> usize {
    let label = format!("label=com.docker.compose.project={}", project.name);
    let mut command = Command::new("docker");
    command.args([kind, "ls", "--quiet", "--filter", &label]);
    if kind == "container" {
        command.arg("--all");
    }
    must(&mut command).lines().count()
}

#[tokio::test]
async fn from_nothing_to_a_shop_that_keeps_its_data_until_it_is_told_not_to() {
    let (_alone, _) = shared().await;
    let project = Project::new("lifecycle");
    let cold = project.up();
    let shelf = Shopper::visitor(&project.url());
    let page = shelf.get("/products?limit=100").await.expect(200);
    assert_eq!(page.items().len(), 100, "it is filled");
    let front = reqwest::get(project.url()).await.unwrap();
    assert!(
        front.text().await.unwrap().contains("<html"),
        "the storefront is there"
    );
    let (mut customer, order) = buy(&project.url()).await;

    project.must(&["down", "--timeout", "40"]);
    assert_eq!((left(&project, "container"), left(&project, "network")), (0, 0));
    assert_eq!(left(&project, "volume"), 2);
    let warm = project.up();
    // The token is still good: so is the key that signed it. And the account, its password, and the order.
    let path = format!("/orders/{order}");
    assert_eq!(customer.get(&path).await.expect(200).body["state"], "paid");
    customer.log_in().await.expect(201);
    let stack = project.stack().await;
    let audit = stack.api_output(&["audit", "--settled"]).await.unwrap();
    assert!(
        audit.status.success(),
        "{}",
        String::from_utf8_lossy(&audit.stdout)
    );

    project.must(&["down", "--volumes", "--timeout", "40"]);
    for kind in ["container", "network", "volume"] {
        assert_eq!(left(&project, kind), 0, "{kind}");
    }
    eprintln!(
        "from nothing to healthy and filled in {:.1} s; up again with its data in {:.1} s",
        cold.as_secs_f32(),
        warm.as_secs_f32()
    );
}

/// As on a machine that starts all containers at its boot, in any order: the replicas first, MySQL a minute later, and
/// Redis never.
#[tokio::test]
async fn the_replicas_wait_for_mysql_and_need_no_redis() {
    let project = Project::new("order");
    project.must(&["run", "--rm", "--no-deps", "-T", "secrets"]);
    let began = Instant::now();
    // One after the other: named together, Compose would have web wait.
    for service in ["api", "web"] {
        project.must(&["up", "--detach", "--no-build", "--no-deps", service]);
    }
    let state = |name: &str| project.inspect(name)["State"].clone();
    // They say why they wait.
    within(
        Duration::from_secs(20),
        "the replica says what it waits for",
        async || {
            project
                .must(&["logs", "--no-color", "api"])
                .contains("\"waiting\"")
                .then_some(())
        },
    )
    .await;
    tokio::time::sleep(Duration::from_secs(60).saturating_sub(began.elapsed())).await;
    let front = reqwest::get(project.url()).await.unwrap();
    assert_eq!(front.status(), 200, "the storefront is there without an API");
    let visitor = Shopper::visitor(&project.url());
    // Nobody accepts before it is ready: nginx says so.
    visitor.get("/products").await.refused(502, "unavailable");

    // From here on it would disturb what others measure.
    let (_alone, _) = shared().await;
    project.must(&["up", "--detach", "--no-build", "--no-deps", "mysql"]);
    project.must(&["run", "--rm", "--no-deps", "-T", "migrate"]);
    within(Duration::from_secs(30), "both replicas are healthy", async || {
        let healthy = |name: &str| state(name)["Health"]["Status"] == "healthy";
        (healthy("api-1") && healthy("api-2")).then_some(())
    })
    .await;
    let (customer, order) = buy(&project.url()).await;
    for _ in 0..4 {
        customer.get(&format!("/orders/{order}")).await.expect(200);
    }
    for replica in ["api-1", "api-2"] {
        assert_eq!(
            project.inspect(replica)["RestartCount"],
            0,
            "it waited, and never ended"
        );
    }
    assert!(project.output(&["ps", "--quiet", "redis"]).stdout.is_empty());
}
