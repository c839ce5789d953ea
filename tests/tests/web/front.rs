//! nginx as the launcher would run it, on free ports, with a folder of its own that goes when the test ends.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder};
use tempfile::TempDir;
use trestle::tls::private_certificate;
use trestle::web::{Http2, Tls, WebConfig, WebTree, render};

use crate::replica::Replica;

const NAMES: [&str; 4] = ["shop.example", "www.shop.example", "localhost", "127.0.0.1"];

pub struct Front {
    pub http: SocketAddr,
    /// Answers nothing unless [`start`] was asked for TLS.
    pub https: SocketAddr,
    pub client: Client,
    release: String,
    folder: TempDir,
    nginx: Child,
}

#[derive(Default)]
pub struct Wish<'a> {
    pub replicas: &'a [&'a Replica],
    pub tls: bool,
    pub hostname: Option<&'a str>,
    pub trusted_proxies: &'a [&'a str],
    pub picture_hosts: &'a [&'a str],
    pub storefront: Option<PathBuf>,
}

/// Starts nginx, and waits until it answers.
pub async fn start(wish: Wish<'_>) -> Front {
    // A name with a space: every path in the configuration must be quoted.
    let folder = tempfile::Builder::new().prefix("trestle web ").tempdir().unwrap();
    let tree = WebTree::find().unwrap();
    let (http, https) = (free_address(), free_address());
    let mut authority = None;
    let tls = wish.tls.then(|| {
        let names = NAMES.map(str::to_owned);
        let files = private_certificate(&folder.path().join("tls"), &names).unwrap();
        authority = Some(Certificate::from_pem(&fs::read(&files.authority).unwrap()).unwrap());
        Tls {
            certificate: files.certificate,
            key: files.key,
            listen: vec![https],
            http2: Http2::of(Path::new("nginx")).unwrap(),
        }
    });
    let config = WebConfig {
        listen: vec![http],
        tls,
        upstreams: wish.replicas.iter().map(|replica| replica.address).collect(),
        storefront: wish.storefront.unwrap_or(tree.storefront),
        templates: tree.templates,
        release: tree.release,
        run_dir: folder.path().join("run"),
        log_dir: folder.path().join("log"),
        run_as_root: fs::metadata("/proc/self").unwrap().uid() == 0,
        hostname: wish.hostname.map(str::to_owned),
        trusted_proxies: wish.trusted_proxies.iter().map(ToString::to_string).collect(),
        picture_hosts: wish.picture_hosts.iter().map(ToString::to_string).collect(),
    };
    let conf = render(&config, &folder.path().join("conf")).unwrap();
    let release = release_of(&config.storefront);
    let nginx = nginx(folder.path(), &conf)
        .args(["-g", "daemon off;"])
        .spawn()
        .expect("nginx is installed");

    let mut builder = quiet_client()
        .resolve("shop.example", SocketAddr::new(http.ip(), 0))
        .resolve("www.shop.example", SocketAddr::new(http.ip(), 0));
    if let Some(authority) = authority {
        builder = builder.tls_certs_only([authority]);
    }
    let front = Front {
        http,
        https,
        client: builder.build().unwrap(),
        release,
        folder,
        nginx,
    };
    front.wait_until_it_answers().await;
    front
}

/// What the script that both renderers ask says.
pub fn release_of(storefront: &Path) -> String {
    let script = WebTree::find().unwrap().release;
    let output = Command::new(script).arg(storefront).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// No proxy, no redirects followed, no time-out shorter than what is tested.
fn quiet_client() -> ClientBuilder {
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .timeout(Duration::from_secs(30))
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn nginx(folder: &Path, conf: &Path) -> Command {
    let mut command = Command::new("nginx");
    command
        .arg("-p")
        .arg(folder.join("run"))
        .arg("-e")
        .arg(folder.join("log/error.log"))
        .arg("-c")
        .arg(conf)
        .stdin(Stdio::null());
    command
}

impl Front {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    /// What the storefront's files are served under.
    pub fn release(&self) -> &str {
        &self.release
    }

    pub fn log(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join("log").join(name)).unwrap_or_default()
    }

    async fn wait_until_it_answers(&self) {
        let start = Instant::now();
        while !self
            .client
            .get(self.url("/healthz"))
            .send()
            .await
            .is_ok_and(|answer| answer.status() == 200)
        {
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "nginx does not answer: {}",
                self.log("error.log")
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // By its own signal: a killed master would leave its workers.
        let conf = self.folder.path().join("conf/nginx.conf");
        let stopped = nginx(self.folder.path(), &conf).args(["-s", "stop"]).status();
        if stopped.is_ok_and(|status| status.success()) {
            let _ = self.nginx.wait();
        } else {
            let _ = self.nginx.kill();
        }
    }
}
