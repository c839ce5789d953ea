//! The small shop that is measured: one replica with one worker, on a private stack that `trestle` starts and ends.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::mysql::MySqlConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, MySqlConnection, Row as _};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

use super::client::{Answer, once, request};
use super::measure;

/// Starting includes making a database and seeding it.
const UP_WITHIN: Duration = Duration::from_secs(300);
const DOWN_WITHIN: Duration = Duration::from_secs(120);
/// One worker, one hash at a time, so that two cores hold the server and whoever asks it. Nobody else's settings count.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("TRESTLE_WORKERS", "1"),
    ("TRESTLE_HASHES", "1"),
    ("TRESTLE_ACCESS_LOG", "off"),
    ("TRESTLE_METADATA_URL", "off"),
];

/// Where the stack's programs are, and its data.
#[derive(Debug)]
pub struct Stack {
    trestle: PathBuf,
    data: TempDir,
}

/// A running shop.
#[derive(Debug, Clone)]
pub struct Shop {
    /// The replica itself, no nginx in between.
    pub api: SocketAddr,
    pub ops: SocketAddr,
    pub api_pid: i32,
    pub web: SocketAddr,
    pub web_pid: i32,
    pub database_url: String,
    /// What the replica was started with.
    pub environment: Vec<(String, String)>,
}

#[derive(Debug, Deserialize)]
struct Status {
    url: String,
    processes: Vec<Process>,
}

/// One process of the stack.
#[derive(Debug, Clone, Deserialize)]
pub struct Process {
    pub name: String,
    address: String,
    ops_address: Option<String>,
    pid: Option<i32>,
    /// Resident bytes, of nginx with its workers.
    pub memory: u64,
}

impl Stack {
    /// # Errors
    /// When no folder can be made.
    pub fn new(trestle: &Path) -> Result<Self> {
        Ok(Self {
            trestle: trestle.to_owned(),
            data: tempfile::Builder::new().prefix("trestle-bench-").tempdir()?,
        })
    }

    /// Starts it.
    ///
    /// # Errors
    /// What `trestle up` says.
    pub async fn up(&self, products: u64) -> Result<Shop> {
        let products = products.to_string();
        let arguments = [
            "up",
            "--detach",
            "--port",
            "0",
            "--replicas",
            "1",
            "--no-replace",
            "--products",
            &products,
        ];
        self.trestle(&arguments, UP_WITHIN).await?;
        self.shop().await
    }

    /// Ends it, whatever state it is in.
    ///
    /// # Errors
    /// What `trestle down` says.
    pub async fn down(&self) -> Result<()> {
        self.trestle(&["down"], DOWN_WITHIN).await.map(|_| ())
    }

    /// The audit's words; Err when an invariant is broken.
    ///
    /// # Errors
    /// What it found.
    pub async fn audit(&self) -> Result<String> {
        let output = self.trestle(&["audit", "--settled"], DOWN_WITHIN).await?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// What runs.
    ///
    /// # Errors
    /// When nothing does.
    pub async fn processes(&self) -> Result<Vec<Process>> {
        Ok(self.status().await?.processes)
    }

    async fn status(&self) -> Result<Status> {
        let output = self
            .trestle(&["status", "--json"], Duration::from_secs(20))
            .await?;
        serde_json::from_slice(&output.stdout).context("what trestle status says")
    }

    async fn shop(&self) -> Result<Shop> {
        let status = self.status().await?;
        let process = |wanted: &str| {
            let found = status.processes.iter().find(|process| process.name == wanted);
            found.with_context(|| format!("the stack has no {wanted}"))
        };
        let (api, web) = (process("api-1")?, process("nginx")?);
        let api_pid = api.pid.context("api-1 does not run")?;
        let environment = measure::environment(api_pid)?;
        let url = |name: &str| {
            let found = environment.iter().find(|(known, _)| known == name);
            found
                .map(|(_, value)| value.clone())
                .with_context(|| format!("the replica has no {name}"))
        };
        Ok(Shop {
            api: api.address.parse().context("the replica's address")?,
            ops: api
                .ops_address
                .as_deref()
                .context("the replica has no operations port")?
                .parse()?,
            api_pid,
            web: status
                .url
                .strip_prefix("http://")
                .context("the shop's address is not http")?
                .parse()?,
            web_pid: web.pid.context("nginx does not run")?,
            database_url: url("TRESTLE_DATABASE_URL")?,
            environment,
        })
    }

    async fn trestle(&self, arguments: &[&str], limit: Duration) -> Result<Output> {
        let what = arguments.first().copied().unwrap_or_default();
        let mut command = Command::new(&self.trestle);
        command
            .args(arguments)
            .arg("--data")
            .arg(self.data.path())
            .envs(ENVIRONMENT)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = timeout(limit, command.output())
            .await
            .with_context(|| format!("trestle {what} did not end in {} s", limit.as_secs()))?
            .with_context(|| format!("running {}", self.trestle.display()))?;
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            bail!("trestle {what}: {}", String::from_utf8_lossy(&said).trim());
        }
        Ok(output)
    }
}

impl Shop {
    /// Switches cache layers of the replica: `on` or `off` each.
    ///
    /// # Errors
    /// When it refuses.
    pub async fn caches(&self, memory: &str, redis: &str) -> Result<()> {
        let body = json!({"memory": memory, "redis": redis}).to_string();
        self.ask_ops(
            Method::PUT,
            "/caches",
            &[("content-type", "application/json")],
            body,
        )
        .await
    }

    /// Empties both layers.
    ///
    /// # Errors
    /// When it refuses.
    pub async fn flush(&self) -> Result<()> {
        self.ask_ops(Method::POST, "/caches/flush", &[], "").await
    }

    /// Switches the log lines of requests.
    ///
    /// # Errors
    /// When it refuses.
    pub async fn access_log(&self, switch: &'static str) -> Result<()> {
        self.ask_ops(Method::PUT, "/log/access", &[], switch).await
    }

    async fn ask_ops(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<()> {
        let answer = once(self.ops, request(method.clone(), path, headers, body)?).await?;
        ensure!(
            answer.status.is_success(),
            "{method} {path} of the operations port: {}",
            String::from_utf8_lossy(&answer.body)
        );
        Ok(())
    }

    /// GET from the replica.
    ///
    /// # Errors
    /// When the answer is not 200.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        let answer = once(self.api, request(Method::GET, path, &[], "")?).await?;
        ensure!(answer.status == StatusCode::OK, "GET {path}: {}", answer.status);
        Ok(answer)
    }

    /// POST JSON to the replica; the answer has to be 201.
    ///
    /// # Errors
    /// When it is not.
    pub async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Result<Value> {
        let authorization = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("content-type", "application/json")];
        if let Some(authorization) = &authorization {
            headers.push(("authorization", authorization.as_str()));
        }
        let answer = once(self.api, request(Method::POST, path, &headers, body.to_string())?).await?;
        ensure!(
            answer.status == StatusCode::CREATED,
            "POST {path}: {}",
            String::from_utf8_lossy(&answer.body)
        );
        Ok(serde_json::from_slice(&answer.body)?)
    }

    /// The shop's database, as the shop's own account.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn database(&self) -> Result<MySqlConnection> {
        let options: MySqlConnectOptions = self
            .database_url
            .parse()
            .map_err(|_| anyhow::anyhow!("the replica's database URL cannot be read"))?;
        Ok(options.disable_statement_logging().connect().await?)
    }

    /// A counter of the database server: `Com_commit`, `Questions`.
    ///
    /// # Errors
    /// When there is none of that name.
    pub async fn counter(&self, name: &'static str) -> Result<u64> {
        let mut connection = self.database().await?;
        // SHOW takes no placeholders, and the names are our own.
        let statement = AssertSqlSafe(format!("SHOW GLOBAL STATUS LIKE '{name}'"));
        let row = sqlx::raw_sql(statement).fetch_one(&mut connection).await?;
        let value: String = row.try_get(1)?;
        connection.close().await?;
        value.parse().with_context(|| format!("{name} is {value:?}"))
    }
}
