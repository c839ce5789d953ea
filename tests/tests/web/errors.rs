//! nginx's own errors speak as the API does: problem+json with a code, the request's id and, where it helps, when to
//! try again.

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::front::{Front, Wish, start};
use crate::replica::{Does, Replica};

/// Sends the bytes and gives the answer up to the end of the connection.
pub async fn exchange(front: &Front, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(front.http).await.unwrap();
    // nginx may answer and close before it has read everything.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn is_problem(answer: &str, status: u16, code: &str, case: &str) {
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("{case}: {answer}"));
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{case}: {head}");
    let header = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    };
    assert_eq!(header("Content-Type"), Some("application/problem+json"), "{case}");
    assert_eq!(header("Cache-Control"), Some("no-store"), "{case}");
    let wait = (status == 502).then_some("1");
    assert_eq!(header("Retry-After"), wait, "{case}");
    let problem: Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["type"], format!("urn:trestle:problem:{code}"), "{case}");
    assert_eq!(problem["code"], code, "{case}");
    assert_eq!(problem["status"], status, "{case}");
    assert_eq!(problem["request_id"].as_str(), header("X-Request-Id"), "{case}");
    assert!(
        problem["title"].is_string() && problem["detail"].is_string(),
        "{case}"
    );
}

#[tokio::test]
async fn what_breaks_a_limit_is_refused_in_the_apis_words() {
    let replica = Replica::start(Does::Answer).await;
    let front = start(Wish {
        replicas: &[&replica],
        ..Wish::default()
    })
    .await;
    let rest = "Host: localhost\r\nConnection: close\r\n";
    let long = "a".repeat(9000);
    let post = |path: &str, length: usize| {
        let body = "a".repeat(length);
        format!("POST {path} HTTP/1.1\r\n{rest}Content-Length: {length}\r\n\r\n{body}")
    };
    let kilobyte = "a".repeat(1000);
    let many: String = (0..40).fold(String::new(), |all, n| all + &format!("X-{n}: {kilobyte}\r\n"));
    for (case, request, status, code) in [
        (
            "large body",
            post("/api/v1/orders", 65_537),
            413,
            "payload_too_large",
        ),
        ("large body to a page", post("/", 1025), 413, "payload_too_large"),
        (
            "long address",
            format!("GET /api/v1/products?q={long} HTTP/1.1\r\n{rest}\r\n"),
            414,
            "invalid_request",
        ),
        (
            "long header",
            format!("GET /api/v1/products HTTP/1.1\r\n{rest}X-Long: {long}\r\n\r\n"),
            431,
            "invalid_request",
        ),
        (
            "many headers",
            format!("GET /api/v1/products HTTP/1.1\r\n{rest}{many}\r\n"),
            431,
            "invalid_request",
        ),
        (
            "no host",
            "GET /api/v1/products HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned(),
            400,
            "invalid_request",
        ),
        (
            "trace",
            format!("TRACE /api/v1/products HTTP/1.1\r\n{rest}\r\n"),
            405,
            "method_not_allowed",
        ),
        ("post to a page", post("/", 2), 405, "method_not_allowed"),
    ] {
        is_problem(&exchange(&front, request.as_bytes()).await, status, code, case);
    }
    assert_eq!(replica.seen().len(), 0);
    let largest = exchange(&front, post("/api/v1/orders", 65_536).as_bytes()).await;
    assert!(largest.starts_with("HTTP/1.1 200 "), "{largest}");
}

#[tokio::test]
async fn with_no_replica_the_answer_is_502_at_once() {
    let front = start(Wish::default()).await;
    let broken = Replica::start(Does::BreakOff).await;
    let broken = start(Wish {
        replicas: &[&broken],
        ..Wish::default()
    })
    .await;
    for (case, front) in [("none", &front), ("broken", &broken)] {
        let request =
            b"GET /api/v1/products HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: mine-1\r\nConnection: close\r\n\r\n";
        let answer = exchange(front, request).await;
        is_problem(&answer, 502, "unavailable", case);
        assert!(answer.contains("\"request_id\":\"mine-1\""), "{answer}");
    }
}
