//! The write stop on the operations port: nothing of a replica is written any more, reads go on, and what was under way comes
//! to its end and is waited for.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Executor as _;
use trestle::Stack;
use trestle_api::router;
use trestle_tests::{Shopper, eventually, first_product, sql};

struct Operator<'a> {
    stack: &'a Stack,
    http: reqwest::Client,
}

impl<'a> Operator<'a> {
    fn of(stack: &'a Stack) -> Self {
        let http = reqwest::Client::new();
        Self { stack, http }
    }

    /// Tells every replica; what the last one says.
    async fn writes(&self, body: &Value) -> (u16, Value) {
        let mut last = (0, Value::Null);
        for replica in self.stack.replicas() {
            let request = self
                .http
                .put(format!("http://{}/writes", replica.ops_address))
                .json(body);
            let answer = request.send().await.unwrap();
            last = (answer.status().as_u16(), answer.json().await.unwrap());
        }
        last
    }

    async fn under_way(&self) -> u64 {
        let mut sum = 0;
        for replica in self.stack.replicas() {
            let url = format!("http://{}/writes", replica.ops_address);
            let state: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
            sum += state["under_way"].as_u64().unwrap();
        }
        sum
    }

    /// What the tables hold.
    async fn tables(&self) -> Value {
        let output = self.stack.api_output(&["audit", "--json"]).await.unwrap();
        let audit: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(audit["holds"], true, "{audit}");
        audit["tables"].clone()
    }
}

/// Every operation of the OpenAPI document that changes something.
fn writes() -> Vec<(Method, String)> {
    let document = router::document();
    let mut writes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|name| *name != "get") {
            let Ok(method) = method.to_uppercase().parse::<Method>() else {
                continue;
            };
            let filled = path
                .replace("{id}", "1")
                .replace("{variant_id}", "1")
                .replace("{code}", "TEN");
            if ["POST", "PUT", "PATCH", "DELETE"].contains(&method.as_str()) {
                writes.push((method, filled));
            }
        }
    }
    assert!(writes.len() > 20, "{writes:?}");
    writes
}

#[tokio::test]
async fn while_writes_are_stopped_nothing_is_written_and_reads_go_on() {
    let stack = Stack::builder().replicas(2).products(30).start().await.unwrap();
    let operator = Operator::of(&stack);
    let product = first_product(&stack, 5).await;
    let variant = product["variants"][0]["id"].as_u64().unwrap();
    let customer = Shopper::customer(&stack.url()).await;
    customer.put_in_cart(variant, 2).await.expect(200);
    // One whose payment nobody has heard of: recovery would end it within seconds.
    let order = customer
        .send(customer.order_request(variant, 1, "lost", "tok_lost"))
        .await
        .expect(202)
        .body;

    let (status, state) = operator.writes(&json!({"writes": "off"})).await;
    assert_eq!((status, &state["writes"]), (200, &json!("off")), "{state}");
    eventually("nothing is under way", async || operator.under_way().await == 0).await;
    let untouched = operator.tables().await;
    for (method, path) in writes() {
        for shopper in [&Shopper::visitor(&stack.url()), &customer] {
            let mut request = shopper
                .http
                .request(method.clone(), format!("{}{path}", shopper.base));
            if let Some(token) = &shopper.token {
                request = request.bearer_auth(token);
            }
            let answer = shopper
                .send(request.json(&json!({})))
                .await
                .refused(503, "maintenance");
            assert_eq!(answer.header("retry-after"), "10", "{method} {path}");
        }
    }
    assert_eq!(operator.tables().await, untouched);
    for path in [
        "/products",
        "/categories",
        "/cart",
        "/orders",
        "/customers/me",
        "/instance",
    ] {
        customer.get(path).await.expect(200);
    }
    // Recovery would take it now, and is given the time for it.
    sql(&stack)
        .await
        .execute("UPDATE orders SET settle_by = UTC_TIMESTAMP(6)")
        .await
        .unwrap();
    let before = operator.tables().await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let id = order["id"].as_str().unwrap();
    assert_eq!(
        customer.get(&format!("/orders/{id}")).await.expect(200).body["state"],
        "pending"
    );
    assert_eq!(operator.tables().await, before);

    operator.writes(&json!({"writes": "on"})).await;
    customer.put_in_cart(variant, 3).await.expect(200);
    eventually("the order is recovered", async || {
        customer.get(&format!("/orders/{id}")).await.expect(200).body["state"] == "paid"
    })
    .await;
    assert_ne!(operator.tables().await, before);

    for wrong in [
        json!({}),
        json!({"writes": "no"}),
        json!({"writes": "off", "reads": "off"}),
        json!([]),
    ] {
        let (status, said) = operator.writes(&wrong).await;
        assert!([400, 422].contains(&status), "{wrong}: {said}");
    }
    customer.put_in_cart(variant, 2).await.expect(200);
}

#[tokio::test]
async fn an_order_that_is_being_paid_is_waited_for_and_so_is_a_payment_that_comes_late() {
    let stack = Stack::builder().replicas(1).products(30).start().await.unwrap();
    let operator = Operator::of(&stack);
    let product = first_product(&stack, 5).await;
    let variant = product["variants"][0]["id"].as_u64().unwrap();
    let customer = Shopper::customer(&stack.url()).await;
    assert_eq!(operator.under_way().await, 0);

    let slow = customer.send(customer.order_request(variant, 1, "slow", "tok_slow"));
    let stop = async {
        eventually("it is under way", async || operator.under_way().await > 0).await;
        let (_, state) = operator.writes(&json!({"writes": "off"})).await;
        assert!(state["under_way"].as_u64().unwrap() > 0, "{state}");
    };
    let (order, ()) = tokio::join!(slow, stop);
    assert_eq!(order.expect(201).body["state"], "paid");
    eventually("it has ended", async || operator.under_way().await == 0).await;

    // Of an order that was answered, the gateway may still write its books: 9 to 13 s after the charge.
    operator.writes(&json!({"writes": "on"})).await;
    let late = customer
        .send(customer.order_request(variant, 1, "late", "tok_late"))
        .await;
    assert_eq!(late.expect(202).body["state"], "pending");
    operator.writes(&json!({"writes": "off"})).await;
    assert!(operator.under_way().await > 0);
    eventually("the gateway has written", async || {
        operator.under_way().await == 0
    })
    .await;
    let before = operator.tables().await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(operator.tables().await, before);
}

#[tokio::test]
async fn a_replica_can_start_without_taking_writes() {
    let stack = Stack::builder()
        .replicas(1)
        .products(10)
        .env("TRESTLE_WRITES", "off")
        .start()
        .await
        .unwrap();
    let visitor = Shopper::visitor(&stack.url());
    visitor.get("/products").await.expect(200);
    visitor.put_in_cart(1, 1).await.refused(503, "maintenance");
    let (_, state) = Operator::of(&stack).writes(&json!({"writes": "on"})).await;
    assert_eq!(state["writes"], "on");
    visitor.put_in_cart(1, 1).await.expect(200);
}
