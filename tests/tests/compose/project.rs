//! A compose project of the tests' own: another name, a free port, and gone when its test is over.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use trestle::{Stack, ports};
use trestle_tests::pypi::must;

/// The test binary's own tag: a test that changes an image changes nobody else's.
fn tag() -> String {
    format!("test-{}", std::process::id())
}

/// The top of the tree, where docker-compose.yml lies.
pub fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tree")
}

/// A project. Dropped, it is removed with its data.
pub struct Project {
    pub name: String,
    pub port: u16,
    environment: Vec<(String, String)>,
}

impl Project {
    /// Nothing runs yet. The images are those that `make compose-build compose-loadtest` has made.
    pub fn new(what: &str) -> Self {
        for service in ["api", "web", "mysql", "redis", "loadtest"] {
            let (made, own) = (
                format!("trestle-{service}:local"),
                format!("trestle-{service}:{}", tag()),
            );
            must(Command::new("docker").args(["tag", &made, &own]));
        }
        let port = ports::free(1).expect("a free port")[0];
        let mut project = Self {
            name: format!("trestle-test-{}-{what}", std::process::id()),
            port,
            environment: Vec::new(),
        };
        // What the caller has set for another shop must not reach this one.
        project.set("COMPOSE_PROJECT_NAME", "");
        project.set("COMPOSE_FILE", "");
        project.set("COMPOSE_PROFILES", "");
        project.set("WEB_PORT", &port.to_string());
        project.set("TAG", &tag());
        guard(&project.name);
        project
    }

    /// A setting of .env.example.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// What the project was started with, for programs that run docker compose by themselves.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        let set = self.environment.iter().filter(|(_, value)| !value.is_empty());
        set.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `docker compose` with this project's name, settings and nothing of a `.env` that lies there.
    pub fn compose(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command
            .args(["compose", "--project-name", &self.name, "--env-file", "/dev/null"])
            .args(arguments)
            .current_dir(top());
        for (name, value) in &self.environment {
            if value.is_empty() {
                command.env_remove(name);
            } else {
                command.env(name, value);
            }
        }
        command
    }

    /// Runs it to its end; answers what it wrote.
    pub fn must(&self, arguments: &[&str]) -> String {
        must(&mut self.compose(arguments))
    }

    pub fn output(&self, arguments: &[&str]) -> Output {
        self.compose(arguments).output().expect("docker")
    }

    /// From whatever there is to a healthy shop.
    pub fn up(&self) -> Duration {
        let began = Instant::now();
        self.must(&["up", "--detach", "--wait", "--no-build"]);
        began.elapsed()
    }

    pub async fn stack(&self) -> Stack {
        Stack::compose(&self.name).await.expect("the project runs")
    }

    /// `trestle --compose --project NAME …`, as people call it; from another folder than the tree's.
    pub fn trestle(&self, arguments: &[&str]) -> String {
        let program = trestle::programs::built("trestle").expect("trestle is built");
        let mut command = Command::new(program);
        command
            .args(["--compose", "--project", &self.name])
            .args(arguments)
            .current_dir("/")
            .env("TAG", tag());
        must(&mut command)
    }

    /// What the engine says of one of its containers: `web-1`, `mysql-1`, one of [`Project::replicas`].
    pub fn inspect(&self, name: &str) -> Value {
        let name = format!("{}-{name}", self.name);
        inspect(&[name]).remove(0)
    }

    /// The replicas as `trestle --compose` names them, by number. A rolling replacement counts on: api-3, api-4.
    pub fn replicas(&self) -> Vec<String> {
        let mut numbers: Vec<u64> = self
            .containers()
            .iter()
            .filter(|container| service(container) == "api")
            .map(|container| {
                let number = &container["Config"]["Labels"]["com.docker.compose.container-number"];
                number
                    .as_str()
                    .and_then(|text| text.parse().ok())
                    .expect("a number")
            })
            .collect();
        numbers.sort_unstable();
        numbers.iter().map(|number| format!("api-{number}")).collect()
    }

    /// What nginx complained of, and its lines of requests that failed: for whoever reads a failed test.
    pub fn complaints(&self) -> String {
        let log = self.must(&["logs", "--no-color", "--no-log-prefix", "web"]);
        let told = |line: &&str| line.contains(" [error] ") || line.contains("\"status\":50");
        log.lines().filter(told).collect::<Vec<_>>().join("\n")
    }

    /// The same of all of them, one-shots included.
    pub fn containers(&self) -> Vec<Value> {
        let label = format!("label=com.docker.compose.project={}", self.name);
        let ids = must(Command::new("docker").args(["ps", "--all", "--quiet", "--filter", &label]));
        inspect(&ids.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.output(&["logs", "--no-color", "--tail", "40"]);
            eprintln!("{}", String::from_utf8_lossy(&log.stdout));
        }
        let _ = self
            .compose(&[
                "--profile",
                "*",
                "down",
                "--volumes",
                "--remove-orphans",
                "--timeout",
                "5",
            ])
            .output();
    }
}

pub fn inspect(names: &[String]) -> Vec<Value> {
    if names.is_empty() {
        return Vec::new();
    }
    let text = must(Command::new("docker").arg("inspect").args(names));
    serde_json::from_str(&text).expect("JSON")
}

/// The service that a container belongs to.
pub fn service(container: &Value) -> &str {
    container["Config"]["Labels"]["com.docker.compose.service"]
        .as_str()
        .expect("a compose label")
}

/// One project for the tests that leave a shop as they found it, one of them at a time. Its first user starts it.
pub async fn shared() -> (MutexGuard<'static, ()>, &'static Project) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
    static PROJECT: OnceCell<Project> = OnceCell::const_new();
    let alone = ONE_AT_A_TIME.lock().await;
    let project = PROJECT
        .get_or_init(async || {
            let project = Project::new("shared");
            project.up();
            project
        })
        .await;
    (alone, project)
}

/// A static is never dropped, and a test may be killed: a shell that waits for this process's end removes what is left of
/// the project, and the tag.
fn guard(name: &str) {
    use std::os::unix::process::CommandExt as _;
    use std::process::Stdio;
    const SCRIPT: &str = r#"
        cat >/dev/null
        name=$1 tag=$2
        docker ps --all --quiet --filter "label=com.docker.compose.project=$name" | xargs -r docker rm --force --volumes
        docker volume ls --quiet --filter "label=com.docker.compose.project=$name" | xargs -r docker volume rm
        docker network ls --quiet --filter "label=com.docker.compose.project=$name" | xargs -r docker network rm
        docker image ls --quiet --filter "reference=trestle-*:$tag" --format '{{.Repository}}:{{.Tag}}' | xargs -r docker image rm
    "#;
    let child = Command::new("sh")
        .args(["-c", SCRIPT, "sh", name, &tag()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("a shell");
    // Its input stays open for as long as this process lives.
    std::mem::forget(child);
}

/// A file of the tree.
pub fn read(path: &str) -> String {
    let path: PathBuf = top().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
