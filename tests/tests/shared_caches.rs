//! `TRESTLE_CACHE_CATALOG_SECONDS`: what caches that many share may keep, which is the catalogue, for as long as was said, and
//! nothing that is anybody's.

use reqwest::Method;
use trestle::Stack;
use trestle_tests::{Shopper, first_product};

const SHARED: &str = "public, max-age=0, s-maxage=10";

/// Everything in the catalogue that is the same for all who ask.
fn catalogue(product: u64) -> Vec<String> {
    let of = |path: &str| path.replace("{id}", &product.to_string());
    [
        "/products",
        "/products?q=wool&limit=3",
        "/products?sort=price_asc&limit=3",
        "/products/best-sellers",
        "/products/new",
        "/products/{id}",
        "/products/{id}/related",
        "/products/{id}/reviews",
        "/categories",
    ]
    .map(of)
    .to_vec()
}

#[tokio::test]
async fn catalogue_answers_may_be_shared_and_nobodys_own_may() {
    let stack = Stack::builder()
        .replicas(1)
        .products(30)
        .env("TRESTLE_CACHE_CATALOG_SECONDS", "10");
    let stack = stack.start().await.unwrap();
    let product = first_product(&stack, 3).await;
    let id = product["id"].as_u64().unwrap();
    let variant = product["variants"][0]["id"].as_u64().unwrap();
    let customer = Shopper::customer(&stack.url()).await;
    customer.put_in_cart(variant, 1).await.expect(200);
    let order = customer.order(variant, 1).await.expect(201);
    assert_eq!(order.header("cache-control"), "private, no-store");

    for path in catalogue(id) {
        // From the database, then from memory; whoever asks.
        for shopper in [&Shopper::visitor(&stack.url()), &customer] {
            let answer = shopper.get(&path).await.expect(200);
            assert_eq!(answer.header("cache-control"), SHARED, "{path}");
            // It would count against the ten seconds, though no shared cache has had it for so long.
            assert_eq!(answer.header("age"), "", "{path}");
            assert_eq!(answer.header("set-cookie"), "", "{path}");
            let known = shopper
                .request(Method::GET, &path)
                .header("If-None-Match", answer.header("etag"));
            assert_eq!(
                shopper.send(known).await.expect(304).header("cache-control"),
                SHARED,
                "{path}"
            );
        }
    }
    let order = order.body["id"].as_str().unwrap();
    for path in [
        "/cart",
        "/customers/me",
        "/customers/me/addresses",
        "/sessions",
        "/orders",
        &format!("/orders/{order}"),
        &format!("/products/{id}/reviews/mine"),
        "/instance",
        "/products/999999999",
        "/products?limit=0",
        "/admin/products",
    ] {
        let answer = customer.get(path).await;
        let says = answer.header("cache-control");
        assert!(
            says.contains("no-store") && !says.contains("public"),
            "{path}: {says:?}"
        );
    }
    // It names the host that was asked for, which a shared cache may not go by.
    assert_eq!(
        customer
            .get("/sitemap.xml")
            .await
            .expect(200)
            .header("cache-control"),
        "no-cache"
    );
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_past_its_bound_is_not_shared() {
    let stack = Stack::builder()
        .replicas(1)
        .products(10)
        .env("TRESTLE_CACHE_CATALOG_SECONDS", "10");
    let stack = stack.start().await.unwrap();
    let visitor = Shopper::visitor(&stack.url());
    visitor.get("/products").await.expect(200);
    stack.kill_and_hold("database").await.unwrap();
    let stale = async || {
        let answer = visitor.get("/products").await;
        answer.header("cache-status").contains("stale").then_some(answer)
    };
    let limit = std::time::Duration::from_secs(30);
    let (answer, _) = trestle_tests::within(limit, "a stale answer", stale).await;
    assert_eq!(answer.header("cache-control"), "no-cache");
}

#[tokio::test]
async fn without_it_each_answer_is_asked_for_again_and_thirty_seconds_are_the_most() {
    let stack = Stack::builder().replicas(1).products(10).start().await.unwrap();
    let visitor = Shopper::visitor(&stack.url());
    for path in catalogue(1) {
        let answer = visitor.get(&path).await.expect(200);
        assert_eq!(answer.header("cache-control"), "no-cache", "{path}");
        assert_ne!(answer.header("age"), "", "{path}");
    }
    for wrong in ["31", "-1", "ten"] {
        let mut command = stack.api_command(&["serve"]).unwrap();
        let output = command
            .env("TRESTLE_CACHE_CATALOG_SECONDS", wrong)
            .output()
            .await
            .unwrap();
        assert_eq!(output.status.code(), Some(64));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("TRESTLE_CACHE_CATALOG_SECONDS"), "{said}");
    }
    // What it relaxes is said where it is set.
    let help = stack.api_output(&["serve", "--help"]).await.unwrap();
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let words: Vec<_> = help.split_whitespace().collect();
    let help = words.join(" ");
    for bound in ["a product 1 s", "lists 5 s", "best sellers 60 s"] {
        assert!(help.contains(bound), "{bound}");
    }
}
