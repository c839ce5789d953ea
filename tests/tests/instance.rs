//! What a replica says of itself: the process, and on EC2 the machine, which the instance metadata service knows. A small
//! service of the same kind stands in for it here.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use trestle::Stack;
use trestle_tests::{Shopper, eventually, within};

const TOKEN: &str = "AQAEAHRyZXN0bGU=";

/// What the service does when it is asked.
#[derive(Debug, Clone, Copy)]
enum Service {
    /// Answers as EC2's does: nothing without a token.
    Version2,
    /// Takes the connection and says nothing.
    Hangs,
}

/// A metadata service: its address, and what it was asked.
async fn metadata(service: Service) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let all = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(answer(stream, service, Arc::clone(&all)));
        }
    });
    (address, asked)
}

async fn answer(mut stream: TcpStream, service: Service, asked: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut bytes = [0; 1024];
        match stream.read(&mut bytes).await {
            Ok(0) | Err(_) => return,
            Ok(count) => request.extend_from_slice(&bytes[..count]),
        }
    }
    let request = String::from_utf8(request).unwrap().to_ascii_lowercase();
    asked
        .lock()
        .unwrap()
        .push(request.lines().next().unwrap().to_owned());
    if matches!(service, Service::Hangs) {
        // Until the other side has had enough.
        stream.read_u8().await.ok();
        return;
    }
    let has = |name: &str, value: &str| {
        let line = format!("\r\n{name}: {value}\r\n");
        request.contains(&line.to_ascii_lowercase())
    };
    let (status, body) = if request.starts_with("put /latest/api/token ") {
        let in_time = has("x-aws-ec2-metadata-token-ttl-seconds", "60");
        (if in_time { 200 } else { 400 }, TOKEN.to_owned())
    } else if !has("x-aws-ec2-metadata-token", TOKEN) {
        (401, String::new())
    } else if request.starts_with("get /latest/dynamic/instance-identity/document ") {
        let document = json!({
            "instanceId": "i-0abcd1234ef567890",
            "instanceType": "t4g.small",
            "availabilityZone": "ap-northeast-2a",
            "accountId": "123456789012",
        });
        (200, document.to_string())
    } else {
        (404, String::new())
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all((head + &body).as_bytes()).await.ok();
}

async fn shop(environment: &[(&str, &str)]) -> Stack {
    let mut stack = Stack::builder().replicas(1).products(0);
    for (name, value) in environment {
        stack = stack.env(name, value);
    }
    stack.start().await.unwrap()
}

async fn instance(stack: &Stack) -> Value {
    Shopper::visitor(&stack.url())
        .get("/instance")
        .await
        .expect(200)
        .body
}

#[tokio::test]
async fn on_ec2_it_says_which_machine_it_is() {
    let (url, asked) = metadata(Service::Version2).await;
    let stack = shop(&[("TRESTLE_METADATA_URL", &url)]).await;
    eventually("the machine is known", async || {
        instance(&stack).await["host"]["kind"] == "ec2"
    })
    .await;
    let says = instance(&stack).await;
    let machine = json!({
        "kind": "ec2",
        "id": "i-0abcd1234ef567890",
        "type": "t4g.small",
        "zone": "ap-northeast-2a",
    });
    assert_eq!(says["host"], machine);
    assert_eq!(says["zone"], "ap-northeast-2a");
    assert!(says["memory_bytes"].as_u64().unwrap() > 1024 * 1024, "{says}");
    // Once, at the start: it is no traffic.
    assert_eq!(asked.lock().unwrap().len(), 2, "{asked:?}");

    // The zone that an operator names is the zone.
    let stack = shop(&[("TRESTLE_METADATA_URL", &url), ("TRESTLE_ZONE", "blue")]).await;
    eventually("the machine is known", async || {
        instance(&stack).await["host"]["kind"] == "ec2"
    })
    .await;
    let says = instance(&stack).await;
    assert_eq!((says["zone"].as_str(), &says["host"]), (Some("blue"), &machine));
}

#[tokio::test]
async fn nothing_waits_for_a_service_that_says_nothing() {
    let (url, asked) = metadata(Service::Hangs).await;
    let stack = shop(&[("TRESTLE_METADATA_URL", &url)]).await;
    let tries = AtomicUsize::new(0);
    // It is given a second. A start that waited for it could never be ready sooner; one of a few that does not is, on however
    // busy a machine.
    let ready_in_less = async || {
        if tries.fetch_add(1, Ordering::Relaxed) > 0 {
            stack.restart_process("api-1").await.unwrap();
        }
        let log = std::fs::read_to_string(stack.log("api-1")).unwrap();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut ready = lines.filter(|line| line["message"] == "ready");
        let ready = ready.next_back()?;
        let after_ms: u64 = ready["after_ms"].as_str()?.parse().ok()?;
        (after_ms < 900).then_some(())
    };
    within(
        Duration::from_secs(60),
        "a start in less than its limit",
        ready_in_less,
    )
    .await;
    assert_eq!(asked.lock().unwrap()[0], "put /latest/api/token http/1.1");
    let says = instance(&stack).await;
    let kind = says["host"]["kind"].as_str().unwrap();
    assert!(["process", "container"].contains(&kind), "{says}");
    assert!(!says["host"]["id"].as_str().unwrap().is_empty());
    assert_eq!(
        (&says["host"]["zone"], &says["zone"]),
        (&Value::Null, &json!("local"))
    );
}

#[tokio::test]
async fn off_means_that_nobody_is_asked() {
    let stack = shop(&[("TRESTLE_METADATA_URL", "off")]).await;
    assert_ne!(instance(&stack).await["host"]["kind"], "ec2");
}
