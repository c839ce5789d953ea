//! The launcher as a person and as a test use it: what it starts, keeps, replaces, recovers and ends.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends by panicking"
)]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use trestle::control::Status;
use trestle::procfs::Identity;
use trestle::{Replica, Stack, programs};
use trestle_tests::eventually;

const SOON: Duration = Duration::from_secs(30);

/// The command, with replicas that do not linger: no test here sends to a replica that is on its way out.
fn trestle(data: &Path, arguments: &[&str]) -> Command {
    let program = programs::built("trestle").expect("build the workspace first: cargo build --workspace");
    let mut command = Command::new(program);
    command
        .args(arguments)
        .arg("--data")
        .arg(data)
        .env("TRESTLE_LINGER_SECONDS", "0")
        .kill_on_drop(true);
    command
}

async fn output(data: &Path, arguments: &[&str]) -> Output {
    trestle(data, arguments).output().await.unwrap()
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

async fn up(data: &Path) -> Status {
    let output = output(data, &["up", "--detach", "--port", "0", "--products", "0"]).await;
    assert!(output.status.success(), "{}", text(&output));
    status(data).await
}

async fn status(data: &Path) -> Status {
    let output = output(data, &["status", "--json"]).await;
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)))
}

async fn down(data: &Path) {
    let output = output(data, &["down"]).await;
    assert!(output.status.success(), "{}", text(&output));
}

/// A launcher in the foreground, as in a terminal.
struct Foreground {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Foreground {
    fn start(data: &Path) -> Self {
        let mut command = trestle(data, &["up", "--port", "0", "--products", "0"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    async fn ready(&mut self) {
        while !self
            .line()
            .await
            .expect("it ended before it was ready")
            .starts_with("ready in")
        {}
    }

    async fn line(&mut self) -> Option<String> {
        tokio::time::timeout(SOON, self.lines.next_line())
            .await
            .expect("no line in time")
            .unwrap()
    }

    /// Ctrl-C.
    fn interrupt(&self) {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGINT).unwrap();
    }
}

/// Registers a customer, or says with which status that was refused.
async fn register(url: &str, email: &str) -> u16 {
    let body = json!({"email": email, "password": "correct horse battery", "name": "Ada"});
    let answer = reqwest::Client::new()
        .post(format!("{url}/api/v1/customers"))
        .json(&body)
        .send()
        .await
        .unwrap();
    answer.status().as_u16()
}

/// The name of the replica that answers.
async fn replica(url: &str) -> Option<String> {
    let answer = reqwest::get(format!("{url}/api/v1/instance")).await.ok()?;
    answer.json::<Value>().await.ok()?["replica"]
        .as_str()
        .map(ToOwned::to_owned)
}

fn alive(pids: &[Identity]) -> Vec<i32> {
    pids.iter()
        .filter(|process| process.is_alive())
        .map(|process| process.pid)
        .collect()
}

fn identities(status: &Status) -> Vec<Identity> {
    status
        .processes
        .iter()
        .filter_map(|process| Identity::of(process.pid?))
        .collect()
}

#[tokio::test]
async fn what_was_sold_before_down_is_there_after_up() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("shop");
    let first = up(&data).await;
    assert_eq!(register(&first.url, "ada@example.com").await, 201);
    let processes = identities(&first);
    down(&data).await;
    assert_eq!(alive(&processes), [] as [i32; 0]);
    assert_eq!(output(&data, &["status"]).await.status.code(), Some(1));

    let second = up(&data).await;
    assert_eq!(register(&second.url, "ada@example.com").await, 409);
    let again = output(&data, &["up", "--detach"]).await;
    assert!(
        again.status.success() && text(&again).contains("up already"),
        "{}",
        text(&again)
    );
    down(&data).await;

    assert!(output(&data, &["reset"]).await.status.success());
    let third = up(&data).await;
    assert_eq!(register(&third.url, "ada@example.com").await, 201);
    down(&data).await;
}

#[tokio::test]
async fn after_a_kill_of_the_launcher_the_next_up_ends_what_it_left_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("shop");
    let mut launcher = Foreground::start(&data);
    launcher.ready().await;
    let before = status(&data).await;
    assert_eq!(register(&before.url, "ada@example.com").await, 201);
    let processes = identities(&before);
    launcher.child.kill().await.unwrap();
    assert_eq!(
        alive(&processes).len(),
        processes.len(),
        "children outlive a killed launcher"
    );
    let said = text(&output(&data, &["status"]).await);
    assert!(said.contains("the launcher is gone"), "{said}");

    let after = up(&data).await;
    assert_eq!(alive(&processes), [] as [i32; 0]);
    assert_eq!(register(&after.url, "ada@example.com").await, 409);
    down(&data).await;
    assert_eq!(std::fs::read_dir(data.join("pids")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_first_start_that_did_not_finish_begins_again_with_an_empty_database() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("shop");
    let mut launcher = Foreground::start(&data);
    eventually("the database folder", async || data.join("database").exists()).await;
    launcher.child.kill().await.unwrap();
    assert!(!data.join("initialised").exists());
    std::fs::write(data.join("database/half-made"), "").unwrap();

    up(&data).await;
    assert!(data.join("initialised").exists() && !data.join("database/half-made").exists());
    down(&data).await;
}

#[tokio::test]
async fn two_stacks_side_by_side_share_nothing() {
    let (one, other) = tokio::join!(
        Stack::builder().replicas(1).start(),
        Stack::builder().replicas(1).start()
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_ne!(one.url(), other.url());
    assert_eq!(register(&one.url(), "ada@example.com").await, 201);
    assert_eq!(register(&other.url(), "ada@example.com").await, 201);
    let folder = one.data().to_owned();
    one.stop().await.unwrap();
    assert_eq!(register(&other.url(), "ada@example.com").await, 409);
    other.stop().await.unwrap();
    eventually("the temporary folder to go", async || !folder.exists()).await;
}

#[tokio::test]
async fn a_second_launcher_on_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("shop");
    let stack = Stack::builder()
        .data_dir(&data)
        .replicas(1)
        .start()
        .await
        .unwrap();
    let refused = output(&data, &["up", "--port", "0"]).await;
    assert_eq!(refused.status.code(), Some(1));
    let pid = format!("pid {}", std::process::id());
    assert!(
        text(&refused).contains("--data") && text(&refused).contains(&pid),
        "{}",
        text(&refused)
    );
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn a_taken_port_is_named_with_its_holder_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("shop");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let refused = output(&data, &["up", "--port", &port]).await;
    assert_eq!(refused.status.code(), Some(1));
    let pid = format!("pid {}", std::process::id());
    assert!(
        text(&refused).contains(&format!("--port {port}")) && text(&refused).contains(&pid),
        "{}",
        text(&refused)
    );
    assert!(!data.join("database").exists());
}

#[tokio::test]
async fn bad_usage_is_one_line_that_names_the_flag_and_exit_code_64() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("thesis.txt"), "").unwrap();
    let cases: [(&[&str], &str); 5] = [
        (&["up"], "--data"),
        (&["up", "--replicas", "none"], "--replicas"),
        (&["up", "--replicas", "17"], "--replicas"),
        (&["up", "--port", "70000"], "--port"),
        (&["scale"], "<N>"),
    ];
    for (arguments, named) in cases {
        let output = output(folder.path(), arguments).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {said}");
        assert!(
            said.lines().count() == 1 && said.contains(named),
            "{arguments:?}: {said}"
        );
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_replica_that_dies_is_replaced_and_serves_again() {
    let stack = Stack::builder().start().await.unwrap();
    let before: Vec<i32> = stack.replicas().iter().map(|replica| replica.pid).collect();
    stack.kill("api-1").unwrap();
    let is_new = |replica: &Replica| replica.name == "api-1" && !before.contains(&replica.pid);
    eventually("another api-1", async || stack.replicas().iter().any(is_new)).await;
    eventually("an answer from it", async || {
        replica(&stack.url()).await.as_deref() == Some("api-1")
    })
    .await;
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn a_frozen_process_is_shown_as_such_and_goes_on_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("shop");
    let url = up(&data).await.url;
    let states = async || -> Vec<String> {
        let processes = status(&data).await.processes;
        let shown = processes
            .into_iter()
            .filter(|one| ["nginx", "api-1"].contains(&one.name.as_str()));
        shown.map(|one| one.state).collect()
    };
    assert!(output(&data, &["pause", "api-1", "nginx"]).await.status.success());
    eventually("both to be frozen", async || {
        states().await == ["frozen", "frozen"]
    })
    .await;
    let nginx = status(&data).await.processes[0].pid.unwrap();
    let workers = trestle::procfs::children(nginx);
    assert!(!workers.is_empty() && workers.iter().all(|worker| worker.state == 'T'));
    assert!(
        output(&data, &["resume", "nginx", "api-1"])
            .await
            .status
            .success()
    );
    eventually("both to go on", async || states().await == ["ready", "ready"]).await;
    assert!(replica(&url).await.is_some());
    // What is frozen ends with the stack all the same.
    assert!(output(&data, &["pause", "nginx"]).await.status.success());
    down(&data).await;
}

#[tokio::test]
async fn cpu_is_burned_beside_a_replica_and_ends_with_it_or_with_the_stack() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("shop");
    up(&data).await;
    let stress = async |arguments: &[&str]| output(&data, &[&["stress"], arguments].concat()).await;
    for wrong in [&["redis"][..], &["api-1", "--seconds", "0"]] {
        let refused = stress(wrong).await;
        assert_eq!(refused.status.code(), Some(64), "{}", text(&refused));
    }
    // The launcher's record of it: the line of /proc at its start.
    let burning = |name: &str| {
        let record = std::fs::read_to_string(data.join("pids").join(format!("burn-{name}"))).ok()?;
        Identity::of(record.split(' ').next()?.parse().ok()?)
    };
    let first = stress(&["api-1", "--seconds", "600"]).await;
    assert!(first.status.success(), "{}", text(&first));
    eventually("its record", async || burning("api-1").is_some()).await;
    let burn = burning("api-1").unwrap();
    let again = stress(&["api-1"]).await;
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again).contains("already"), "{}", text(&again));
    assert!(output(&data, &["kill", "api-1"]).await.status.success());
    eventually("its end with the replica", async || !burn.is_alive()).await;

    assert!(stress(&["api-2", "--seconds", "600"]).await.status.success());
    eventually("its record", async || burning("api-2").is_some()).await;
    let burn = burning("api-2").unwrap();
    down(&data).await;
    assert!(!burn.is_alive());
}

#[tokio::test]
async fn without_replacement_a_dead_replica_stays_dead_and_the_others_serve() {
    let stack = Stack::builder().replace_dead(false).start().await.unwrap();
    stack.kill("api-1").unwrap();
    let conf = stack.data().join("nginx/conf/upstream-list.conf");
    let gone = async || {
        std::fs::read_to_string(&conf)
            .unwrap()
            .matches("server 127")
            .count()
            == 1
    };
    eventually("nginx to forget it", gone).await;
    assert_eq!(stack.replicas().len(), 1);
    assert_eq!(replica(&stack.url()).await.as_deref(), Some("api-2"));
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn redis_held_down_stays_down_until_it_is_started_and_one_that_dies_comes_back() {
    let stack = Stack::builder().replicas(1).start().await.unwrap();
    let redis = async || trestle::probe::redis_answers(stack.redis_socket().unwrap()).await;
    stack.kill_and_hold("redis").await.unwrap();
    assert!(!redis().await);
    // The next replacement of anything else must not wake it up.
    stack.kill("api-1").unwrap();
    eventually("an answer", async || replica(&stack.url()).await.is_some()).await;
    assert!(!redis().await);
    stack.restart_process("redis").await.unwrap();
    assert!(redis().await);
    stack.kill("redis").unwrap();
    eventually("redis to come back", redis).await;
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scaling_up_and_down_fails_no_request() {
    let stack = Stack::builder().replicas(1).start().await.unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let shoppers: Vec<_> = (0..4)
        .map(|_| tokio::spawn(shop(stack.url(), stopped.clone())))
        .collect();
    stack.scale(3).await.unwrap();
    assert_eq!(stack.replicas().len(), 3);
    stack.scale(1).await.unwrap();
    let left: Vec<String> = stack.replicas().into_iter().map(|replica| replica.name).collect();
    assert_eq!(left, ["api-1"]);
    stack.scale(2).await.unwrap();
    stop.send_replace(true);
    for shopper in shoppers {
        let (answered, failures) = shopper.await.unwrap();
        assert!(
            answered > 10 && failures.is_empty(),
            "{answered} answered; {failures:?}"
        );
    }
    stack.stop().await.unwrap();
}

/// Asks until told to stop; a request that got no answer is repeated once, on a new connection.
async fn shop(url: String, stopped: tokio::sync::watch::Receiver<bool>) -> (usize, Vec<String>) {
    let (mut answered, mut failures) = (0, Vec::new());
    let client = reqwest::Client::new();
    let url = format!("{url}/api/v1/products");
    while !*stopped.borrow() {
        let answer = match client.get(&url).send().await {
            Err(_) => reqwest::get(&url).await,
            answer => answer,
        };
        match answer {
            Ok(answer) if answer.status().as_u16() == 200 => answered += 1,
            Ok(answer) => failures.push(answer.status().to_string()),
            Err(error) => failures.push(error.to_string()),
        }
    }
    (answered, failures)
}

#[tokio::test]
async fn ctrl_c_ends_the_front_first_and_the_database_last() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("shop");
    let mut launcher = Foreground::start(&data);
    launcher.ready().await;
    let processes = identities(&status(&data).await);
    launcher.interrupt();
    let mut ended = Vec::new();
    while let Some(line) = launcher.line().await {
        ended.extend(line.strip_suffix("ended").map(|name| name.trim().to_owned()));
    }
    assert!(launcher.child.wait().await.unwrap().success());
    ended[1..3].sort();
    assert_eq!(ended, ["nginx", "api-1", "api-2", "redis", "database"]);
    assert_eq!(alive(&processes), [] as [i32; 0]);
}

#[tokio::test]
async fn ctrl_c_during_the_start_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("shop");
    let mut launcher = Foreground::start(&data);
    eventually("the database folder", async || data.join("database").exists()).await;
    launcher.interrupt();
    assert_eq!(launcher.child.wait().await.unwrap().code(), Some(130));
    let left =
        trestle::leftover::Leftover::find(&trestle::data::DataFolder::existing(&data).unwrap().unwrap());
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_long_data_path_gets_its_sockets_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::builder()
        .data_dir(folder.path().join("long".repeat(40)))
        .replicas(1)
        .start()
        .await
        .unwrap();
    assert!(replica(&stack.url()).await.is_some());
    let run = stack.run_folder().to_owned();
    assert!(!run.starts_with(stack.data()) && run.exists());
    stack.stop().await.unwrap();
    assert!(!run.exists());
}
