//! chromedriver: one process for each test binary, and the calls to it.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use trestle::programs;

use crate::within;

/// No call takes longer, or the test has failed: loading a page counts too.
const LONGEST_CALL: Duration = Duration::from_secs(60);

/// Waits until its input closes, as it does when the test binary ends, however that ends; then ends the driver, whose
/// browsers end with it because they talk to it through pipes, and removes their profiles.
const GUARD: &str = r#"
"$1" --port="$2" --log-level=OFF >/dev/null 2>&1 &
driver=$!
cat >/dev/null
kill "$driver"
wait "$driver"
sleep 1
rm -rf "$TMPDIR"
"#;

pub struct Driver {
    address: SocketAddr,
    browser: Option<PathBuf>,
    /// Its input is the pipe.
    _guard: Child,
}

impl Driver {
    pub async fn start() -> Self {
        let driver = programs::installed(&["chromedriver"])
            .expect("chromedriver is installed: infra/local/setup.sh --tests");
        let port = trestle::ports::free(1).expect("a free port")[0];
        // Everything that driver and browsers write lies here. The guard removes it.
        let folder = TempDir::with_prefix("trestle-browser-").expect("a folder").keep();
        let guard = Command::new("sh")
            .args(["-c", GUARD, "sh"])
            .arg(driver)
            .arg(port.to_string())
            .env("TMPDIR", &folder)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("a shell");
        let started = Self {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            browser: programs::installed(&["chromium", "chromium-browser", "google-chrome"]),
            _guard: guard,
        };
        let status = format!("http://{}/status", started.address);
        within(LONGEST_CALL, "chromedriver answers", async || {
            client().get(&status).send().await.ok().map(drop)
        })
        .await;
        started
    }

    /// A new browser with an empty profile.
    pub async fn open(&self, language: &str) -> Session {
        let mut options = json!({
            "args": [
                "--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                // Containers and root have no sandbox; nothing but our own shop is opened.
                "--no-sandbox", "--disable-dev-shm-usage",
                // It asks nobody but the shop.
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-domain-reliability", "--disable-default-apps", "--disable-extensions",
                // Tabs in the background work on, so that two tabs can be watched.
                "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
                "--disable-backgrounding-occluded-windows", "--force-color-profile=srgb",
            ],
            "prefs": {
                "intl.accept_languages": language,
                "credentials_enable_service": false,
                "profile.password_manager_enabled": false,
                "profile.password_manager_leak_detection": false,
            },
            "perfLoggingPrefs": {"enableNetwork": true, "enablePage": false},
        });
        if let Some(browser) = &self.browser {
            options["binary"] = json!(browser);
        }
        let wish = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "pageLoadStrategy": "normal",
            "unhandledPromptBehavior": "ignore",
        }}});
        let mut session = Session {
            address: self.address,
            id: String::new(),
            client: client(),
        };
        let opened = match session
            .call(session.client.post(session.url("")).json(&wish))
            .await
        {
            Ok(opened) => opened,
            Err(failure) => panic!("no browser: {failure}"),
        };
        opened["sessionId"]
            .as_str()
            .expect("a session")
            .clone_into(&mut session.id);
        session
    }
}

/// Each browser has its own: a connection belongs to the runtime of the test that made it.
fn client() -> Client {
    Client::builder()
        .no_proxy()
        .timeout(LONGEST_CALL)
        .build()
        .expect("an HTTP client")
}

/// One browser, as chromedriver knows it.
pub struct Session {
    address: SocketAddr,
    pub id: String,
    client: Client,
}

impl Session {
    fn url(&self, path: &str) -> String {
        let Self { address, id, .. } = self;
        match (id.as_str(), path) {
            ("", _) => format!("http://{address}/session"),
            (id, path) => format!("http://{address}/session/{id}/{path}"),
        }
    }

    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call(self.client.get(self.url(path))).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call(self.client.post(self.url(path)).json(body)).await
    }

    async fn call(&self, request: reqwest::RequestBuilder) -> Result<Value, Failure> {
        let lost = |error: reqwest::Error| Failure {
            error: "chromedriver does not answer".to_owned(),
            message: format!("{error:?}"),
        };
        let answer = request.send().await.map_err(lost)?;
        let good = answer.status().is_success();
        let mut body: Value = answer.json().await.map_err(lost)?;
        let value = body["value"].take();
        if good {
            return Ok(value);
        }
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Err(Failure {
            error: text("error"),
            message: text("message").lines().next().unwrap_or_default().to_owned(),
        })
    }
}

/// Also when a test fails, and where nothing may be awaited: by hand, and waited for, so that its place is free then.
impl Drop for Session {
    fn drop(&mut self) {
        let limit = Duration::from_secs(10);
        let Ok(mut stream) = TcpStream::connect_timeout(&self.address, limit) else {
            return;
        };
        let _ = stream.set_read_timeout(Some(limit));
        let Self { address, id, .. } = self;
        let _ = write!(
            stream,
            "DELETE /session/{id} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        );
        let _ = stream.read(&mut [0; 64]);
    }
}

/// WebDriver's kind of error, and what it says.
#[derive(Debug)]
pub struct Failure {
    error: String,
    message: String,
}

impl Failure {
    /// The page is about to change, or just has: the next try may find it whole.
    pub fn passes(&self) -> bool {
        matches!(
            self.error.as_str(),
            "stale element reference"
                | "element click intercepted"
                | "element not interactable"
                | "no such element"
                | "detached shadow root"
        ) || self.message.contains("Cannot find context")
            || self.message.contains("execution context")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.error, self.message)
    }
}

/// Cargo's target folder, where this test binary lies.
///
/// # Panics
/// When the program does not know where it is.
pub fn target_folder() -> PathBuf {
    let program = std::env::current_exe().expect("this program has a file");
    // target/release/deps/browser-0123456789abcdef
    program.ancestors().nth(3).expect("a target folder").to_owned()
}

/// A picture as WebDriver and DevTools send it.
pub fn write_picture(data: &Value, file: &Path) -> Result<(), String> {
    let text = data.as_str().ok_or("no picture")?;
    let bytes = decoded(text).ok_or("not base64")?;
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    }
    std::fs::write(file, bytes).map_err(|error| error.to_string())
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}
