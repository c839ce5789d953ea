//! Wrong settings end the program before anything is bound: exit code 64, and one line that names the variable.

use std::time::Duration;

use serde_json::json;
use trestle::Stack;
use trestle_tests::Shopper;

use crate::shop;

#[tokio::test]
async fn wrong_origins_and_proxies_and_keys_that_others_can_know_are_refused() {
    let shop = shop().await;
    let cases = [
        ("TRESTLE_CORS_ORIGINS", "*"),
        ("TRESTLE_CORS_ORIGINS", "https://app.example/"),
        ("TRESTLE_CORS_ORIGINS", "https://app.example,app.example"),
        ("TRESTLE_METADATA_URL", "https://169.254.169.254"),
        ("TRESTLE_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("TRESTLE_TRUSTED_PROXIES", "127.0.0.1,nginx"),
        ("TRESTLE_SECRETS_KEY", "k1:short"),
        (
            "TRESTLE_SECRETS_KEY",
            "k1:change-me-change-me-change-me-change-me",
        ),
        ("TRESTLE_SECRETS_KEY", "k1:00000000000000000000000000000000"),
    ];
    for (variable, value) in cases {
        let mut command = shop.api_command(&["serve"]).unwrap();
        if variable == "TRESTLE_SECRETS_KEY" {
            command.env_remove("TRESTLE_SECRETS_KEY_FILE");
        }
        let output = command
            .env("TRESTLE_LISTEN", "127.0.0.1:0")
            .env("TRESTLE_OPS_LISTEN", "127.0.0.1:0")
            .env(variable, value)
            .output();
        let output = tokio::time::timeout(Duration::from_secs(20), output);
        let output = output.await.expect("it ends at once").unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{variable}={value}: {said}");
        assert!(
            said.contains(variable) && said.trim_end().lines().count() == 1,
            "{said}"
        );
        if variable == "TRESTLE_SECRETS_KEY" {
            assert!(
                !said.contains(value.trim_start_matches("k1:")),
                "a secret is not printed: {said}"
            );
        }
    }
}

/// A key is replaced in two steps, each a restart of the replicas, and nobody is logged out.
#[tokio::test]
async fn a_key_is_replaced_while_two_are_live() {
    const OLD: &str = "old:7d1f0c9a52b3e4f5a6978c0d1e2f3a4b";
    const NEW: &str = "new:c41e8a07f9d2536bb0a7e6c5d4f31829";
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), OLD).unwrap();
    let stack = Stack::builder()
        .replicas(1)
        .env("TRESTLE_SECRETS_KEY_FILE", file.path().to_str().unwrap())
        .start()
        .await
        .expect("a stack");
    let mut ann = Shopper::visitor(&stack.url());
    ann.register().await.expect(201);
    let before = ann.clone();

    std::fs::write(file.path(), format!("{NEW},{OLD}")).unwrap();
    stack.restart_process("api-1").await.unwrap();
    ann.get("/customers/me").await.expect(200);
    let body = json!({"refresh_token": ann.refresh_token});
    ann.keep_tokens(&ann.post("/sessions/refresh", &body).await.expect(200));

    std::fs::write(file.path(), NEW).unwrap();
    stack.restart_process("api-1").await.unwrap();
    ann.get("/customers/me").await.expect(200);
    before.get("/customers/me").await.refused(401, "unauthenticated");
    stack.stop().await.unwrap();
}
