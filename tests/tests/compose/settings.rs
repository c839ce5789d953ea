//! docker-compose.yml itself: Compose takes it without a word, and .env.example tells all of it.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::project::{read, top};

fn config(arguments: &[&str]) -> (Value, String) {
    let output = Command::new("docker")
        .args(["compose", "--env-file", "/dev/null"])
        .args(arguments)
        .args(["config", "--format", "json"])
        .current_dir(top())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    (serde_json::from_slice(&output.stdout).unwrap(), said)
}

#[test]
fn compose_has_no_complaint_with_every_profile() {
    let (all, said) = config(&["--profile", "*"]);
    assert_eq!(said, "");
    let services: Vec<&str> = all["services"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        services,
        [
            "api",
            "db",
            "grafana",
            "loadtest",
            "migrate",
            "mysql",
            "prometheus",
            "redis",
            "secrets",
            "web"
        ]
    );
    let (plain, _) = config(&[]);
    for optional in ["db", "grafana", "loadtest", "prometheus"] {
        assert!(
            plain["services"][optional].is_null(),
            "{optional} is in a profile"
        );
    }
}

/// `${NAME:-default}` in docker-compose.yml, `NAME=default` in .env.example: the same names and the same defaults.
#[test]
fn every_setting_is_in_the_example_with_its_default() {
    let compose = read("docker-compose.yml");
    let mut used = BTreeMap::new();
    for part in compose.split("${").skip(1) {
        let (name, default) = part[..part.find('}').unwrap()]
            .split_once(":-")
            .expect("each has a default");
        let before = used.insert(name.to_owned(), default.to_owned());
        assert!(
            before.is_none_or(|before| before == default),
            "{name} has two defaults"
        );
    }
    let example = read(".env.example");
    let told: BTreeMap<String, String> = example
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split_once('=').unwrap())
        .map(|(name, default)| (name.to_owned(), default.to_owned()))
        .collect();
    assert_eq!(told, used);
}

/// What `docker compose config` makes of the example is what it makes of nothing.
#[test]
fn the_example_changes_nothing() {
    let with = Command::new("docker")
        .args([
            "compose",
            "--env-file",
            ".env.example",
            "--profile",
            "*",
            "config",
        ])
        .current_dir(top())
        .output()
        .unwrap();
    let without = Command::new("docker")
        .args(["compose", "--env-file", "/dev/null", "--profile", "*", "config"])
        .current_dir(top())
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&with.stdout),
        String::from_utf8_lossy(&without.stdout)
    );
}

/// linux/amd64 and linux/arm64 are built from the same lines.
#[test]
fn nothing_is_specific_to_a_processor() {
    for file in [
        "services/api/Dockerfile",
        "services/web/Dockerfile",
        "docker-compose.yml",
    ] {
        let text = read(file);
        for word in ["x86_64", "amd64", "aarch64", "arm64", "platform:", "--platform"] {
            assert!(!text.contains(word), "{file} names {word}");
        }
    }
}
