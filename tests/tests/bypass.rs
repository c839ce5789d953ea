//! The API with nginx bypassed, as behind a load balancer that sends `/api/` straight to it: what nginx does for it elsewhere
//! it does itself. Bytes are written by hand where an HTTP client would tidy them up.

use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use trestle::Stack;
use trestle_tests::{Answer, PASSWORD, Shopper, eventually, first_product};

static SHOP: OnceCell<Stack> = OnceCell::const_new();

/// The shop; its web tier is there for what the tests' helpers ask, and nothing here goes through it.
async fn shop() -> &'static Stack {
    SHOP.get_or_init(async || {
        Stack::builder()
            .replicas(1)
            .products(120)
            .env("TRESTLE_BEHIND_NGINX", "off")
            .env("TRESTLE_TRUSTED_PROXIES", "127.0.0.0/8, 10.20.0.0/16")
            .start()
            .await
            .unwrap()
    })
    .await
}

/// A visitor at the replica's own door.
async fn visitor() -> Shopper {
    Shopper::visitor(&door(shop().await))
}

fn door(shop: &Stack) -> String {
    format!("http://{}", shop.replicas()[0].address)
}

async fn connect() -> TcpStream {
    TcpStream::connect(shop().await.replicas()[0].address)
        .await
        .unwrap()
}

/// What is answered to these bytes until the end of the connection.
async fn exchange(bytes: &[u8]) -> Raw {
    let mut stream = connect().await;
    // It may be refused before it is all sent.
    stream.write_all(bytes).await.ok();
    Raw::read(&mut stream).await
}

/// An answer as it came.
#[derive(Debug)]
struct Raw {
    status: u16,
    head: String,
    body: Value,
}

impl Raw {
    async fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let reading = stream.read_to_end(&mut bytes);
        let outcome = tokio::time::timeout(Duration::from_secs(30), reading).await;
        outcome.expect("the connection is closed").expect("and not reset");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        Self {
            status: head
                .split(' ')
                .nth(1)
                .and_then(|status| status.parse().ok())
                .unwrap_or_default(),
            head: head.to_ascii_lowercase(),
            body: serde_json::from_str(body).unwrap_or(Value::Null),
        }
    }

    fn header(&self, name: &str) -> &str {
        let line = self
            .head
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_default()
    }

    /// A whole problem, as every refusal of the shop is one.
    #[track_caller]
    fn refused(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(
            (&self.body["status"], &self.body["code"]),
            (&json!(status), &json!(code))
        );
        assert_eq!(self.body["type"], format!("urn:trestle:problem:{code}"));
        for member in ["title", "detail"] {
            assert!(!self.body[member].as_str().unwrap().is_empty(), "{self:?}");
        }
        assert_eq!(self.body["request_id"], self.header("x-request-id"), "{self:?}");
        assert!(!self.header("x-request-id").is_empty());
        assert_eq!(self.header("trestle-replica"), "api-1");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
    }
}

/// `head` and what follows it, on a connection that ends with the answer.
fn request(line: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("{line}\r\nHost: shop.example\r\nConnection: close\r\n{headers}\r\n{body}").into_bytes()
}

#[tokio::test]
async fn a_sane_request_id_is_taken_and_any_other_replaced_and_the_log_has_it() {
    let visitor = visitor().await;
    let ask = async |id: &str| {
        let request = visitor.request(Method::GET, "/products");
        let answer = visitor.send(request.header("X-Request-Id", id)).await.expect(200);
        assert_eq!(answer.headers.get_all("x-request-id").iter().count(), 1);
        answer.header("x-request-id").to_owned()
    };
    let longest = "a".repeat(64);
    for good in ["till-4.order_9", &longest] {
        assert_eq!(ask(good).await, good);
    }
    let mut made = std::collections::HashSet::new();
    for bad in ["", "a b", "\"}", &"a".repeat(65)] {
        let id = ask(bad).await;
        assert!(
            id.len() >= 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{id}"
        );
        assert!(made.insert(id));
    }
    let log = shop().await.log("api-1");
    eventually("the request is in the log", async || {
        let log = std::fs::read_to_string(&log).unwrap();
        log.lines().any(|line| line.contains("till-4.order_9"))
    })
    .await;
}

/// The headers that nginx adds to every answer, out of its own configuration. Those that depend on something, and the policy
/// of its pages, are looked at by themselves.
fn of_nginx() -> Vec<(String, String)> {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../services/web/nginx/headers.conf.template");
    let template = std::fs::read_to_string(template).unwrap();
    let headers = template.lines().filter_map(|line| {
        let (name, value) = line
            .strip_prefix("add_header ")?
            .strip_suffix(" always;")?
            .split_once(' ')?;
        let depends = value.contains('$');
        (!depends).then(|| (name.to_ascii_lowercase(), value.trim_matches('"').to_owned()))
    });
    headers.collect()
}

fn is_guarded(answer: &Answer, what: &str) {
    let expected = of_nginx();
    assert!(expected.len() >= 6, "{expected:?}");
    for (name, value) in expected {
        assert_eq!(answer.header(&name), value, "{name} of {what}");
        assert_eq!(answer.headers.get_all(&name).iter().count(), 1);
    }
    let policy = answer.header("content-security-policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    // Who answers is the replica's name; by which program is nobody's business.
    assert_eq!(answer.header("server"), "");
    assert!(!answer.header("x-request-id").is_empty());
}

#[tokio::test]
async fn every_answer_has_the_headers_that_nginx_would_add() {
    let visitor = visitor().await;
    let list = visitor.get("/products").await.expect(200);
    is_guarded(&list, "a list");
    let known = visitor
        .request(Method::GET, "/products")
        .header("If-None-Match", list.header("etag"));
    is_guarded(&visitor.send(known).await.expect(304), "one that is known");
    is_guarded(
        &visitor.get("/products/999999999").await.expect(404),
        "what is not there",
    );
    is_guarded(&visitor.get("/nothing").await.expect(404), "no route");
    is_guarded(&visitor.get("/customers/me").await.expect(401), "a stranger");
    is_guarded(
        &visitor.post("/products", &json!({})).await.expect(405),
        "a method",
    );
    is_guarded(&visitor.get("/sitemap.xml").await.expect(200), "the sitemap");
    for method in [Method::HEAD, Method::OPTIONS] {
        is_guarded(
            &visitor.send(visitor.request(method, "/products")).await,
            "no body",
        );
    }
    // Where nginx is in front, a replica leaves them to it: they would cost each answer twice.
    let behind = Stack::builder().replicas(1).products(0).start().await.unwrap();
    let plain = Shopper::visitor(&door(&behind))
        .get("/products")
        .await
        .expect(200);
    for (name, _) in of_nginx() {
        assert_eq!(plain.header(&name), "", "{name}");
    }
    assert_eq!(plain.header("vary"), "");
}

#[tokio::test]
async fn transport_security_is_for_who_came_by_tls_and_only_a_trusted_proxy_says_so() {
    let visitor = visitor().await;
    let ask = async |scheme: &str| {
        let request = visitor
            .request(Method::GET, "/products")
            .header("X-Forwarded-Proto", scheme);
        visitor
            .send(request)
            .await
            .expect(200)
            .header("strict-transport-security")
            .to_owned()
    };
    assert_eq!(ask("https").await, "max-age=31536000");
    assert_eq!(ask("http").await, "");
    let strangers = Stack::builder()
        .replicas(1)
        .products(0)
        .env("TRESTLE_BEHIND_NGINX", "off");
    let strangers = strangers
        .env("TRESTLE_TRUSTED_PROXIES", "10.20.0.0/16")
        .start()
        .await
        .unwrap();
    let stranger = Shopper::visitor(&door(&strangers));
    let request = stranger
        .request(Method::GET, "/products")
        .header("X-Forwarded-Proto", "https");
    assert_eq!(
        stranger
            .send(request)
            .await
            .expect(200)
            .header("strict-transport-security"),
        ""
    );
}

#[tokio::test]
async fn bodies_addresses_and_headers_have_nginxs_limits() {
    shop().await;
    // A body of 64 KiB is read, and is no customer.
    let filled = |size: usize| format!("{{}}{}", " ".repeat(size - 2));
    let json = |size: usize| format!("Content-Type: application/json\r\nContent-Length: {size}\r\n");
    let post = "POST /api/v1/customers HTTP/1.1";
    let whole = exchange(&request(post, &json(65_536), &filled(65_536))).await;
    whole.refused(422, "validation_failed");
    exchange(&request(post, &json(65_537), &filled(65_537)))
        .await
        .refused(413, "payload_too_large");
    // Whatever asks, and before a byte of it is read.
    for line in [
        "GET /api/v1/products HTTP/1.1",
        "DELETE /api/v1/cart/items/7 HTTP/1.1",
    ] {
        exchange(&request(line, &json(1_000_000), ""))
            .await
            .refused(413, "payload_too_large");
    }
    // One that does not say how long it is.
    let chunk = format!("{:x}\r\n{}\r\n0\r\n\r\n", 70_000, filled(70_000));
    let chunked = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    exchange(&request(post, chunked, &chunk))
        .await
        .refused(413, "payload_too_large");

    let line = |size: usize| {
        let start = "/api/v1/products?q=";
        format!("GET {start}{} HTTP/1.1", "a".repeat(size - start.len()))
    };
    // Within the limit it is the search that says no.
    let long = exchange(&request(&line(8 * 1024), "", "")).await;
    long.refused(400, "invalid_request");
    assert_eq!(long.body["errors"][0]["field"], "q", "{long:?}");
    exchange(&request(&line(8 * 1024 + 1), "", ""))
        .await
        .refused(414, "invalid_request");

    let get = "GET /api/v1/products HTTP/1.1";
    let header = |size: usize| format!("X-Long: {}\r\n", "a".repeat(size - "X-Long".len()));
    assert_eq!(exchange(&request(get, &header(8 * 1024), "")).await.status, 200);
    exchange(&request(get, &header(8 * 1024 + 1), ""))
        .await
        .refused(431, "invalid_request");
    let all = header(8 * 1024).repeat(5);
    exchange(&request(get, &all, ""))
        .await
        .refused(431, "invalid_request");
    // More lines, and more bytes, than a replica takes in at all: hyper refuses them, in the shop's words.
    let many = "X-Many: 1\r\n".repeat(200);
    exchange(&request(get, &many, ""))
        .await
        .refused(431, "invalid_request");
    let endless = format!("GET /api/v1/products?q={} HTTP/1.1", "a".repeat(100_000));
    let endless = exchange(&request(&endless, "", "")).await;
    assert!([414, 431].contains(&endless.status), "{endless:?}");
    endless.refused(endless.status, "invalid_request");
}

#[tokio::test]
async fn what_is_no_request_is_refused_in_the_shops_words() {
    shop().await;
    for bytes in [
        "hello\r\n\r\n",
        "GET /api/v1/products\r\n\r\n",
        "GET /api/v1/products HTTP/9.9\r\nHost: a\r\n\r\n",
        "GET /api/v1/products HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET /api/v1/products HTTP/1.1\r\nHost: a\r\nA\u{1}: b\r\n\r\n",
        "GET /api/v1/products HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET /api/v1/products HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
        "POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    ] {
        let answer = exchange(bytes.as_bytes()).await;
        assert_eq!(answer.status, 400, "{bytes:?}: {answer:?}");
        answer.refused(400, "invalid_request");
    }
    // Answers that were asked for before it come first, each whole.
    let mut stream = connect().await;
    let good = "GET /api/v1/products/999999999 HTTP/1.1\r\nHost: a\r\n\r\n";
    stream
        .write_all(format!("{good}{good}hello\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert_eq!(text.matches("HTTP/1.1 404").count(), 2, "{text}");
    assert_eq!(text.matches("HTTP/1.1 400").count(), 1, "{text}");
    assert_eq!(text.matches("\"request_id\"").count(), 3, "{text}");
    // A program of the last century names no host.
    assert_eq!(
        exchange(b"GET /api/v1/products HTTP/1.0\r\n\r\n").await.status,
        200
    );
    // And a method that no route has is known to be one.
    for line in [
        "TRACE /api/v1/products HTTP/1.1",
        "BREW /api/v1/products HTTP/1.1",
    ] {
        let answer = exchange(&request(line, "", "")).await;
        answer.refused(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), "get, head, options");
    }
}

#[tokio::test]
async fn slow_clients_are_let_go_and_idle_ones_are_kept_longer_than_a_load_balancer_does() {
    shop().await;
    let head = "GET /api/v1/products HTTP/1.1\r\nHost: a\r\n";
    // A byte now and then is not enough: the head has to come to its end. The second request of a connection, too.
    let trickles = async |first: bool| {
        let mut stream = connect().await;
        if !first {
            whole_answer(&mut stream, head).await;
        }
        let began = Instant::now();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut byte = [0];
        loop {
            tokio::select! {
                ended = stream.read(&mut byte) => {
                    assert_eq!(ended.unwrap_or_default(), 0, "no answer to half a request");
                    break;
                }
                () = tokio::time::sleep(Duration::from_millis(500)) => {
                    stream.write_all(b"X").await.ok();
                }
            }
        }
        let took = began.elapsed().as_secs_f64();
        assert!((9.0..14.0).contains(&took), "{took} s");
    };
    // A body that stops half way.
    let stalls = async {
        let post = request(
            "POST /api/v1/customers HTTP/1.1",
            "Content-Type: application/json\r\nContent-Length: 100\r\n",
            "{",
        );
        let began = Instant::now();
        exchange(&post).await.refused(400, "invalid_request");
        let took = began.elapsed().as_secs_f64();
        assert!((4.0..9.0).contains(&took), "{took} s");
    };
    // Longer than the limit for a head, and than hyper's own.
    let idles = async {
        let mut stream = connect().await;
        for _ in 0..2 {
            whole_answer(&mut stream, head).await;
            tokio::time::sleep(Duration::from_secs(17)).await;
        }
        whole_answer(&mut stream, head).await;
    };
    // Asks and asks, and never reads.
    let deaf = async {
        let mut stream = connect().await;
        let began = Instant::now();
        let ask = "GET /api/v1/products?limit=100 HTTP/1.1\r\nHost: a\r\n\r\n".repeat(50);
        let outcome = loop {
            let asked = tokio::time::timeout(Duration::from_secs(40), stream.write_all(ask.as_bytes())).await;
            match asked {
                Ok(Ok(())) if began.elapsed() < Duration::from_secs(60) => {}
                outcome => break outcome,
            }
        };
        assert!(matches!(outcome, Ok(Err(_))), "it is let go: {outcome:?}");
        let took = began.elapsed().as_secs_f64();
        assert!((19.0..35.0).contains(&took), "{took} s");
    };
    tokio::join!(trickles(true), trickles(false), stalls, idles, deaf);
}

/// Asks and reads the answer to its end; the connection stays.
async fn whole_answer(stream: &mut TcpStream, head: &str) {
    stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    loop {
        let mut more = [0; 2048];
        let count = stream.read(&mut more).await.unwrap();
        assert_ne!(count, 0, "the connection is kept");
        bytes.extend_from_slice(&more[..count]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_ascii_lowercase();
            assert!(lower.starts_with("http/1.1 200"), "{head}");
            let length = lower
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.unwrap().parse().unwrap();
            if body.len() >= length {
                return;
            }
        }
    }
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes)
        .read_to_end(&mut plain)
        .unwrap();
    plain
}

#[tokio::test]
async fn reads_are_compressed_and_answers_with_tokens_never() {
    let visitor = visitor().await;
    let plain = visitor.get("/products").await.expect(200);
    assert_eq!(plain.header("content-encoding"), "");
    assert_eq!(plain.header("vary"), "Accept-Encoding");
    let ask = || {
        visitor
            .request(Method::GET, "/products")
            .header("Accept-Encoding", "gzip, br")
    };
    let packed = ask().send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let weak = packed.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(
        weak,
        format!("W/{}", plain.header("etag")),
        "other bytes that say the same"
    );
    let bytes = packed.bytes().await.unwrap();
    assert!(
        bytes.len() * 2 < plain.text.len(),
        "{} of {}",
        bytes.len(),
        plain.text.len()
    );
    assert_eq!(unpacked(&bytes), plain.text.as_bytes());
    let known = ask().header("If-None-Match", &weak).send().await.unwrap();
    assert_eq!(known.status(), 304);

    // Too small to be worth it, and a refusal of gzip.
    let small = visitor
        .request(Method::GET, "/cart")
        .header("Accept-Encoding", "gzip");
    assert_eq!(
        visitor.send(small).await.expect(200).header("content-encoding"),
        ""
    );
    let refusing = visitor
        .request(Method::GET, "/products")
        .header("Accept-Encoding", "gzip;q=0");
    assert_eq!(
        visitor
            .send(refusing)
            .await
            .expect(200)
            .header("content-encoding"),
        ""
    );

    let customer = Shopper::customer(&visitor.base).await;
    let login = json!({"email": customer.email, "password": PASSWORD});
    let login = customer
        .request(Method::POST, "/sessions")
        .header("Accept-Encoding", "gzip")
        .json(&login);
    let answer = customer.send(login).await.expect(201);
    assert_eq!(answer.header("content-encoding"), "");
    assert!(answer.body["access_token"].is_string());
}

#[tokio::test]
async fn a_load_balancer_is_believed_about_the_client_and_about_nothing_else() {
    let customer = Shopper::customer(&door(shop().await)).await;
    let guess = async |forwarded: &str| {
        let wrong = json!({"email": customer.email, "password": "a wrong password"});
        let request = customer
            .request(Method::POST, "/sessions")
            .header("X-Forwarded-For", forwarded);
        customer.send(request.json(&wrong)).await.status
    };
    // So many that the next attempt waits; of two that wait side by side, one of the same address is turned away.
    for _ in 0..9 {
        assert_eq!(guess("203.0.113.9").await, 401);
    }
    let both = async |one: &str, other: &str| {
        let (one, other) = tokio::join!(guess(one), guess(other));
        [one.min(other), one.max(other)]
    };
    // What a client says of itself comes first and is not believed, what the balancer saw comes last; it may name itself.
    assert_eq!(
        both("6.6.6.6, 203.0.113.9", "7.7.7.7, 203.0.113.9").await,
        [401, 429]
    );
    assert_eq!(
        both("203.0.113.9", "6.6.6.6, 203.0.113.9, 10.20.3.4").await,
        [401, 429]
    );
    assert_eq!(
        both("203.0.113.8, 203.0.113.9", "203.0.113.8, 203.0.113.10").await,
        [401, 401]
    );
    // The balancer hands on what a client says of the host; the Host header is the client's too, but leads here.
    let request = customer
        .request(Method::GET, "/sitemap.xml")
        .header("Host", "shop.example")
        .header("X-Forwarded-Host", "evil.example")
        .header("X-Forwarded-Proto", "https");
    let sitemap = customer.send(request).await.expect(200).text;
    assert!(
        sitemap.contains("https://shop.example/") && !sitemap.contains("evil"),
        "{sitemap}"
    );
    // So a page of another site cannot make itself the shop's own.
    let write = customer
        .http
        .put(format!("{}/api/v1/cart/items/1", customer.base))
        .header("Origin", "https://evil.example")
        .header("X-Forwarded-Host", "evil.example")
        .json(&json!({"quantity": 1}));
    customer.send(write).await.refused(403, "cross_origin");
}

#[tokio::test]
async fn a_customer_buys_without_nginx() {
    let shop = shop().await;
    let product = first_product(shop, 5).await;
    let variant = product["variants"][0]["id"].as_u64().unwrap();
    let customer = Shopper::customer(&door(shop)).await;
    customer.put_in_cart(variant, 2).await.expect(200);
    let order = customer.order(variant, 2).await.expect(201);
    assert_eq!(order.body["state"], "paid");
    let orders = customer.get("/orders").await.expect(200);
    assert_eq!(orders.items().len(), 1);
    is_guarded(&orders, "own orders");
    assert_eq!(orders.header("cache-control"), "private, no-store");
}
