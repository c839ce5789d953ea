//! nginx as the shop configures it against nginx with next to no configuration: CPU of nginx for each request.

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use http::{Method, StatusCode};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::client::{Target, drive, gets, once, request};
use super::compare::{Comparison, Measure, Round, Subject};
use super::limit::axum::Bare;
use super::measure::{Meter, count_children};
use super::reads::{CONNECTIONS, path};
use super::shop::Shop;
use super::{Setting, say};

const READY_WITHIN: Duration = Duration::from_secs(10);
const STATIC: &str = "/file.mjs";
const PROXIED: &str = "/dressed/1";

/// A static file and a product through nginx.
///
/// # Errors
/// When nginx does not run or one side does not answer.
pub async fn compare(setting: &Setting, shop: &Shop, hot: u64, bare: &Bare) -> Result<Vec<Comparison>> {
    let (file, bytes) = static_file(shop).await?;
    let workers = count_children(shop.web_pid);
    let nginx = BareNginx::start(workers, &bytes, bare.address).await?;
    let mut files = Vec::new();
    let mut proxied = Vec::new();
    for number in 1..=setting.rounds {
        say(&format!("round {number}: nginx"));
        files.push(round(setting, shop, &nginx, &file, STATIC).await?);
        proxied.push(round(setting, shop, &nginx, &path(hot), PROXIED).await?);
    }
    nginx.end().await?;
    let subject = |id: &str, title: &str, note: String| Subject {
        id: id.into(),
        title: title.into(),
        limit: "bare nginx".into(),
        unit: "request".into(),
        measure: Measure::Cpu,
        target: None,
        note,
    };
    let alike =
        format!("CPU of nginx, {workers} workers each; the shop's with its access log, bare nginx without");
    Ok(vec![
        Comparison::of(
            subject(
                "static_file",
                "Static file",
                format!("{} bytes; {alike}", bytes.len()),
            ),
            files,
        ),
        Comparison::of(
            subject(
                "proxied",
                "Product through nginx",
                format!("from memory of the replica, from bare axum; {alike}"),
            ),
            proxied,
        ),
    ])
}

async fn round(setting: &Setting, shop: &Shop, nginx: &BareNginx, ours: &str, theirs: &str) -> Result<Round> {
    let target = |address, master| Target {
        address,
        connections: CONNECTIONS,
        meter: Meter::Family(master),
        status: StatusCode::OK,
        cache: None,
    };
    Ok(Round {
        shop: drive(
            target(shop.web, shop.web_pid),
            setting.window,
            gets(vec![ours.to_owned()]),
        )
        .await?,
        limit: drive(
            target(nginx.address, nginx.pid),
            setting.window,
            gets(vec![theirs.to_owned()]),
        )
        .await?,
    })
}

/// The storefront's first module, as the home page names it.
async fn static_file(shop: &Shop) -> Result<(String, bytes::Bytes)> {
    let page = once(shop.web, request(Method::GET, "/", &[], "")?).await?;
    let page = String::from_utf8_lossy(&page.body).into_owned();
    let file = first_module(&page).context("the home page names no module of the storefront")?;
    let answer = once(shop.web, request(Method::GET, &file, &[], "")?).await?;
    ensure!(answer.status == StatusCode::OK, "GET {file}: {}", answer.status);
    Ok((file, answer.body))
}

fn first_module(page: &str) -> Option<String> {
    page.split(['"', '\''])
        .find(|text| text.starts_with("/v/") && text.contains(".mjs"))
        .map(ToOwned::to_owned)
}

/// An nginx of our own with a minimal configuration. It ends when this is dropped.
struct BareNginx {
    address: SocketAddr,
    pid: i32,
    child: Child,
    _folder: TempDir,
}

impl BareNginx {
    async fn start(workers: usize, file: &[u8], upstream: SocketAddr) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("trestle-nginx-").tempdir()?;
        let root = folder.path().join("root");
        fs::create_dir(&root)?;
        fs::write(root.join(STATIC.trim_start_matches('/')), file)?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        drop(listener);
        let configuration = folder.path().join("nginx.conf");
        fs::write(&configuration, configure(workers, address, upstream)?)?;
        let mut child = Command::new(executable()?)
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(&configuration)
            .arg("-e")
            .arg(folder.path().join("error.log"))
            .env_remove("NGINX")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("starting nginx")?;
        let began = Instant::now();
        while once(address, request(Method::GET, STATIC, &[], "")?)
            .await
            .is_err()
        {
            let ended = child.try_wait()?;
            ensure!(
                ended.is_none() && began.elapsed() < READY_WITHIN,
                "bare nginx does not start: {}",
                fs::read_to_string(folder.path().join("error.log"))
                    .unwrap_or_default()
                    .trim()
            );
            sleep(Duration::from_millis(20)).await;
        }
        let pid = child.id().context("bare nginx has ended")?;
        Ok(Self {
            address,
            pid: i32::try_from(pid)?,
            child,
            _folder: folder,
        })
    }

    /// The master ends its workers; a killed one would leave them.
    async fn end(mut self) -> Result<()> {
        self.stop();
        timeout(READY_WITHIN, self.child.wait())
            .await
            .context("bare nginx does not end")??;
        Ok(())
    }

    fn stop(&self) {
        if self.child.id().is_some() {
            kill(Pid::from_raw(self.pid), Signal::SIGTERM).ok();
        }
    }
}

impl Drop for BareNginx {
    fn drop(&mut self) {
        self.stop();
    }
}

fn configure(workers: usize, address: SocketAddr, upstream: SocketAddr) -> Result<String> {
    let mut text = String::new();
    if Uid::effective().is_root() {
        text.push_str("user root;\n");
    }
    write!(
        text,
        "daemon off; worker_processes {workers}; pid nginx.pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on; tcp_nopush on;
    keepalive_requests 10000;
    types {{ text/javascript mjs; }}
    upstream bare {{ server {upstream}; keepalive 64; keepalive_requests 10000; }}
    server {{
        listen {address};
        root root;
        location /dressed/ {{
            proxy_pass http://bare;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
        }}
    }}
}}
"
    )?;
    Ok(text)
}

fn executable() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    // Where packages put it; often not among an ordinary user's.
    folders.push("/usr/sbin".into());
    let found = folders
        .into_iter()
        .map(|folder| folder.join("nginx"))
        .find(|file| file.is_file());
    found.context("nginx is not installed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_module_is_found_in_the_page() {
        let page =
            r#"<link href="/v/0123456789ab/a.css"><script type="module" src="/v/0123456789ab/app.mjs">"#;
        assert_eq!(first_module(page).as_deref(), Some("/v/0123456789ab/app.mjs"));
        assert_eq!(first_module("<script src='/app.mjs'>"), None);
    }
}
