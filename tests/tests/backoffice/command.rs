//! `trestle-api admin`: the first admin is made by a command. A change of role holds on every replica within 2 s.

use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use trestle_tests::{Shopper, is_in_containers, shop, within};

use crate::fixture::{replicas, word};

async fn run(arguments: &[&str]) -> (Option<i32>, String) {
    said(shop().await.api_output(arguments).await.unwrap())
}

fn said(output: Output) -> (Option<i32>, String) {
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

/// Waits until neither replica takes this customer's token any more.
async fn token_ends(customer: &Shopper) {
    for url in replicas().await {
        let there = customer.at(&url);
        within(Duration::from_secs(2), "the token has ended", async || {
            (there.get("/customers/me").await.status == 401).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn an_admin_is_made_and_unmade_and_old_tokens_end() {
    let mut customer = Shopper::customer(&shop().await.url()).await;
    customer.get("/admin/log").await.refused(403, "forbidden");
    let email = customer.email.clone();
    let (code, text) = run(&["admin", "grant", &email.to_uppercase()]).await;
    assert_eq!(
        (code, text.as_str()),
        (Some(0), &*format!("{email} is an admin now; 1 session ended\n"))
    );
    token_ends(&customer).await;
    let refresh = serde_json::json!({"refresh_token": customer.refresh_token});
    customer
        .post("/sessions/refresh", &refresh)
        .await
        .refused(401, "unauthenticated");
    customer.log_in().await.expect(201);
    for url in replicas().await {
        customer.at(&url).get("/admin/log").await.expect(200);
    }
    let (code, text) = run(&["admin", "grant", &email]).await;
    assert_eq!(code, Some(0));
    assert!(text.contains("nothing to change"), "{text}");
    customer.get("/admin/log").await.expect(200);
    let (_, listed) = run(&["admin", "list"]).await;
    assert!(listed.contains(&email), "{listed}");

    assert_eq!(run(&["admin", "revoke", &email]).await.0, Some(0));
    token_ends(&customer).await;
    customer.log_in().await.expect(201);
    customer.get("/admin/log").await.refused(403, "forbidden");
    let (_, listed) = run(&["admin", "list"]).await;
    assert!(!listed.contains(&email), "{listed}");
}

#[tokio::test]
async fn a_new_admin_is_made_with_a_password_that_is_no_argument() {
    let shop = shop().await;
    let mut admin = Shopper::visitor(&shop.url());
    let create = |more: &[&str], input: &str| {
        let mut arguments = vec!["admin", "create", &admin.email, "--name", "Ada"];
        arguments.extend(more);
        let mut command = shop.api_command(&arguments).unwrap();
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let input = input.to_owned();
        async move {
            let mut child = command.spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            // One that does not ask for it has ended already.
            stdin.write_all(input.as_bytes()).await.ok();
            drop(stdin);
            said(child.wait_with_output().await.unwrap())
        }
    };
    let password = "correct horse battery";
    assert_eq!(create(&[], "").await.0, Some(64), "without a password");
    assert_eq!(create(&["--password", password], "").await.0, Some(64));
    let (code, text) = create(&["--password-stdin"], "short\n").await;
    assert_eq!(code, Some(64));
    assert!(text.contains("password"), "{text}");
    let (code, text) = create(&["--password-stdin"], &format!("{password}\n")).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(!text.contains(password));
    let (code, text) = create(&["--password-stdin"], &format!("{password}\n")).await;
    assert_eq!(code, Some(1), "{text}");
    admin.log_in().await.expect(201);
    admin.get("/admin/log").await.expect(200);

    // The file would have to be in the container.
    if is_in_containers() {
        return;
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), password).unwrap();
    let email = format!("{}@example.com", word());
    let path = file.path().to_str().unwrap();
    let (code, text) = run(&[
        "admin",
        "create",
        &email,
        "--name",
        "Bob",
        "--password-file",
        path,
    ])
    .await;
    assert_eq!(code, Some(0), "{text}");
}

#[tokio::test]
async fn what_cannot_be_done_is_said() {
    let (code, text) = run(&["admin", "grant", "nobody-there@example.com"]).await;
    assert_eq!(code, Some(1));
    assert!(
        text.contains("no account has the e-mail address nobody-there@example.com"),
        "{text}"
    );
    for wrong in [
        &["admin", "grant", "nobody"][..],
        &["admin", "grant"],
        &["admin"],
        &["admin", "crown", "x@y.example"],
    ] {
        let (code, text) = run(wrong).await;
        assert_eq!(code, Some(64), "{wrong:?}: {text}");
    }
}
