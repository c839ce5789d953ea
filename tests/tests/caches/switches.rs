//! Each layer switched on and off while the shop is open.

use std::process::Stdio;
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::json;
use sqlx::Connection as _;
use trestle::Stack;
use trestle_api::cache::key::{CHANGE_SEEN, LIST_BOUND};
use trestle_tests::{Shopper, eventually, within};

use super::fixture::{
    SLACK, a_change_is_seen_everywhere, alone, caches, doors, first_variant, operate, operations, products,
    quantity, switch, switch_at,
};

/// How old a replica's knowledge of ended sessions may be.
const TRUSTED_FOR: Duration = Duration::from_secs(2);

/// From the list to the paid order, the cart looked at on every replica.
async fn a_customer_buys(shop: &Stack, product: u64) {
    let customer = Shopper::customer(&shop.url()).await;
    let variant = first_variant(shop, product).await;
    let list = customer.get("/products?in_stock=true&limit=5").await.expect(200);
    assert_eq!(list.items().len(), 5);
    let shown = customer
        .get(&format!("/products/{product}"))
        .await
        .expect(200)
        .body;
    for pieces in [1, 2] {
        let put = customer.put_in_cart(variant, pieces).await.expect(200);
        for door in doors(shop) {
            let cart = customer.at(&door.base).get("/cart").await.expect(200);
            assert_eq!(cart.body, put.body);
            assert_eq!(cart.body["items"][0]["price"], shown["variants"][0]["price"]);
        }
    }
    let cart = customer.get("/cart").await.expect(200).body;
    let body = json!({
        "items": [{"variant_id": variant, "quantity": 2}],
        "address_id": customer.address_id,
        "payment_token": "tok_approve",
        "expected_total": cart["total"],
    });
    let key = uuid::Uuid::new_v4().to_string();
    let request = customer
        .request(Method::POST, "/orders")
        .header("Idempotency-Key", key);
    let order = customer.send(request.json(&body)).await.expect(201).body;
    assert_eq!(
        (&order["state"], &order["total"]),
        (&json!("paid"), &cart["total"])
    );
    let path = format!("/orders/{}", order["id"].as_str().unwrap());
    for door in doors(shop) {
        let customer = customer.at(&door.base);
        assert_eq!(quantity(&customer.get("/cart").await.expect(200)), 0);
        assert_eq!(customer.get(&path).await.expect(200).body["state"], "paid");
    }
}

#[tokio::test]
async fn customers_buy_and_see_changes_with_every_combination_of_layers() {
    let (shop, _alone) = alone().await;
    let product = products(shop, 1).await[0];
    let combinations = [
        ("on", "on", "memory; hit"),
        ("on", "off", "memory; hit"),
        ("off", "on", "redis; hit"),
        ("off", "off", "memory; fwd=bypass"),
    ];
    for (memory, redis, repeated) in combinations {
        switch(shop, &json!({"memory": memory, "redis": redis})).await;
        a_customer_buys(shop, product).await;
        a_change_is_seen_everywhere(shop, product).await;
        let door = &doors(shop)[0];
        eventually(
            &format!("{repeated} with memory {memory}, Redis {redis}"),
            async || {
                let answer = door.get(&format!("/products/{product}")).await.expect(200);
                let status = answer.header("cache-status");
                // A layer that is off is not named, unless to say that none was asked.
                assert!(redis == "on" || !status.contains("redis"), "{status}");
                assert!(memory == "on" || !status.contains("memory") || status == "memory; fwd=bypass");
                status == repeated
            },
        )
        .await;
        let breaker = &door.get("/instance").await.expect(200).body["cache"]["redis"]["breaker"];
        assert_eq!(breaker, if redis == "on" { "closed" } else { "off" });
    }
    let audit = shop.api_output(&["audit", "--settled"]).await.unwrap();
    assert!(
        audit.status.success(),
        "{}",
        String::from_utf8_lossy(&audit.stdout)
    );
}

/// What was changed while Redis was not told is not read from it afterwards: by nobody, with whatever cookie.
#[tokio::test]
async fn what_redis_missed_while_it_was_off_is_not_read_when_it_is_on_again() {
    let (shop, _alone) = alone().await;
    let product = products(shop, 2).await[1];
    let variant = first_variant(shop, product).await;
    let first = Shopper::customer(&shop.url()).await;
    first.put_in_cart(variant, 1).await.expect(200);
    // The other device's cookie names the cart as it is now.
    let mut second = Shopper::visitor(&shop.url());
    second.email.clone_from(&first.email);
    second.log_in().await.expect(201);
    eventually("Redis has the cart", async || {
        second.get("/cart").await.expect(200).header("cache-status") == "redis; hit"
    })
    .await;
    a_change_is_seen_everywhere(shop, product).await;
    switch(shop, &json!({"redis": "off"})).await;
    first.put_in_cart(variant, 9).await.expect(200);
    a_change_is_seen_everywhere(shop, product).await;
    let newest = doors(shop)[0]
        .get(&format!("/products/{product}"))
        .await
        .expect(200)
        .body;
    switch(shop, &json!({"redis": "on"})).await;
    for port in operations(shop) {
        operate(Client::new().post(format!("{port}/caches/flush?layer=memory")))
            .await
            .expect(200);
    }
    for door in doors(shop) {
        assert_eq!(
            door.get(&format!("/products/{product}")).await.expect(200).body,
            newest
        );
        // The one with the older cookie first: the other's look tells Redis. The replicas tell each other within the bound.
        let older = second.at(&door.base);
        within(
            CHANGE_SEEN + SLACK,
            "the other device sees the cart",
            async || {
                let seen = quantity(&older.get("/cart").await.expect(200));
                (seen == 9).then_some(())
            },
        )
        .await;
        assert_eq!(quantity(&first.at(&door.base).get("/cart").await.expect(200)), 9);
    }
}

/// A database that can be read and takes no word of lost carts: customers stay logged in, and it is told later.
#[tokio::test]
async fn tokens_are_believed_while_the_feed_cannot_be_told_of_lost_carts() {
    let (shop, _alone) = alone().await;
    let variant = first_variant(shop, products(shop, 2).await[1]).await;
    let first = Shopper::customer(&shop.url()).await;
    let mut database = sqlx::MySqlConnection::connect(&shop.database_root_url())
        .await
        .unwrap();
    let told = async |database: &mut sqlx::MySqlConnection| -> i64 {
        let count = "SELECT COUNT(*) FROM trestle.changes WHERE kind = 'carts'";
        sqlx::query_scalar(count).fetch_one(database).await.unwrap()
    };
    let refuse = "CREATE TRIGGER trestle.refuse_carts BEFORE INSERT ON trestle.changes FOR EACH ROW
        BEGIN IF NEW.kind = 'carts' THEN SIGNAL SQLSTATE '45000'; END IF; END";
    sqlx::raw_sql(refuse).execute(&mut database).await.unwrap();
    let before = told(&mut database).await;
    let (door, port) = (&doors(shop)[0], &operations(shop)[0]);
    switch_at(port, &json!({"redis": "off"})).await;
    let at_door = first.at(&door.base);
    at_door.put_in_cart(variant, 1).await.expect(200);
    let began = Instant::now();
    while began.elapsed() < TRUSTED_FOR * 2 {
        at_door.get("/customers/me").await.expect(200);
    }
    assert_eq!(told(&mut database).await, before);
    sqlx::raw_sql("DROP TRIGGER trestle.refuse_carts")
        .execute(&mut database)
        .await
        .unwrap();
    eventually("the feed is told", async || told(&mut database).await > before).await;
    switch_at(port, &json!({"redis": "on"})).await;
}

#[tokio::test]
async fn a_flush_empties_a_layer_and_nothing_goes_back_in_time() {
    let (shop, _alone) = alone().await;
    let product = products(shop, 1).await[0];
    let path = format!("/products/{product}");
    let (door, port) = (&doors(shop)[0], &operations(shop)[0]);
    a_change_is_seen_everywhere(shop, product).await;
    let before = door.get(&path).await.expect(200).body;
    eventually("Redis has something", async || {
        caches(port).await["redis"]["calls"]["ok"].as_u64() > Some(0)
    })
    .await;
    let http = Client::new();
    let flush = async |query: &str| operate(http.post(format!("{port}/caches/flush{query}"))).await;

    let only = flush("?layer=memory").await.expect(200).body;
    assert!(
        only["memory"]["entries"].as_u64() >= Some(1) && only["redis"].is_null(),
        "{only}"
    );
    let again = door.get(&path).await.expect(200);
    assert_eq!(
        (again.header("cache-status"), &again.body),
        ("redis; hit, memory; fwd=miss", &before)
    );

    // What is not a cached answer stays.
    super::fixture::tell_redis(shop, &["SET", "trestle:failures:1", "1"]).await;
    super::fixture::tell_redis(shop, &["SET", "others", "1"]).await;
    let both = flush("").await.expect(200).body;
    assert!(both["redis"]["keys"].as_u64() >= Some(1), "{both}");
    assert_eq!(caches(port).await["memory"]["entries"], 0);
    let again = door.get(&path).await.expect(200);
    let status = "redis; fwd=miss, memory; fwd=miss";
    assert_eq!((again.header("cache-status"), &again.body), (status, &before));
    let client = trestle_api::cache::redis::client(&shop.redis_url().unwrap()).unwrap();
    let mut link = client.get_multiplexed_async_connection().await.unwrap();
    let kept: u64 = redis::cmd("EXISTS")
        .arg(&["trestle:failures:1", "others"])
        .query_async(&mut link)
        .await
        .unwrap();
    assert_eq!(kept, 2);
    // Floors outlive it all.
    assert!(caches(port).await["memory"]["floors"].as_u64() >= Some(1));
}

#[tokio::test]
async fn redis_alone_carries_reads_through_an_outage_of_the_database() {
    let (shop, _alone) = alone().await;
    switch(shop, &json!({"memory": "off"})).await;
    let path = "/products?limit=9";
    let door = &doors(shop)[0];
    eventually("Redis has the list", async || {
        door.get(path).await.expect(200).header("cache-status") == "redis; hit"
    })
    .await;
    shop.pause("database").unwrap();
    tokio::time::sleep(LIST_BOUND + Duration::from_secs(1)).await;
    let stale = door.get(path).await;
    shop.resume("database").unwrap();
    let stale = stale.expect(200);
    assert_eq!(stale.header("cache-status"), "redis; hit; detail=stale");
    assert!(stale.header("age").parse::<u64>().unwrap() >= LIST_BOUND.as_secs());
    eventually("the list is fresh again", async || {
        let answer = door.get(path).await;
        answer.status == 200 && !answer.header("cache-status").contains("stale")
    })
    .await;
}

#[tokio::test]
async fn the_switches_refuse_what_they_do_not_know() {
    let (shop, _alone) = alone().await;
    let port = &operations(shop)[1];
    let http = Client::new();
    let put = async |body: &'static str| {
        let request = http
            .put(format!("{port}/caches"))
            .header("Content-Type", "application/json");
        operate(request.body(body)).await
    };
    for body in [
        r#"{"memory": "off", "disk": "on"}"#,
        r#"{"memory": "maybe"}"#,
        r#"{"redis": "true"}"#,
    ] {
        let answer = put(body).await.expect(422);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.code(), "validation_failed", "{body}");
    }
    put("memory=off").await.expect(400);
    // Nothing of it was done.
    assert_eq!(caches(port).await["memory"]["state"], "on");
    for query in ["?layer=disk", "?level=memory"] {
        let answer = operate(http.post(format!("{port}/caches/flush{query}"))).await;
        assert_eq!(answer.expect(400).code(), "invalid_request", "{query}");
    }
    // One layer alone leaves the other as it is.
    switch_at(port, &json!({"memory": "off"})).await;
    assert_eq!(caches(port).await["redis"]["state"], "on");
    // No proxy leads here.
    Shopper::visitor(&shop.url()).get("/caches").await.expect(404);
}

#[tokio::test]
async fn the_configuration_says_which_layers_are_on_at_the_start() {
    let (shop, _alone) = alone().await;
    let free = || {
        std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
    };
    let start = |with: &[(&str, &str)]| {
        let (listen, ops) = (free().to_string(), free().to_string());
        let mut command = shop.api_command(&["serve"]).unwrap();
        command
            .env("TRESTLE_LISTEN", listen)
            .env("TRESTLE_OPS_LISTEN", &ops)
            .env("TRESTLE_LINGER_SECONDS", "0")
            .envs(with.iter().copied())
            .stdout(Stdio::null());
        if with.iter().any(|(name, _)| *name == "TRESTLE_CACHE_MIB") {
            command.env_remove("TRESTLE_REDIS_URL");
        }
        (command.spawn().unwrap(), format!("http://{ops}"))
    };
    let up = async |port: &str| {
        eventually("the replica is up", async || {
            Client::new().get(format!("{port}/livez")).send().await.is_ok()
        })
        .await;
    };
    let (off, port) = start(&[("TRESTLE_CACHE_MEMORY", "off"), ("TRESTLE_CACHE_REDIS", "off")]);
    up(&port).await;
    let state = caches(&port).await;
    assert_eq!(
        (&state["memory"]["state"], &state["redis"]["state"]),
        (&json!("off"), &json!("off"))
    );
    switch_at(&port, &json!({"memory": "on", "redis": "on"})).await;
    drop(off);

    // What is not there cannot be switched on.
    let (bare, port) = start(&[("TRESTLE_CACHE_MIB", "0")]);
    up(&port).await;
    let state = caches(&port).await;
    assert_eq!(
        (&state["memory"]["state"], &state["redis"]["state"]),
        (&json!("off"), &json!("none"))
    );
    for (layer, variable) in [("memory", "TRESTLE_CACHE_MIB"), ("redis", "TRESTLE_REDIS_URL")] {
        let request = Client::new()
            .put(format!("{port}/caches"))
            .json(&json!({layer: "on"}));
        let refused = operate(request).await.expect(422);
        assert!(
            refused.body["detail"].as_str().unwrap().contains(variable),
            "{}",
            refused.text
        );
    }
    drop(bare);
}
