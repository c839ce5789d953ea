#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]
use super::*;

/// A driver that is a shell script: `$1` is the word for what is to be done.
fn script(text: &str) -> Driver {
    Driver {
        command: ["sh", "-c", text, "driver"].map(ToOwned::to_owned).to_vec(),
    }
}

#[test]
fn a_command_line_is_split_as_a_shell_does() {
    let cases: [(&str, &[&str]); 6] = [
        ("trestle --compose", &["trestle", "--compose"]),
        (
            "  trestle  --data\t/srv/shop ",
            &["trestle", "--data", "/srv/shop"],
        ),
        (r#"trestle --data "/my shop""#, &["trestle", "--data", "/my shop"]),
        (r#"a --data='my "own" shop'"#, &["a", r#"--data=my "own" shop"#]),
        (r#"a my\ shop "a\"b" '\'"#, &["a", "my shop", r#"a"b"#, r"\"]),
        ("a '' b", &["a", "", "b"]),
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse::<Driver>().unwrap().command, expected, "{text}");
    }
    for wrong in ["", "  ", "trestle 'open", r"trestle \"] {
        assert!(wrong.parse::<Driver>().is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn status_is_read_and_replicas_are_in_the_order_of_their_numbers() {
    let json = r#"{"phase":"running","url":"http://127.0.0.1:8080","data":"x","launcher_pid":7,"authority":null,"processes":[
        {"name":"nginx","state":"ready","address":"http://127.0.0.1:8080","ops_address":null,"pid":5,"memory":1,"restarts":0,"log":"l"},
        {"name":"api-10","state":"starting","address":"","ops_address":null,"pid":null,"memory":0,"restarts":0,"log":"l"},
        {"name":"api-2","state":"ready","address":"127.0.0.1:1","ops_address":"127.0.0.1:2","pid":6,"memory":1,"restarts":0,"log":"l"}]}"#;
    let driver = script(&format!("[ \"$*\" = 'status --json' ] && echo '{json}'"));
    let status = driver.status().await.unwrap();
    let names: Vec<&str> = status.replicas().iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["api-2", "api-10"]);
    let replica = status.find("api-2").unwrap();
    assert!(replica.is_ready());
    assert_eq!(replica.ops_address.as_deref(), Some("127.0.0.1:2"));
    assert_eq!(status.find("nginx").unwrap().pid, Some(5));
    assert_eq!(status.find("redis"), None);
}

#[tokio::test]
async fn each_word_reaches_the_command_as_it_is_documented() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let driver = script(&format!("echo \"$*\" >> '{}'", log.display()));
    driver.scale(3).await.unwrap();
    driver.kill("redis").await.unwrap();
    driver.pause("api-1").await.unwrap();
    driver.resume("api-1").await.unwrap();
    driver.stress("api-2", 90).await.unwrap();
    driver.passed(&["seed", "--products", "5"]).await.unwrap();
    assert_eq!(
        std::fs::read_to_string(log).unwrap(),
        "scale 3 --wait\nkill redis\npause api-1\nresume api-1\nstress api-2 --seconds 90\nseed --products 5\n"
    );
}

#[tokio::test]
async fn an_error_names_the_command_and_what_it_complained_about() {
    let driver = script("echo some progress; echo first >&2; echo 'api-9: no such process' >&2; exit 1");
    let error = format!("{:#}", driver.kill("api-9").await.unwrap_err());
    assert!(
        error.contains("kill api-9") && error.ends_with("api-9: no such process"),
        "{error}"
    );
    let missing = Driver {
        command: vec!["/nowhere/trestle".to_owned()],
    };
    let error = format!("{:#}", missing.status().await.unwrap_err());
    assert!(
        error.contains("/nowhere/trestle status --json (--stack)"),
        "{error}"
    );
}

#[tokio::test]
async fn a_command_that_hangs_is_cut_off() {
    let error = script("exec sleep 60")
        .run(&["status"], Duration::from_millis(100))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("not done"), "{error}");
}

#[tokio::test]
async fn an_audit_that_came_to_no_verdict_did_not_run() {
    let verdict = async |text: &str| script(text).audit().await;
    match verdict("echo 'ok stock'; echo 'audit: all 12 checks hold (0.1 s)'").await {
        Audit::Passed(text) => assert!(text.starts_with("ok stock")),
        other => panic!("{other:?}"),
    }
    match verdict("echo 'audit: 1 check failed (0.1 s)'; exit 1").await {
        Audit::Failed(text) => assert!(text.contains("1 check failed")),
        other => panic!("{other:?}"),
    }
    match verdict("echo 'trestle: nothing runs with --data .trestle' >&2; exit 1").await {
        Audit::NotRun(why) => assert!(why.contains("nothing runs"), "{why}"),
        other => panic!("{other:?}"),
    }
}
