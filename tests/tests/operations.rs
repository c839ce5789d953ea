//! What an operator sees: counts that move when things happen, log lines that say what a request cost, a log level that is
//! changed live, and the state of what a replica depends on.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Executor as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use trestle::{Replica, Stack};
use trestle_tests::{Answer, Shopper, eventually, first_product, sql, within};

static STACK: OnceCell<Stack> = OnceCell::const_new();
/// One test at a time: they share the stack, count, and break things.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

async fn shop() -> (&'static Stack, MutexGuard<'static, ()>) {
    let alone = ONE_AT_A_TIME.lock().await;
    let stack = STACK
        .get_or_init(async || {
            let stack = Stack::builder().replicas(2).products(100);
            stack.env("TRESTLE_SLOW_QUERY_MS", "300").start().await.unwrap()
        })
        .await;
    (stack, alone)
}

async fn ops(replica: &Replica, path: &str) -> reqwest::Response {
    reqwest::get(format!("http://{}{path}", replica.ops_address))
        .await
        .unwrap()
}

async fn put(replica: &Replica, path: &str, body: &str) -> (u16, String) {
    let url = format!("http://{}{path}", replica.ops_address);
    let answer = reqwest::Client::new()
        .put(url)
        .body(body.to_owned())
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// What the metrics of all replicas say, added up.
struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    async fn of(stack: &Stack) -> Self {
        let mut sums = BTreeMap::new();
        for replica in stack.replicas() {
            let page = ops(&replica, "/metrics").await.text().await.unwrap();
            for line in page.lines().filter(|line| !line.starts_with('#')) {
                let (series, value) = line.rsplit_once(' ').unwrap();
                *sums.entry(series.to_owned()).or_default() += value.parse::<f64>().unwrap();
            }
        }
        Self(sums)
    }

    /// The sum of the series of this name that have all these labels (`state="paid"`).
    fn get(&self, name: &str, labels: &[&str]) -> f64 {
        let of = |series: &str| {
            let (this, rest) = series.split_once('{').unwrap_or((series, ""));
            this == name && labels.iter().all(|label| rest.contains(label))
        };
        self.0
            .iter()
            .filter(|(series, _)| of(series))
            .map(|(_, value)| value)
            .sum()
    }
}

/// How much each of these grew while `work` was done.
async fn grown<T>(stack: &Stack, series: &[(&str, &[&str])], work: impl Future<Output = T>) -> (T, Vec<f64>) {
    let before = Metrics::of(stack).await;
    let done = work.await;
    let after = Metrics::of(stack).await;
    let grown = series
        .iter()
        .map(|(name, labels)| after.get(name, labels) - before.get(name, labels))
        .collect();
    (done, grown)
}

fn assert_all_grew(series: &[(&str, &[&str])], grown: &[f64]) {
    for ((name, labels), grown) in series.iter().zip(grown) {
        assert!(*grown >= 1.0, "{name} {labels:?} grew by {grown}");
    }
}

/// The lines of a replica's log that are about this request.
fn lines(stack: &Stack, request: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for replica in stack.replicas() {
        let log = std::fs::read_to_string(stack.log(&replica.name)).unwrap();
        let of = log.lines().filter(|line| line.contains(request));
        found.extend(of.map(|line| serde_json::from_str::<Value>(line).unwrap()));
    }
    found
}

async fn line(stack: &Stack, request: &str) -> Value {
    let found = async || {
        lines(stack, request)
            .into_iter()
            .find(|line| line["message"] == "request")
    };
    within(Duration::from_secs(5), "the request's line", found)
        .await
        .0
}

#[tokio::test]
async fn the_page_is_whole_and_no_client_can_add_to_its_labels() {
    let (stack, _alone) = shop().await;
    let visitor = Shopper::visitor(&stack.url());
    let raw = "123454321";
    for replica in stack.replicas() {
        let direct = visitor.at(&format!("http://{}", replica.address));
        direct.get(&format!("/products/{raw}")).await.expect(404);
        direct.get(&format!("/nothing/{raw}")).await.expect(404);
        let brew = Method::from_bytes(b"BREW").unwrap();
        direct
            .send(direct.request(brew, &format!("/products/{raw}")))
            .await;

        let answer = ops(&replica, "/metrics").await;
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
        let page = answer.text().await.unwrap();
        assert!(page.ends_with("# EOF\n") && !page.contains(raw) && !page.contains("BREW"));
        let mut described = BTreeMap::<&str, u32>::new();
        for line in page.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ").or(line.strip_prefix("# TYPE ")) {
                let (name, text) = rest.split_once(' ').unwrap();
                assert!(
                    name.starts_with("trestle_") || name.starts_with("process_"),
                    "{line}"
                );
                assert!(!text.is_empty(), "{line}");
                *described.entry(name).or_default() += 1;
            }
        }
        assert!(described.len() > 30, "{}", described.len());
        assert!(described.values().all(|times| *times == 2), "{described:?}");
        for wanted in [
            r#"route="/api/v1/products/{id}",method="GET",status="404""#,
            r#"route="/api/v1/products/{id}",method="other""#,
            r#"route="none",method="GET",status="404""#,
            "# UNIT trestle_http_request_duration_seconds seconds",
            r#"trestle_build_info{version=""#,
            "process_resident_memory_bytes ",
            "process_cpu_seconds_total ",
            "process_open_fds ",
            "process_start_time_seconds ",
        ] {
            assert!(page.contains(wanted), "{wanted}");
        }
    }
    let metrics = Metrics::of(stack).await;
    assert!(metrics.get("process_resident_memory_bytes", &[]) > 1e6);
    assert!(
        metrics.get("process_start_time_seconds", &[]) > 2e9,
        "two replicas"
    );
    assert!(metrics.get("trestle_ready", &[]) > 1.5);
    let age = metrics.get("trestle_change_feed_age_seconds", &[]);
    assert!(age > 0.0 && age < 4.0, "{age}");
    for limit in [
        "trestle_http_requests_in_flight_limit",
        "trestle_db_connections_limit",
        "trestle_cache_limit_bytes",
        "trestle_queue_limit",
    ] {
        assert!(metrics.get(limit, &[]) >= 2.0, "{limit}");
    }
}

#[tokio::test]
async fn a_buying_journey_moves_its_counts() {
    let (stack, _alone) = shop().await;
    let product = first_product(stack, 5).await;
    let variant = product["variants"][0]["id"].as_u64().unwrap();
    let scarce: u64 = sqlx::query_scalar("SELECT variant_id FROM stock WHERE on_hand < 90 LIMIT 1")
        .fetch_one(&mut sql(stack).await)
        .await
        .unwrap();
    let route = r#"route="/api/v1/orders",method="POST""#;
    let series: &[(&str, &[&str])] = &[
        ("trestle_http_requests_total", &[route, r#"status="201""#]),
        ("trestle_http_requests_total", &[route, r#"status="402""#]),
        ("trestle_http_requests_total", &[route, r#"status="409""#]),
        ("trestle_http_request_duration_seconds_count", &[route]),
        (
            "trestle_http_request_duration_seconds_bucket",
            &[route, r#"le="10.0""#],
        ),
        ("trestle_orders_total", &[r#"state="pending""#]),
        ("trestle_orders_total", &[r#"state="paid""#]),
        ("trestle_orders_total", &[r#"state="failed""#]),
        ("trestle_orders_total", &[r#"state="cancelled""#]),
        ("trestle_stock_conflicts_total", &[]),
        ("trestle_login_attempts_total", &[r#"outcome="succeeded""#]),
        ("trestle_login_attempts_total", &[r#"outcome="failed""#]),
        ("trestle_cache_reads_total", &[r#"layer="memory",result="hit""#]),
        ("trestle_cache_reads_total", &[r#"layer="memory",result="miss""#]),
        ("trestle_cache_reads_total", &[r#"layer="redis",result="hit""#]),
        ("trestle_cache_reads_total", &[r#"layer="redis",result="miss""#]),
        ("trestle_cache_reads_total", &[r#"layer="database",result="hit""#]),
        ("trestle_db_acquire_seconds_count", &[]),
        ("trestle_db_statement_duration_seconds_count", &[]),
        ("trestle_redis_calls_total", &[r#"outcome="ok""#]),
        ("trestle_redis_call_duration_seconds_count", &[]),
        ("trestle_sold_minor_units_total", &[r#"currency="USD""#]),
    ];
    let journey = async {
        let mut customer = Shopper::customer(&stack.url()).await;
        let wrong = json!({"email": customer.email, "password": "not the password"});
        customer
            .post("/sessions", &wrong)
            .await
            .refused(401, "unauthenticated");
        customer.log_in().await.expect(201);
        for _ in 0..6 {
            customer.get("/products?limit=7&sort=newest").await.expect(200);
        }
        let order = customer.order(variant, 2).await.expect(201).body;
        let declined = customer.order_request(variant, 1, "declined", "tok_decline");
        customer.send(declined).await.refused(402, "payment_declined");
        customer.order(scarce, 99).await.refused(409, "out_of_stock");
        let cancel = format!("/orders/{}/cancel", order["id"].as_str().unwrap());
        customer.post(&cancel, &json!({})).await.expect(200);
        order["total"]["amount"].as_f64().unwrap()
    };
    let (sold, grown) = grown(stack, series, journey).await;
    assert_all_grew(series, &grown);
    assert!((grown.last().unwrap() - sold).abs() < 0.5, "{grown:?} for {sold}");
    let (paid, pending) = (grown[6], grown[5]);
    assert!(
        (paid - 1.0).abs() < 0.1 && (pending - 2.0).abs() < 0.1,
        "{grown:?}"
    );
    let metrics = Metrics::of(stack).await;
    assert!(metrics.get("trestle_db_connections", &[]) >= 2.0);
    assert!(metrics.get("trestle_cache_entries", &[]) >= 1.0);
}

#[tokio::test]
async fn what_recovery_ends_is_counted() {
    let (stack, _alone) = shop().await;
    let customer = Shopper::customer(&stack.url()).await;
    let product = first_product(stack, 5).await;
    let variant = product["variants"][0]["id"].as_u64().unwrap();
    let before = Metrics::of(stack).await;
    let lost = customer.order_request(variant, 1, "timed-out", "tok_timeout");
    customer.send(lost).await.expect(202);
    eventually("recovery", async || {
        let after = Metrics::of(stack).await;
        let grew = |name, label| after.get(name, &[label]) - before.get(name, &[label]) >= 1.0;
        grew("trestle_recovered_orders_total", r#"outcome="failed""#)
            && grew("trestle_orders_total", r#"state="failed""#)
    })
    .await;
}

/// Somebody else holds the row for longer than a lock wait lasts (2 s).
#[tokio::test]
async fn a_lock_wait_is_retried_counted_and_named_in_the_log() {
    let (stack, _alone) = shop().await;
    let customer = Shopper::customer(&stack.url()).await;
    let product = first_product(stack, 5).await;
    let variant = product["variants"][0]["id"].as_u64().unwrap();
    let series: &[(&str, &[&str])] = &[
        ("trestle_db_transaction_retries_total", &[r#"error="1205""#]),
        ("trestle_db_slow_statements_total", &[]),
        ("trestle_http_requests_in_flight", &[]),
    ];
    let mut holder = sql(stack).await;
    holder.execute("START TRANSACTION").await.unwrap();
    sqlx::query("SELECT on_hand FROM stock WHERE variant_id = ? FOR UPDATE")
        .bind(variant)
        .execute(&mut holder)
        .await
        .unwrap();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = customer
        .order_request(variant, 1, "behind-a-lock", "tok_approve")
        .header("X-Request-Id", "slow-order-1")
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let before = Metrics::of(stack).await;
    let order = tokio::spawn({
        let customer = customer.clone();
        async move { customer.send(request).await }
    });
    tokio::time::sleep(Duration::from_millis(2600)).await;
    let during = Metrics::of(stack).await;
    holder.execute("ROLLBACK").await.unwrap();
    order.await.unwrap().expect(201);
    for (name, labels) in series {
        let grown = during.get(name, labels) - before.get(name, labels);
        assert!(grown >= 1.0, "{name} grew by {grown}");
    }
    let slow = within(Duration::from_secs(5), "the slow query's line", async || {
        lines(stack, "slow-order-1")
            .into_iter()
            .find(|line| line["message"] == "a slow query")
    });
    let slow = slow.await.0;
    assert!(slow["statement"].as_str().unwrap().contains("stock"), "{slow}");
    assert!(slow["micros"].as_u64().unwrap() > 1_500_000, "{slow}");
    assert_eq!(
        (&slow["level"], &slow["trace_id"]),
        (&json!("WARN"), &json!(trace))
    );
}

#[tokio::test]
async fn a_request_is_one_line_with_what_it_cost_and_its_trace() {
    let (stack, _alone) = shop().await;
    let customer = Shopper::customer(&stack.url()).await;
    let parent = "00f067aa0ba902b7";
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let request = customer
        .request(Method::GET, "/orders?limit=17")
        .header("X-Request-Id", "one-line-1")
        .header("traceparent", format!("00-{trace}-{parent}-01"));
    let answer = customer.send(request).await;
    let line = line(stack, "one-line-1").await;
    assert_eq!(line["method"], "GET");
    assert_eq!(line["route"], "/api/v1/orders");
    assert_eq!(line["status"], answer.status);
    assert_eq!(line["replica"], answer.replica());
    assert_eq!(line["trace_id"], trace);
    let span = line["span_id"].as_str().unwrap();
    assert!(span.len() == 16 && span != parent, "{span}");
    let micros = line["micros"].as_u64().unwrap();
    assert!(line["queries"].as_u64().unwrap() >= 1, "{line}");
    let elsewhere = line["query_micros"].as_u64().unwrap() + line["redis_micros"].as_u64().unwrap();
    assert!(elsewhere > 0 && elsewhere <= micros, "{line}");
    assert_eq!(lines(stack, "one-line-1").len(), 1);
    assert!(!line.to_string().contains("limit"));

    // A cart written goes to Redis, in a request whose caller names no trace, or none that is one.
    let product = first_product(stack, 5).await;
    let path = format!("/cart/items/{}", product["variants"][0]["id"]);
    for (id, given) in [("one-line-2", None), ("one-line-3", Some("00-nonsense-01"))] {
        let mut request = customer
            .request(Method::PUT, &path)
            .json(&json!({"quantity": 1}))
            .header("X-Request-Id", id);
        if let Some(given) = given {
            request = request.header("traceparent", given);
        }
        customer.send(request).await.expect(200);
        let line = self::line(stack, id).await;
        assert!(line["redis_calls"].as_u64().unwrap() >= 1, "{line}");
        let made = line["trace_id"].as_str().unwrap();
        assert!(made.len() == 32 && made.bytes().any(|b| b != b'0'), "{made}");
    }
}

#[tokio::test]
async fn no_line_of_any_log_holds_a_secret() {
    let (stack, _alone) = shop().await;
    for replica in stack.replicas() {
        assert_eq!(put(&replica, "/log", "trace").await.0, 200);
    }
    let mut customer = Shopper::customer(&stack.url()).await;
    let mut secrets = vec![stack.database_url(), "correct horse battery".to_owned()];
    let mut remember = |shopper: &Shopper| {
        secrets.extend(shopper.token.clone());
        secrets.extend(shopper.refresh_token.clone());
    };
    remember(&customer);
    customer.log_in().await.expect(201);
    remember(&customer);
    let refreshed = customer
        .post(
            "/sessions/refresh",
            &json!({"refresh_token": customer.refresh_token}),
        )
        .await;
    customer.keep_tokens(&refreshed);
    remember(&customer);
    let product = first_product(stack, 5).await;
    let variant = product["variants"][0]["id"].as_u64().unwrap();
    let put_in_cart = customer.put_in_cart(variant, 1).await.expect(200);
    for cookie in put_in_cart.headers.get_all("set-cookie") {
        let pair = cookie.to_str().unwrap().split(';').next().unwrap();
        secrets.extend(pair.split_once('=').map(|(_, value)| value.to_owned()));
    }
    customer.order(variant, 1).await.expect(201);
    customer
        .post(
            "/sessions",
            &json!({"email": "nobody@example.com", "password": "another secret phrase"}),
        )
        .await;
    secrets.push("another secret phrase".to_owned());
    // What cannot be read is refused, and not logged either.
    let spoilt = customer
        .request(Method::POST, "/sessions")
        .header("content-type", "application/json")
        .header("X-Request-Id", "the-last-one")
        .body(r#"{"password": "a spoilt secret"#);
    customer.send(spoilt).await.expect(400);
    secrets.push("a spoilt secret".to_owned());
    customer.delete("/sessions/current").await.expect(204);
    line(stack, "the-last-one").await;
    for replica in stack.replicas() {
        assert_eq!(put(&replica, "/log", "info").await.0, 200);
    }
    let key_file = stack
        .api()
        .unwrap()
        .1
        .iter()
        .find(|(name, _)| name == "TRESTLE_SECRETS_KEY_FILE");
    let keys = std::fs::read_to_string(&key_file.unwrap().1).unwrap();
    secrets.extend(
        keys.trim()
            .split([':', ','])
            .filter(|part| part.len() > 16)
            .map(str::to_owned),
    );
    assert!(
        secrets.len() > 10 && secrets.iter().all(|secret| secret.len() > 8),
        "{}",
        secrets.len()
    );
    let mut read = 0;
    for log in std::fs::read_dir(stack.data().join("logs")).unwrap() {
        let text = std::fs::read(log.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&text);
        read += text.len();
        for (number, secret) in secrets.iter().enumerate() {
            assert!(!text.contains(secret.as_str()), "secret {number} is in a log");
        }
    }
    assert!(read > 10_000, "{read}");
}

fn count_lines(log: &Path, message: &str) -> usize {
    let text = std::fs::read_to_string(log).unwrap();
    text.lines().filter(|line| line.contains(message)).count()
}

#[tokio::test]
async fn what_is_logged_is_shown_and_changed_live() {
    let (stack, _alone) = shop().await;
    let replica = stack.replicas().remove(0);
    let log = stack.log(&replica.name);
    let door = Shopper::visitor(&format!("http://{}", replica.address));
    let shown = async || -> Value { ops(&replica, "/log").await.json().await.unwrap() };
    assert_eq!(shown().await, json!({"filter": "info", "access": "on"}));

    let before = count_lines(&log, "\"DEBUG\"");
    assert_eq!(put(&replica, "/log", "info,sqlx=debug\n").await.0, 200);
    assert_eq!(shown().await["filter"], "info,sqlx=debug");
    eventually("lines of the level asked for", async || {
        count_lines(&log, "\"DEBUG\"") > before
    })
    .await;

    for (bad, named) in [
        ("verbse", "verbse"),
        ("sqlx=loud", "sqlx=loud"),
        ("", "neither a level"),
    ] {
        let (status, text) = put(&replica, "/log", bad).await;
        assert!(status == 400 && text.contains(named), "{bad}: {status} {text}");
    }
    assert_eq!(put(&replica, "/log", &"a".repeat(5000)).await.0, 413);
    assert_eq!(
        shown().await["filter"],
        "info,sqlx=debug",
        "a bad one changes nothing"
    );
    assert_eq!(put(&replica, "/log", "info").await.0, 200);

    let ask = async |id: &str| {
        let request = door
            .request(Method::GET, "/categories")
            .header("X-Request-Id", id);
        door.send(request).await.expect(200);
    };
    assert_eq!(put(&replica, "/log/access", "off").await.0, 200);
    ask("unlogged-1").await;
    assert_eq!(put(&replica, "/log/access", "perhaps").await.0, 400);
    assert_eq!(put(&replica, "/log/access", "on").await.0, 200);
    ask("logged-again-1").await;
    line(stack, "logged-again-1").await;
    assert_eq!(lines(stack, "unlogged-1").len(), 0);
}

#[tokio::test]
async fn readyz_names_what_is_lost_with_200_and_says_since_when() {
    let (stack, _alone) = shop().await;
    let replica = stack.replicas().remove(0);
    let readyz = async || -> (u16, Value) {
        let answer = ops(&replica, "/readyz").await;
        (answer.status().as_u16(), answer.json().await.unwrap())
    };
    let settled = async || {
        let (status, body) = readyz().await;
        let fine = |name: &str| body[name]["state"] == "ok" && body[name]["age_ms"].as_u64().unwrap() < 3000;
        assert_eq!(status, 200, "{body}");
        fine("database") && fine("change_feed") && fine("redis") && body["schema"]["state"] == "current"
    };
    eventually("all is well", settled).await;

    let shopper = Shopper::visitor(&format!("http://{}", replica.address));
    let product = first_product(stack, 5).await["variants"][0]["id"]
        .as_u64()
        .unwrap();
    let breaker = async |to: &str| {
        shopper.put_in_cart(product, 1).await.expect(200);
        let metrics = Metrics::of(stack).await;
        let changed = metrics.get("trestle_redis_breaker_transitions_total", &[to]) >= 1.0;
        (metrics.get("trestle_redis_breaker_open", &[]), changed)
    };
    stack.pause("redis").unwrap();
    eventually("Redis is named", async || {
        let (status, body) = readyz().await;
        assert_eq!(status, 200, "{body}");
        body["redis"]["state"] == "unreachable" && !body["redis"]["last_error"]["message"].is_null()
    })
    .await;
    eventually("the breaker opens", async || {
        let (open, changed) = breaker(r#"to="open""#).await;
        open >= 1.0 && changed
    })
    .await;
    stack.resume("redis").unwrap();
    // Without any traffic.
    eventually("Redis is back", settled).await;
    eventually("the breaker closes", async || {
        let (open, changed) = breaker(r#"to="closed""#).await;
        open < 0.5 && changed
    })
    .await;
    let closed = Metrics::of(stack).await;
    assert!(closed.get("trestle_redis_calls_total", &[r#"outcome="timed_out""#]) >= 1.0);

    stack.pause("database").unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let (status, body) = readyz().await;
    let age = Metrics::of(stack)
        .await
        .get("trestle_change_feed_age_seconds", &[]);
    stack.resume("database").unwrap();
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["database"]["state"], "unreachable", "{body}");
    assert_eq!(body["change_feed"]["state"], "late", "{body}");
    assert!(body["database"]["age_ms"].as_u64().unwrap() > 2000, "{body}");
    assert!(body["database"]["last_error"]["message"].is_string(), "{body}");
    assert!(age > 4.0, "two replicas, {age}");
    eventually("the database is back", settled).await;
}

#[tokio::test]
async fn the_operations_port_lists_its_pages_and_cannot_be_held_shut() {
    let (stack, _alone) = shop().await;
    let replica = stack.replicas().remove(0);
    let index = ops(&replica, "/").await.text().await.unwrap();
    for page in index.lines().filter_map(|line| line.split(' ').next()) {
        let status = ops(&replica, page).await.status().as_u16();
        assert!([200, 405].contains(&status), "{page}: {status}");
    }
    for page in ["/livez", "/readyz", "/metrics", "/log"] {
        assert!(index.contains(page), "{page}");
    }
    assert_eq!(ops(&replica, "/nothing").await.status(), 404);

    // As many as may connect, none of which comes to an end with its request.
    let mut held = Vec::new();
    for _ in 0..64 {
        let mut stream = TcpStream::connect(replica.ops_address).await.unwrap();
        stream
            .write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n")
            .await
            .unwrap();
        held.push(stream);
    }
    let began = Instant::now();
    let answer = tokio::time::timeout(Duration::from_secs(20), ops(&replica, "/livez")).await;
    assert_eq!(answer.unwrap().status(), 200, "after {:?}", began.elapsed());
}

#[tokio::test]
async fn a_web_page_in_an_operators_browser_is_refused() {
    let (stack, _alone) = shop().await;
    let replica = stack.replicas().remove(0);
    let http = reqwest::Client::new();
    let ask = async |method: Method, path: &str, name: &str, value: &str| {
        let url = format!("http://{}{path}", replica.ops_address);
        let request = http.request(method, url).header(name, value).body("info");
        request.send().await.unwrap().status().as_u16()
    };
    for (method, path) in [
        (Method::POST, "/caches/flush"),
        (Method::PUT, "/log"),
        (Method::GET, "/metrics"),
        (Method::GET, "/nothing"),
    ] {
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-origin"),
        ] {
            let status = ask(method.clone(), path, name, value).await;
            assert_eq!(status, 403, "{method} {path} {name}: {value}");
        }
    }
    // The address line of a browser.
    assert_eq!(ask(Method::GET, "/metrics", "sec-fetch-site", "none").await, 200);
    assert_eq!(ask(Method::PUT, "/log", "sec-fetch-site", "none").await, 200);
}

/// A replica that works on 34 requests at a time and hashes one password: 32 wait for that at most.
#[tokio::test]
async fn refusals_are_counted_by_reason_timed_and_say_when_to_come_back() {
    let (_, _alone) = shop().await;
    let stack = Stack::builder()
        .replicas(1)
        .products(10)
        .web(false)
        .env("TRESTLE_HASHES", "1")
        .env("TRESTLE_MAX_REQUESTS", "34")
        .start()
        .await
        .unwrap();
    let door = format!("http://{}", stack.replicas()[0].address);
    let customer = Shopper::customer(&door).await;
    let (variant, product): (u64, u64) = sqlx::query_as(
        "SELECT id, product_id FROM variants JOIN stock ON variant_id = id WHERE on_hand > 5 LIMIT 1",
    )
    .fetch_one(&mut sql(&stack).await)
    .await
    .unwrap();
    let product = format!("/products/{product}");
    let login = json!({"email": "nobody@example.com", "password": "correct horse battery"});
    let visitor = Shopper::visitor(&door);
    let logins = (0..100).map(|_| visitor.post("/sessions", &login));
    assert_refused(futures_util::future::join_all(logins).await, 20);

    // All places are taken by writes that wait for a lock; the line (4 for each place) is not enough for all who come.
    // What is in memory is answered meanwhile.
    customer.put_in_cart(variant, 1).await.expect(200);
    visitor.get(&product).await.expect(200);
    let mut holder = sql(&stack).await;
    holder.execute("START TRANSACTION").await.unwrap();
    holder.execute("SELECT id FROM carts FOR UPDATE").await.unwrap();
    let writes = (0..34).map(|_| customer.put_in_cart(variant, 2));
    let crowd = async {
        eventually("all places are taken", async || {
            Metrics::of(&stack)
                .await
                .get("trestle_http_requests_in_flight", &[])
                >= 34.0
        })
        .await;
        let reads = (0..700).map(|_| customer.get("/orders"));
        let from_memory = (0..100).map(async |_| visitor.get(&product).await.expect(200));
        let (answers, _) = tokio::join!(
            futures_util::future::join_all(reads),
            futures_util::future::join_all(from_memory),
        );
        holder.execute("ROLLBACK").await.unwrap();
        answers
    };
    let (_, crowd) = tokio::join!(futures_util::future::join_all(writes), crowd);
    assert_refused(crowd, 128);

    let metrics = Metrics::of(&stack).await;
    for (reason, at_least) in [(r#"reason="hashes""#, 20.0), (r#"reason="requests""#, 128.0)] {
        let all = metrics.get("trestle_http_refusals_total", &[reason]);
        assert!(all >= at_least, "{reason}: {all}");
        let timed = metrics.get("trestle_http_refusal_seconds_count", &[reason]);
        assert!((all - timed).abs() < 0.1, "{timed} of {all}");
    }
    // Who found the line full was told at once.
    let quick = [r#"reason="requests""#, r#"le="0.05""#];
    let quick = metrics.get("trestle_http_refusal_seconds_bucket", &quick);
    assert!(quick >= 100.0, "{quick} within 50 ms");
    stack.stop().await.unwrap();
}

fn assert_refused(answers: Vec<Answer>, at_least: usize) {
    let refused: Vec<_> = answers
        .into_iter()
        .filter(|answer| answer.status == 503)
        .collect();
    assert!(refused.len() >= at_least, "{} refused", refused.len());
    for answer in refused {
        let answer = answer.refused(503, "overloaded");
        assert_eq!(answer.header("retry-after"), "1");
    }
}
