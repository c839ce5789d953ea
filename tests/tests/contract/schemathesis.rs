//! schemathesis against the live shop: every operation of the document with what fits its schema and what does not.
//!
//! It runs three times: as an admin, who may ask everything, as a customer, and as nobody. What it is told to overlook
//! is in `tests/contract/schemathesis.toml`, with the reasons. `make contract` runs this file; each failure
//! is printed with a curl command.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use serde_json::{Value, json};
use trestle::Stack;
use trestle_tests::{Shopper, is_in_containers, pypi, shop, sql};

use crate::operation::make_admin;

/// Tells the time of each run; a hang is a failure.
const MOST_SECONDS: &str = "240";

#[tokio::test]
async fn schemathesis_finds_nothing() {
    let program = pypi::installed("schemathesis", &here("requirements.txt"), &[]).join("bin/schemathesis");
    // One of its own, as it leaves nothing as it was.
    let own;
    let stack = if is_in_containers() {
        shop().await
    } else {
        own = Stack::builder().replicas(2).products(100).start().await.unwrap();
        &own
    };
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users.json");
    let people = people(stack).await;
    let auth = json!({"auth": people.iter().map(|person| &person.auth).collect::<Vec<_>>()});
    std::fs::write(&users, auth.to_string()).unwrap();
    let mut told = Vec::new();
    let mut good = true;
    for who in people.iter().filter(|person| person.name != "grace") {
        let began = Instant::now();
        let run = run(&program, stack, folder.path(), &users, who);
        let text = String::from_utf8_lossy(&run.stdout).into_owned();
        good &= run.status.success();
        let summary = text.find("= SUMMARY =").map_or(text.as_str(), |at| &text[at..]);
        let shown = if run.status.success() { summary } else { &text };
        let errors = String::from_utf8_lossy(&run.stderr);
        writeln!(
            told,
            "\nschemathesis as {}, {:.0?}\n{shown}{errors}",
            who.name,
            began.elapsed()
        )
        .unwrap();
    }
    // Past the test harness, which would keep it: the summary is part of what CI shows.
    std::io::stderr().write_all(&told).unwrap();
    let audit = stack.api_output(&["audit", "--settled"]).await.unwrap();
    assert!(
        audit.status.success(),
        "{}",
        String::from_utf8_lossy(&audit.stdout)
    );
    assert!(good, "schemathesis has findings; see above");
}

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contract").join(name)
}

fn run(program: &Path, stack: &Stack, folder: &Path, users: &Path, who: &Person) -> Output {
    let mut command = Command::new("timeout");
    command.arg(MOST_SECONDS).arg(program);
    command.arg("--config-file").arg(here("schemathesis.toml"));
    command
        .arg("run")
        .arg(format!("{}/api/openapi.json", stack.url()));
    command.args(["--checks", "all", "--no-color", "--auth-wfc-user", who.name]);
    // It leaves a folder of its own where it runs.
    command.current_dir(folder).env("TRESTLE_CONTRACT_USERS", users);
    command
        .env("SCHEMATHESIS_HOOKS", here("hooks.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("TRESTLE_CONTRACT_ADDRESS", &who.address);
    command.output().unwrap()
}

/// Somebody who asks, as schemathesis reads it (Web Fuzzing Commons), and the address that their orders go to.
struct Person {
    name: &'static str,
    auth: Value,
    address: String,
}

/// An admin, two customers who must not see each other's things, and nobody. A token lives five minutes and a logout ends
/// it: after a 401 schemathesis logs in again.
async fn people(stack: &Stack) -> Vec<Person> {
    let mut people = Vec::new();
    for name in ["admin", "ada", "grace"] {
        let mut shopper = Shopper::visitor(&stack.url());
        // Neither address nor password is in an example of the document: an example would change the password.
        shopper.email = format!("{name}@contract.example");
        let password = uuid::Uuid::new_v4().to_string();
        let body = json!({"email": shopper.email, "password": password, "name": name});
        let registered = shopper.post("/customers", &body).await.expect(201);
        shopper.keep_tokens(&registered);
        shopper.add_address().await;
        if name == "admin" {
            make_admin(&mut sql(stack).await, &shopper.email).await;
        }
        let payload = json!({"email": shopper.email, "password": password});
        let auth = json!({
            "name": name,
            "loginEndpointAuth": {
                "endpoint": "/api/v1/sessions",
                "verb": "POST",
                "contentType": "application/json",
                "payloadRaw": payload.to_string(),
                "token": {
                    "extractFrom": "body",
                    "extractSelector": "/access_token",
                    "sendIn": "header",
                    "sendName": "Authorization",
                    "sendTemplate": "Bearer {token}",
                },
            },
        });
        people.push(Person {
            name,
            auth,
            address: shopper.address_id.unwrap(),
        });
    }
    people.push(Person {
        name: "nobody",
        auth: json!({"name": "nobody", "fixedHeaders": [{"name": "Accept", "value": "*/*"}]}),
        address: uuid::Uuid::new_v4().to_string(),
    });
    people
}
