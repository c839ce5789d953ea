//! The ways to MySQL and Redis by TLS, with a private authority and real servers: the right server serves the whole shop; one
//! with another authority, another name or no TLS at all is never spoken to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use trestle::tls::{PrivateCertificate, private_certificate};
use trestle::{Stack, ports};
use trestle_tests::{Shopper, eventually, first_product, sql, within};

/// In every URL here: it may stand in no message, and reach nobody but the right server.
const PASSWORD: &str = "wonderland-0451";

const DATABASE: &str = "TRESTLE_DATABASE_URL";
const REDIS: &str = "TRESTLE_REDIS_URL";
const CA_FILE: &str = "TRESTLE_REDIS_CA_FILE";

/// Data tiers that speak TLS at ports of their own, as `localhost`.
struct Tiers {
    folder: TempDir,
    certificate: PrivateCertificate,
    mysql: u16,
    redis: u16,
}

impl Tiers {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = private_certificate(&folder.path().join("tls"), &["localhost".to_owned()]).unwrap();
        let ports = ports::free(2).unwrap();
        Self {
            folder,
            certificate,
            mysql: ports[0],
            redis: ports[1],
        }
    }

    /// An authority that signed neither of them.
    fn other_authority(&self) -> PathBuf {
        let names = ["localhost".to_owned()];
        private_certificate(&self.folder.path().join("other"), &names)
            .unwrap()
            .authority
    }

    fn database_arguments(&self, tls: bool) -> Vec<String> {
        let user = self.folder.path().join("user.sql");
        let require = if tls { "REQUIRE SSL" } else { "REQUIRE NONE" };
        std::fs::write(
            &user,
            format!(
                "CREATE USER IF NOT EXISTS 'alice'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}' {require};\n\
                GRANT ALL ON trestle.* TO 'alice'@'127.0.0.1';\n"
            ),
        )
        .unwrap();
        let mut arguments = vec![
            "--skip-networking=0".to_owned(),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--port={}", self.mysql),
            format!("--init-file={}", user.display()),
        ];
        if tls {
            arguments.push(format!("--ssl-cert={}", self.certificate.certificate.display()));
            arguments.push(format!("--ssl-key={}", self.certificate.key.display()));
        }
        arguments
    }

    fn redis_arguments(&self) -> Vec<String> {
        let port = self.redis.to_string();
        let file = |path: &Path| path.to_str().unwrap().to_owned();
        let certificate = file(&self.certificate.certificate);
        let key = file(&self.certificate.key);
        let authority = file(&self.certificate.authority);
        let password = format!(">{PASSWORD}");
        [
            "--bind",
            "127.0.0.1",
            "--tls-port",
            &port,
            "--tls-cert-file",
            &certificate,
            "--tls-key-file",
            &key,
            "--tls-ca-cert-file",
            &authority,
            "--tls-auth-clients",
            "no",
            "--user",
            "alice",
            "on",
            &password,
            "~*",
            "&*",
            "+@all",
        ]
        .map(ToOwned::to_owned)
        .to_vec()
    }

    fn database_url(&self, host: &str, authority: &Path) -> String {
        let authority = trestle::database::encode(authority.to_str().unwrap());
        let port = self.mysql;
        format!("mysql://alice:{PASSWORD}@{host}:{port}/trestle?ssl-mode=VERIFY_IDENTITY&ssl-ca={authority}")
    }

    fn redis_url(&self, host: &str) -> String {
        format!("rediss://alice:{PASSWORD}@{host}:{}/0", self.redis)
    }

    /// A shop whose replicas and commands know no other way than TLS.
    async fn shop(&self, replicas: usize) -> Stack {
        let authority = &self.certificate.authority;
        Stack::builder()
            .replicas(replicas)
            .products(30)
            .database_arguments(&self.database_arguments(true))
            .redis_arguments(&self.redis_arguments())
            .env("TRESTLE_DATABASE_URL", &self.database_url("localhost", authority))
            .env("TRESTLE_REDIS_URL", &self.redis_url("localhost"))
            .env("TRESTLE_REDIS_CA_FILE", authority.to_str().unwrap())
            .start()
            .await
            .unwrap()
    }
}

fn doors(shop: &Stack) -> Vec<Shopper> {
    let replicas = shop.replicas();
    let door = |it: &trestle::Replica| Shopper::visitor(&format!("http://{}", it.address));
    replicas.iter().map(door).collect()
}

/// Whether something that the first replica reads comes to the second out of Redis. Never the same twice.
async fn is_shared_by_redis(shop: &Stack, number: &mut u32) -> bool {
    *number += 1;
    let path = format!("/products?q=shared{number}");
    let doors = doors(shop);
    doors[0].get(&path).await.expect(200);
    // It is written to Redis after the answer.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let answer = doors[1].get(&path).await.expect(200);
    answer.header("cache-status").starts_with("redis; hit")
}

#[tokio::test]
async fn the_whole_shop_works_by_tls_and_finds_a_redis_that_was_restarted() {
    let tiers = Tiers::new();
    let shop = tiers.shop(2).await;
    let mut number = 0;
    eventually("Redis is shared", async || {
        is_shared_by_redis(&shop, &mut number).await
    })
    .await;

    let product = first_product(&shop, 5).await;
    let variant = product["variants"][0]["id"].as_u64().unwrap();
    let customer = Shopper::customer(&shop.url()).await;
    customer.put_in_cart(variant, 2).await.expect(200);
    let order = customer.order(variant, 2).await.expect(201);
    assert_eq!(order.body["state"], "paid");
    // The server knows this user by TLS alone; that it has one, its own count says.
    let mut connection = sql(&shop).await;
    let (_, accepted): (String, String) = sqlx::query_as("SHOW GLOBAL STATUS LIKE 'Ssl_accepts'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(accepted.parse::<u64>().unwrap() >= 2, "{accepted}");
    let audit = shop.api_output(&["audit"]).await.unwrap();
    assert!(audit.status.success(), "{audit:?}");

    shop.kill_and_hold("redis").await.unwrap();
    let without = customer.order(variant, 1).await.expect(201);
    assert_eq!(without.body["state"], "paid");
    shop.restart_process("redis").await.unwrap();
    eventually("Redis is shared again", async || {
        is_shared_by_redis(&shop, &mut number).await
    })
    .await;
}

/// What a replica that is told these variables says of Redis on its operations port, once it has tried.
async fn redis_as_seen(shop: &Stack, variables: &[(&str, &str)]) -> (Value, Value) {
    let ports = ports::free(2).unwrap();
    let mut command = shop.api_command(&["serve"]).unwrap();
    command
        .env("TRESTLE_LISTEN", format!("127.0.0.1:{}", ports[0]))
        .env("TRESTLE_OPS_LISTEN", format!("127.0.0.1:{}", ports[1]))
        .stdout(std::process::Stdio::null());
    for (name, value) in variables {
        command.env(name, value);
    }
    let mut replica = command.spawn().unwrap();
    let ask = async |path: &str| -> Option<Value> {
        let answer = reqwest::get(format!("http://127.0.0.1:{}{path}", ports[1])).await;
        answer.ok()?.json().await.ok()
    };
    let known = async || {
        let ready = ask("/readyz").await?;
        let tried = ready["redis"]["last_error"] != Value::Null || ready["redis"]["state"] == "ok";
        (ready["ready"] == true && tried).then_some(ready)
    };
    let (ready, _) = within(Duration::from_secs(30), "Redis was tried", known).await;
    // The shop goes on without it.
    let door = Shopper::visitor(&format!("http://127.0.0.1:{}", ports[0]));
    for _ in 0..3 {
        door.get("/products").await.expect(200);
    }
    let caches = ask("/caches").await.unwrap();
    replica.kill().await.unwrap();
    (ready["redis"].clone(), caches["redis"]["calls"].clone())
}

#[tokio::test]
async fn a_redis_that_is_another_is_never_spoken_to() {
    let tiers = Tiers::new();
    let shop = tiers.shop(1).await;
    let right = tiers.certificate.authority.to_str().unwrap().to_owned();
    let other = tiers.other_authority().to_str().unwrap().to_owned();

    let (seen, calls) = redis_as_seen(&shop, &[]).await;
    assert_eq!(seen["state"], "ok", "{seen}");
    assert!(calls["ok"].as_u64().unwrap() > 0, "{calls}");

    let by_address = tiers.redis_url("127.0.0.1");
    for (why, url, authority) in [
        ("another authority", tiers.redis_url("localhost"), &other),
        ("another name", by_address, &right),
    ] {
        let variables = [
            ("TRESTLE_REDIS_URL", url.as_str()),
            ("TRESTLE_REDIS_CA_FILE", authority),
        ];
        let (seen, calls) = redis_as_seen(&shop, &variables).await;
        assert_ne!(seen["state"], "ok", "{why}");
        let said = seen["last_error"]["message"].as_str().unwrap();
        assert!(said.contains("certificate"), "{why}: {said}");
        assert_eq!(calls["ok"], 0, "{why}");
    }

    // One without TLS gets a greeting of TLS and never a word that means something to it.
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = plain.local_addr().unwrap().port();
    let heard = tokio::spawn(async move {
        let mut heard = Vec::new();
        loop {
            let (mut stream, _) = plain.accept().await.unwrap();
            let mut bytes = [0; 4096];
            let count = stream.read(&mut bytes).await.unwrap_or_default();
            heard.extend_from_slice(&bytes[..count]);
            // Redis's own answer to what it does not understand.
            stream.write_all(b"-ERR unknown command\r\n").await.ok();
            if heard.len() > 512 {
                return heard;
            }
        }
    });
    let url = format!("rediss://alice:{PASSWORD}@localhost:{port}/0");
    let variables = [
        ("TRESTLE_REDIS_URL", url.as_str()),
        ("TRESTLE_REDIS_CA_FILE", &right),
    ];
    let (seen, calls) = redis_as_seen(&shop, &variables).await;
    assert_ne!(seen["state"], "ok");
    assert_eq!(calls["ok"], 0);
    let heard = tokio::time::timeout(Duration::from_secs(10), heard)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&heard[..2], [22, 3], "a handshake of TLS");
    for word in [PASSWORD, "AUTH", "HELLO", "CLIENT"] {
        let told = heard.windows(word.len()).any(|window| window == word.as_bytes());
        assert!(!told, "{word} went out in the clear");
    }
}

#[tokio::test]
async fn a_database_that_is_another_is_never_logged_in_to() {
    let tiers = Tiers::new();
    let shop = tiers.shop(1).await;
    let right = &tiers.certificate.authority;
    let audit = async |url: &str| {
        let mut command = shop.api_command(&["audit"]).unwrap();
        let output = command.env("TRESTLE_DATABASE_URL", url).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains(PASSWORD), "{said}");
        (output.status.code(), said)
    };
    let (code, said) = audit(&tiers.database_url("localhost", right)).await;
    assert_eq!(code, Some(0), "{said}");
    for (why, url) in [
        (
            "another authority",
            tiers.database_url("localhost", &tiers.other_authority()),
        ),
        ("another name", tiers.database_url("127.0.0.1", right)),
    ] {
        let (code, said) = audit(&url).await;
        assert_eq!(code, Some(1), "{why}: {said}");
        assert!(
            said.starts_with("trestle-api: TRESTLE_DATABASE_URL:"),
            "{why}: {said}"
        );
        assert!(said.contains("certificate"), "{why}: {said}");
    }
    // What it was refused for is the name: VERIFY_CA asks for the authority alone.
    let by_address = tiers.database_url("127.0.0.1", right);
    let (code, said) = audit(&by_address.replace("VERIFY_IDENTITY", "VERIFY_CA")).await;
    assert_eq!(code, Some(0), "{said}");

    let plain = Tiers::new();
    let server = Stack::builder()
        .database_only()
        .database_arguments(&plain.database_arguments(false))
        .start()
        .await
        .unwrap();
    let (code, said) = audit(&plain.database_url("localhost", right)).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("TLS"), "{said}");
    // It would have let her in.
    let unsafe_url = plain.database_url("localhost", right);
    let unsafe_url = unsafe_url.split_once('?').unwrap().0.to_owned() + "?ssl-mode=DISABLED";
    let (_, said) = audit(&unsafe_url).await;
    assert!(said.contains("schema is older"), "{said}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_names_no_authority_is_refused_at_the_start() {
    let tiers = Tiers::new();
    let stack = Stack::builder().replicas(0).products(0).start().await.unwrap();
    let right = tiers.certificate.authority.to_str().unwrap();
    let empty = tiers.folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").unwrap();
    let empty = empty.to_str().unwrap();
    let mysql = |query: &str| format!("mysql://alice:{PASSWORD}@localhost/trestle?{query}");
    let redis = format!("rediss://alice:{PASSWORD}@localhost:6379/0");
    let insecure = format!("{redis}#insecure");
    let plain = format!("redis://alice:{PASSWORD}@localhost:6379/0");
    let refused = async |variables: &[(&str, &str)], command: &str, named: &str, reason: &str| {
        let mut command = stack.api_command(&[command]).unwrap();
        let output = command.envs(variables.iter().copied()).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.starts_with(&format!("trestle-api: {named}: ")), "{said}");
        assert!(said.contains(reason), "{said}");
        assert!(!said.contains(PASSWORD) && said.lines().count() == 1, "{said}");
    };
    for command in ["serve", "migrate", "seed", "audit"] {
        let missing = mysql("ssl-mode=VERIFY_IDENTITY&ssl-ca=/nowhere/ca.pem");
        refused(
            &[(DATABASE, &missing)],
            command,
            DATABASE,
            "/nowhere/ca.pem cannot be read",
        )
        .await;
    }
    let hollow = mysql(&format!("ssl-ca={empty}&ssl-mode=VERIFY_CA"));
    refused(&[(DATABASE, &hollow)], "audit", DATABASE, "no certificate").await;
    for mode in [
        "",
        "&ssl-mode=REQUIRED",
        "&ssl-mode=PREFERRED",
        "&ssl-mode=DISABLED",
    ] {
        let trusting = mysql(&format!("ssl-ca={right}{mode}"));
        refused(&[(DATABASE, &trusting)], "audit", DATABASE, "VERIFY_IDENTITY").await;
    }
    let missing = [(REDIS, redis.as_str()), (CA_FILE, "/nowhere/ca.pem")];
    refused(&missing, "serve", CA_FILE, "/nowhere/ca.pem cannot be read").await;
    refused(
        &[(REDIS, redis.as_str()), (CA_FILE, empty)],
        "serve",
        CA_FILE,
        "no certificate",
    )
    .await;
    refused(
        &[(REDIS, plain.as_str()), (CA_FILE, right)],
        "serve",
        CA_FILE,
        "rediss://",
    )
    .await;
    refused(
        &[(REDIS, insecure.as_str()), (CA_FILE, right)],
        "serve",
        REDIS,
        "#insecure",
    )
    .await;
}
