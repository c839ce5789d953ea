//! nginx's configuration, rendered from the templates of `services/web/nginx`.
//!
//! The templates are read from the tree, not compiled in: the storefront has to be found there anyway, and what is in
//! the tree is then what is served, after a restart instead of a build. [`WebTree::find`] looks beside an installed
//! program too.
//!
//! Invariant: a rendered configuration is complete. A template that names an unknown variable is an error that names
//! it, and a value that nginx would read as something else than itself (a quote, a `$`) is refused by its field's name.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::resource::{Resource, getrlimit};

/// One year, as browsers' preload lists ask.
const HSTS_SECONDS: u32 = 31_536_000;
/// Without a host name the shop is on localhost, where a browser would hold every other port to https as well.
const HSTS_SECONDS_LOCAL: u32 = 300;
/// Connections of one nginx worker. A slot takes about 420 bytes: 1.7 MB a worker.
const CONNECTIONS: u64 = 4096;

/// The web tier's files: templates, storefront, and the script that names a release of it.
#[derive(Clone, Debug)]
pub struct WebTree {
    pub templates: PathBuf,
    pub storefront: PathBuf,
    pub release: PathBuf,
}

impl WebTree {
    /// Finds the files: the folder that `TRESTLE_WEB` names, else `../share/trestle/web` beside an installed program,
    /// else `services/web` in a folder above the program, else in the source tree that it was built from.
    pub fn find() -> Result<Self> {
        if let Some(named) = std::env::var_os("TRESTLE_WEB") {
            let named = PathBuf::from(named);
            return Self::at(&named)
                .with_context(|| format!("TRESTLE_WEB: no nginx and storefront in {}", named.display()));
        }
        let program = std::env::current_exe()
            .and_then(fs::canonicalize)
            .context("cannot find this program's file")?;
        let installed = program.parent().map(|bin| bin.join("../share/trestle/web"));
        let above = program
            .ancestors()
            .skip(1)
            .map(|folder| folder.join("services/web"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services/web");
        installed
            .into_iter()
            .chain(above)
            .chain([source])
            .find_map(|folder| Self::at(&folder))
            .with_context(|| {
                format!(
                    "no services/web near {}: name the folder in TRESTLE_WEB",
                    program.display()
                )
            })
    }

    fn at(folder: &Path) -> Option<Self> {
        let folder = fs::canonicalize(folder).ok()?;
        let tree = Self {
            templates: folder.join("nginx"),
            storefront: folder.join("storefront"),
            release: folder.join("release"),
        };
        (tree.templates.join("nginx.conf.template").is_file() && tree.storefront.is_dir()).then_some(tree)
    }
}

/// How this nginx is told to speak HTTP/2 over TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Http2 {
    Off,
    /// `listen … http2`, until 1.25.0.
    Listen,
    /// `http2 on`, since 1.25.1.
    Directive,
}

impl Http2 {
    /// Asks the program at `nginx` for its version.
    pub fn of(nginx: &Path) -> Result<Self> {
        let answer = Command::new(nginx)
            .arg("-v")
            .output()
            .with_context(|| format!("cannot run {} -v", nginx.display()))?;
        let text = String::from_utf8_lossy(&answer.stderr);
        Self::of_version(&text)
            .with_context(|| format!("{} -v: no version in {:?}", nginx.display(), text.trim()))
    }

    fn of_version(text: &str) -> Option<Self> {
        let version = text.split_once('/')?.1;
        let mut numbers = version
            .split(|c: char| !c.is_ascii_digit())
            .map(str::parse::<u32>);
        let version = (
            numbers.next()?.ok()?,
            numbers.next()?.ok()?,
            numbers.next()?.ok()?,
        );
        Some(if version >= (1, 25, 1) {
            Self::Directive
        } else {
            Self::Listen
        })
    }
}

/// Where nginx speaks TLS, and with what.
#[derive(Clone, Debug)]
pub struct Tls {
    /// PEM, the leaf first.
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub listen: Vec<SocketAddr>,
    pub http2: Http2,
}

/// What differs between one running web tier and another. Paths are absolute.
#[derive(Clone, Debug)]
pub struct WebConfig {
    /// http. With `tls` it only leads to https (and answers `/healthz`).
    pub listen: Vec<SocketAddr>,
    pub tls: Option<Tls>,
    /// The replicas' API addresses. None: every request under /api/ is answered 502.
    pub upstreams: Vec<SocketAddr>,
    pub storefront: PathBuf,
    pub templates: PathBuf,
    /// Prints what the storefront's files are served under, `services/web/release`.
    pub release: PathBuf,
    /// pid and temporary files.
    pub run_dir: PathBuf,
    /// access.log and error.log.
    pub log_dir: PathBuf,
    /// Workers stay root: only root may look into a data folder of mode 0700.
    pub run_as_root: bool,
    /// The shop's own name, `shop.example`: `www.shop.example` leads to it.
    pub hostname: Option<String>,
    /// Addresses or networks (`10.0.0.0/8`) whose X-Forwarded-For and X-Forwarded-Proto count.
    pub trusted_proxies: Vec<String>,
    /// Hosts, `cdn.example` or `cdn.example:8443`, whose pictures the pages may show.
    pub picture_hosts: Vec<String>,
}

/// Writes the configuration into the folder `out` and gives the path for `nginx -c`. Each file appears whole, so that
/// a running nginx may be told to read it again at any time.
///
/// Start it with `nginx -p RUN_DIR -e LOG_DIR/error.log -c PATH -g 'daemon off;'`.
pub fn render(config: &WebConfig, out: &Path) -> Result<PathBuf> {
    let out_text = quotable("out", out)?;
    // nginx takes these in the path of an `include` for a pattern.
    ensure!(
        !out_text.contains(['*', '?', '[']),
        "out: nginx cannot include files from {out_text:?}"
    );
    let values = values(config)?;
    for folder in [out, &config.run_dir, &config.log_dir] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut wanted = vec!["nginx.conf".to_owned()];
    let mut next = 0;
    while let Some(name) = wanted.get(next).cloned() {
        next += 1;
        let template = config.templates.join(format!("{name}.template"));
        let text = fs::read_to_string(&template)
            .with_context(|| format!("cannot read template {}", template.display()))?;
        let text = substitute(&text, &values).with_context(|| format!("{name}.template"))?;
        for included in includes(&text) {
            if !wanted.iter().any(|known| known == included) {
                wanted.push(included.to_owned());
            }
        }
        write_whole(&out.join(&name), &text)?;
    }
    Ok(out.join("nginx.conf"))
}

/// The names that a configuration includes; a fragment that is not chosen is neither read nor written.
fn includes(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        line.trim()
            .strip_prefix("include ")?
            .strip_suffix(';')
            .map(str::trim)
    })
}

fn write_whole(path: &Path, text: &str) -> Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, text)
        .and_then(|()| fs::rename(&new, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// As `envsubst` does with a list of names: `${TRESTLE_WEB_…}` is replaced, nginx's own `$names` are left alone.
fn substitute(template: &str, values: &BTreeMap<&str, String>) -> Result<String> {
    const OPEN: &str = "${";
    let mut text = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some(at) = rest.find(OPEN) {
        let (before, after) = (&rest[..at], &rest[at + OPEN.len()..]);
        let (name, tail) = after.split_once('}').context("${ without }")?;
        text.push_str(before);
        text.push_str(
            values
                .get(name)
                .with_context(|| format!("the variable {name} is not set"))?,
        );
        rest = tail;
    }
    text.push_str(rest);
    Ok(text)
}

fn values(config: &WebConfig) -> Result<BTreeMap<&'static str, String>> {
    let files = getrlimit(Resource::RLIMIT_NOFILE)
        .context("cannot read the limit of open files")?
        .1;
    let connections = (files / 2).min(CONNECTIONS);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let hostname = config.hostname.as_deref().unwrap_or_default();
    ensure!(
        hostname
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.'),
        "hostname: {hostname:?} is no host name in small letters"
    );
    let (real_ip_from, proxies) = trusted(&config.trusted_proxies)?;
    let mut picture_sources = String::new();
    for host in &config.picture_hosts {
        ensure!(
            is_host(host),
            "picture_hosts: {host:?} is no host name in small letters"
        );
        write!(picture_sources, " https://{host}")?;
    }
    let mut values = BTreeMap::from([
        (
            "TRESTLE_WEB_RUN_AS",
            if config.run_as_root { "root" } else { "default" }.to_owned(),
        ),
        ("TRESTLE_WEB_WORKERS", workers.to_string()),
        ("TRESTLE_WEB_CONNECTIONS", connections.to_string()),
        ("TRESTLE_WEB_FILES", (connections * 2).to_string()),
        ("TRESTLE_WEB_RUN_DIR", quotable("run_dir", &config.run_dir)?),
        ("TRESTLE_WEB_LOG_DIR", quotable("log_dir", &config.log_dir)?),
        (
            "TRESTLE_WEB_STOREFRONT",
            quotable("storefront", &config.storefront)?,
        ),
        ("TRESTLE_WEB_RELEASE", release(config)?),
        ("TRESTLE_WEB_PICTURE_HOSTS", config.picture_hosts.join(" ")),
        ("TRESTLE_WEB_PICTURE_SOURCES", picture_sources),
        ("TRESTLE_WEB_LISTEN", listens("listen", &config.listen, "")?),
        ("TRESTLE_WEB_HOSTNAME", hostname.to_owned()),
        ("TRESTLE_WEB_REAL_IP_FROM", real_ip_from),
        ("TRESTLE_WEB_PROXIES", proxies),
        // A proxy in front of processes knows how clients come to it.
        ("TRESTLE_WEB_PROXY_SCHEME", "$http_x_forwarded_proto".to_owned()),
        // nginx 1.18 knows no longest time of a connection; without a balancer between it and the replicas none is needed.
        ("TRESTLE_WEB_KEEPALIVE_TIME", String::new()),
        ("TRESTLE_WEB_UPSTREAM", "list".to_owned()),
        ("TRESTLE_WEB_API_SERVERS", servers(&config.upstreams)),
        (
            "TRESTLE_WEB_SITE",
            if config.tls.is_some() { "tls" } else { "plain" }.to_owned(),
        ),
        ("TRESTLE_WEB_HTTPS_PORT", String::new()),
        (
            "TRESTLE_WEB_HSTS_SECONDS",
            if hostname.is_empty() {
                HSTS_SECONDS_LOCAL
            } else {
                HSTS_SECONDS
            }
            .to_string(),
        ),
    ]);
    if let Some(tls) = &config.tls {
        let words = if tls.http2 == Http2::Listen {
            " ssl http2"
        } else {
            " ssl"
        };
        values.insert(
            "TRESTLE_WEB_TLS_LISTEN",
            listens("tls.listen", &tls.listen, words)?,
        );
        values.insert(
            "TRESTLE_WEB_HTTP2",
            if tls.http2 == Http2::Directive {
                "on"
            } else {
                "off"
            }
            .to_owned(),
        );
        values.insert(
            "TRESTLE_WEB_CERTIFICATE",
            quotable("tls.certificate", &tls.certificate)?,
        );
        values.insert("TRESTLE_WEB_KEY", quotable("tls.key", &tls.key)?);
        if let Some(port) = tls
            .listen
            .first()
            .map(SocketAddr::port)
            .filter(|port| *port != 443)
        {
            values.insert("TRESTLE_WEB_HTTPS_PORT", format!(":{port}"));
        }
    }
    Ok(values)
}

/// The name of the storefront's content. Asked at each rendering: files may have changed since the last.
fn release(config: &WebConfig) -> Result<String> {
    let output = Command::new(&config.release)
        .arg(&config.storefront)
        .output()
        .with_context(|| format!("release: cannot run {}", config.release.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let name = text.trim();
    ensure!(
        output.status.success()
            && name.len() == 12
            && name
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
        "release: {} gives no 12 hex digits but {:?} ({}): {}",
        config.release.display(),
        name,
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(name.to_owned())
}

/// Whether `text` is a host name, perhaps with a port: as it may stand in a header and in a page.
pub fn is_host(text: &str) -> bool {
    let (name, port) = text
        .split_once(':')
        .map_or((text, None), |(name, port)| (name, Some(port)));
    let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    name.bytes().all(|b| is_letter(b) || b == b'-' || b == b'.')
        && name.bytes().next().is_some_and(is_letter)
        && name.bytes().last().is_some_and(is_letter)
        && port.is_none_or(|port| (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit()))
}

/// A path as it may stand between double quotes.
fn quotable(field: &str, path: &Path) -> Result<String> {
    ensure!(
        path.is_absolute(),
        "{field}: {} is not an absolute path",
        path.display()
    );
    let Some(text) = path.to_str() else {
        bail!("{field}: {} is not UTF-8", path.display())
    };
    ensure!(
        !text.contains(['"', '\\', '$']) && !text.contains(char::is_control),
        "{field}: nginx cannot take {text:?}, which has a quote, a backslash, a $ or a control character in it"
    );
    Ok(text.to_owned())
}

fn listens(field: &str, addresses: &[SocketAddr], words: &str) -> Result<String> {
    // nginx would choose an address of its own.
    ensure!(!addresses.is_empty(), "{field}: no address");
    // 511 by default: a burst of new connections larger than that waits a second for its SYN to be repeated.
    Ok(addresses
        .iter()
        .map(|a| format!("listen {a}{words} backlog=4096;"))
        .collect::<Vec<_>>()
        .join("\n    "))
}

fn servers(upstreams: &[SocketAddr]) -> String {
    if upstreams.is_empty() {
        // nginx refuses an empty list; one that is down is answered 502 without a connection.
        return "server 127.0.0.1:1 down;".to_owned();
    }
    // One failure is enough, and two seconds later it is asked again: most losses are a replica that is being replaced.
    upstreams
        .iter()
        .map(|a| format!("server {a} max_fails=1 fail_timeout=2s;"))
        .collect::<Vec<_>>()
        .join("\n    ")
}

/// The two forms in which nginx wants the list: for the real-IP module, and for `geo`.
fn trusted(proxies: &[String]) -> Result<(String, String)> {
    let (mut real_ip_from, mut geo) = (String::new(), String::new());
    for proxy in proxies {
        let (address, bits) = proxy
            .split_once('/')
            .map_or((proxy.as_str(), None), |(a, bits)| (a, Some(bits)));
        let longest = match address.parse::<std::net::IpAddr>() {
            Ok(std::net::IpAddr::V4(_)) => 32,
            Ok(std::net::IpAddr::V6(_)) => 128,
            Err(_) => bail!("trusted_proxies: {proxy:?} is neither an address nor a network like 10.0.0.0/8"),
        };
        ensure!(
            bits.is_none_or(|bits| bits.parse::<u8>().is_ok_and(|bits| bits <= longest)),
            "trusted_proxies: {proxy:?} has no prefix length of 0 to {longest}"
        );
        writeln!(real_ip_from, "set_real_ip_from {proxy};")?;
        writeln!(geo, "{proxy} 1;")?;
    }
    Ok((real_ip_from.trim_end().to_owned(), geo.trim_end().to_owned()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

    use super::*;

    fn config(folder: &Path) -> WebConfig {
        let tree = WebTree::find().unwrap();
        WebConfig {
            listen: vec!["127.0.0.1:8080".parse().unwrap(), "[::1]:8080".parse().unwrap()],
            tls: None,
            upstreams: vec!["127.0.0.1:8001".parse().unwrap(), "[::1]:8002".parse().unwrap()],
            storefront: tree.storefront,
            templates: tree.templates,
            release: tree.release,
            run_dir: folder.join("run"),
            log_dir: folder.join("log"),
            run_as_root: false,
            hostname: None,
            trusted_proxies: Vec::new(),
            picture_hosts: Vec::new(),
        }
    }

    fn read(folder: &Path, name: &str) -> String {
        fs::read_to_string(folder.join("conf").join(name)).unwrap()
    }

    #[test]
    fn every_replica_is_listed_and_nothing_is_left_to_fill_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = render(&config(folder.path()), &folder.path().join("conf")).unwrap();
        assert_eq!(path, folder.path().join("conf/nginx.conf"));
        let upstream = read(folder.path(), "upstream-list.conf");
        assert!(
            upstream.contains("server 127.0.0.1:8001 max_fails=1 fail_timeout=2s;"),
            "{upstream}"
        );
        assert!(
            upstream.contains("server [::1]:8002 max_fails=1 fail_timeout=2s;"),
            "{upstream}"
        );
        for file in fs::read_dir(folder.path().join("conf")).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            assert!(!text.contains("${"), "{text}");
        }
    }

    #[test]
    fn only_the_chosen_fragments_are_written() {
        let folder = tempfile::tempdir().unwrap();
        render(&config(folder.path()), &folder.path().join("conf")).unwrap();
        for (name, there) in [
            ("user-default.conf", true),
            ("user-root.conf", false),
            ("site-plain.conf", true),
            ("site-tls.conf", false),
            ("keepalive.conf", true),
        ] {
            assert_eq!(folder.path().join("conf").join(name).exists(), there, "{name}");
        }
    }

    #[test]
    fn no_replica_is_a_server_that_is_down() {
        let folder = tempfile::tempdir().unwrap();
        let config = WebConfig {
            upstreams: Vec::new(),
            ..config(folder.path())
        };
        render(&config, &folder.path().join("conf")).unwrap();
        assert!(read(folder.path(), "upstream-list.conf").contains("server 127.0.0.1:1 down;"));
    }

    #[test]
    fn a_path_with_spaces_is_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let spaced = folder.path().join("my shop; {really}");
        let config = WebConfig {
            run_dir: spaced.join("run"),
            ..config(folder.path())
        };
        render(&config, &spaced.join("conf")).unwrap();
        let main = fs::read_to_string(spaced.join("conf/nginx.conf")).unwrap();
        assert!(
            main.contains(&format!("pid       \"{}/run/nginx.pid\";", spaced.display())),
            "{main}"
        );
    }

    #[test]
    fn values_that_nginx_would_misread_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let good = config(folder.path());
        let cases = [
            (
                WebConfig {
                    storefront: "/srv/$shop".into(),
                    ..good.clone()
                },
                "storefront: nginx cannot take",
            ),
            (
                WebConfig {
                    log_dir: "/srv/a\"b".into(),
                    ..good.clone()
                },
                "log_dir: nginx cannot take",
            ),
            (
                WebConfig {
                    run_dir: "run".into(),
                    ..good.clone()
                },
                "run_dir: run is not an absolute path",
            ),
            (
                WebConfig {
                    listen: Vec::new(),
                    ..good.clone()
                },
                "listen: no address",
            ),
            (
                WebConfig {
                    hostname: Some("shop.example;".into()),
                    ..good.clone()
                },
                "hostname: \"shop.example;\"",
            ),
            (
                WebConfig {
                    trusted_proxies: vec!["proxy".into()],
                    ..good.clone()
                },
                "trusted_proxies: \"proxy\"",
            ),
            (
                WebConfig {
                    trusted_proxies: vec!["10.0.0.0/33".into()],
                    ..good.clone()
                },
                "trusted_proxies: \"10.0.0.0/33\"",
            ),
            (
                WebConfig {
                    picture_hosts: vec!["cdn.example".into(), "*.example".into()],
                    ..good.clone()
                },
                "picture_hosts: \"*.example\"",
            ),
            (
                WebConfig {
                    storefront: folder.path().into(),
                    ..good
                },
                "release: ",
            ),
        ];
        for (config, expected) in cases {
            let error = format!("{:#}", render(&config, &folder.path().join("conf")).unwrap_err());
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("nginx.conf.template"),
            "pid ${TRESTLE_WEB_PID};",
        )
        .unwrap();
        let config = WebConfig {
            templates: folder.path().into(),
            ..config(folder.path())
        };
        let error = format!("{:#}", render(&config, &folder.path().join("conf")).unwrap_err());
        assert_eq!(
            error,
            "nginx.conf.template: the variable TRESTLE_WEB_PID is not set"
        );
    }

    #[test]
    fn proxies_are_told_to_both_modules() {
        let (real_ip_from, geo) = trusted(&["10.0.0.0/8".to_owned(), "fd00::1".to_owned()]).unwrap();
        assert_eq!(
            real_ip_from,
            "set_real_ip_from 10.0.0.0/8;\nset_real_ip_from fd00::1;"
        );
        assert_eq!(geo, "10.0.0.0/8 1;\nfd00::1 1;");
    }

    #[test]
    fn a_picture_host_is_a_name_and_perhaps_a_port() {
        for good in ["cdn.example", "localhost:8443", "10.0.0.1", "a-b.c1"] {
            assert!(is_host(good), "{good}");
        }
        for bad in [
            "",
            "https://cdn.example",
            "cdn.example/a",
            "CDN.example",
            "*.example",
            ".example",
            "example.",
            "a b",
            "a;b",
            "a'b",
            "a:",
            "a:x",
            "a:123456",
            "a:1:2",
        ] {
            assert!(!is_host(bad), "{bad}");
        }
    }

    #[test]
    fn http2_is_said_as_the_version_wants_it() {
        for (text, expected) in [
            ("nginx version: nginx/1.18.0 (Ubuntu)", Some(Http2::Listen)),
            ("nginx version: nginx/1.25.0", Some(Http2::Listen)),
            ("nginx version: nginx/1.25.1\n", Some(Http2::Directive)),
            ("nginx version: openresty/1.27.1.2", Some(Http2::Directive)),
            ("bash: nginx", None),
        ] {
            assert_eq!(Http2::of_version(text), expected, "{text}");
        }
    }
}
