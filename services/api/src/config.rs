//! Configuration: flags or environment variables, read and checked once, before anything is bound.
//!
//! `trestle-api serve --help` is the table of what there is, with units and defaults. Secrets can also be given by
//! a file (`..._FILE`), and are never printed.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use axum::extract::Query;
use clap::Args;
use http::HeaderValue;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};

use crate::admission::FOR_EACH_WORKER;
use crate::authorities;
use crate::browser::Origins;
use crate::cache::redis::{client, trusting_only};
use crate::client::TrustedProxies;
use crate::instance::metadata::Service;
use crate::secrets::Keys;
use crate::types::money::Currency;

/// A value that is wrong: which variable, and why. Ends the program with exit code 64.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: {reason}")]
pub struct ConfigError {
    pub variable: &'static str,
    pub reason: String,
}

/// A value that must not be printed.
#[derive(Clone)]
pub struct Secret(String);

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Takes a secret from its variable or from the file that its `_FILE` twin names.
fn secret(
    variable: &'static str,
    value: Option<&Secret>,
    file: Option<&PathBuf>,
) -> Result<Option<String>, ConfigError> {
    match (value, file) {
        (Some(_), Some(_)) => Err(ConfigError {
            variable,
            reason: format!("both it and {variable}_FILE are given"),
        }),
        (Some(value), None) => Ok(Some(value.0.trim().to_owned()).filter(|text| !text.is_empty())),
        (None, Some(path)) => match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            Err(error) => Err(ConfigError {
                variable,
                reason: format!("the file {} cannot be read: {error}", path.display()),
            }),
        },
        (None, None) => Ok(None),
    }
}

/// Where the database is; shared by all subcommands.
#[derive(Debug, Clone, Args)]
pub struct DatabaseArgs {
    /// MySQL or MariaDB: mysql://USER:PASSWORD@HOST:PORT/DATABASE, with ?socket=PATH as needed; over a network with
    /// ?ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE, which trusts the server that FILE's authorities (or, as always, public ones) say it is
    #[arg(
        long,
        env = "TRESTLE_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    database_url: Option<Secret>,
    /// A file that holds the database URL
    #[arg(long, env = "TRESTLE_DATABASE_URL_FILE", value_name = "FILE")]
    database_url_file: Option<PathBuf>,
}

impl DatabaseArgs {
    /// # Errors
    /// When no URL is given, or one that cannot be one.
    pub fn options(&self) -> Result<MySqlConnectOptions, ConfigError> {
        database_options(
            "TRESTLE_DATABASE_URL",
            self.database_url.as_ref(),
            self.database_url_file.as_ref(),
        )
    }
}

/// What the URL in `variable`, or in the file of its `_FILE` twin, says.
///
/// # Errors
/// When no URL is given, or one that cannot be one, or that trusts whom it should not.
pub fn database_options(
    variable: &'static str,
    url: Option<&Secret>,
    file: Option<&PathBuf>,
) -> Result<MySqlConnectOptions, ConfigError> {
    let wrong = |reason: String| ConfigError { variable, reason };
    let url = secret(variable, url, file)?
        .ok_or_else(|| wrong("is required (mysql://USER:PASSWORD@HOST:PORT/DATABASE)".into()))?;
    if !url.starts_with("mysql://") && !url.starts_with("mariadb://") {
        return Err(wrong("must start with mysql://".into()));
    }
    // The parser's own error may quote the URL, which holds the password.
    let options: MySqlConnectOptions = url
        .parse()
        .map_err(|_| wrong("is not a URL that can be read".into()))?;
    if options.get_database().is_none_or(str::is_empty) {
        return Err(wrong("names no database (mysql://HOST/DATABASE)".into()));
    }
    let options = trusting(options, &url).map_err(wrong)?;
    Ok(options.statement_cache_capacity(200))
}

/// Takes the authorities that the URL's `ssl-ca` names, once for all connections: a file that goes missing later does no harm.
fn trusting(options: MySqlConnectOptions, url: &str) -> Result<MySqlConnectOptions, String> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let uri = format!("/?{query}").parse::<http::Uri>().ok();
    let pairs = uri.and_then(|uri| Query::<Vec<(String, String)>>::try_from_uri(&uri).ok());
    let named = match pairs {
        Some(Query(pairs)) => pairs
            .into_iter()
            .rfind(|(name, _)| name == "ssl-ca" || name == "sslca")
            .map(|(_, path)| path),
        None if query.contains("ca=") => {
            return Err("its query cannot be read: write odd characters in percent-encoding".into());
        }
        None => None,
    };
    let Some(path) = named else { return Ok(options) };
    if !matches!(
        options.get_ssl_mode(),
        MySqlSslMode::VerifyCa | MySqlSslMode::VerifyIdentity
    ) {
        return Err(
            "ssl-ca names whom to trust, but this ssl-mode trusts anybody: say ssl-mode=VERIFY_IDENTITY"
                .into(),
        );
    }
    let authorities = authorities::read(Path::new(&path)).map_err(|reason| format!("ssl-ca: {reason}"))?;
    Ok(options.ssl_ca_from_pem(authorities))
}

/// What `serve` takes.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each switches one thing")]
pub struct ServeArgs {
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Redis: redis://HOST:PORT/0, rediss:// for TLS, or redis+unix:///PATH; without it there is no Redis layer
    #[arg(long, env = "TRESTLE_REDIS_URL", hide_env_values = true, value_name = "URL")]
    redis_url: Option<Secret>,
    /// A file that holds the Redis URL
    #[arg(long, env = "TRESTLE_REDIS_URL_FILE", value_name = "FILE")]
    redis_url_file: Option<PathBuf>,
    /// The authorities that the certificate of Redis has to come from, for rediss:// [default: the system's,
    /// /etc/ssl/certs/ca-certificates.crt]
    #[arg(long, env = "TRESTLE_REDIS_CA_FILE", value_name = "FILE")]
    redis_ca_file: Option<PathBuf>,
    /// Keys that sign tokens and cart cookies: KID:KEY[,KID:KEY], each KEY of 32 bytes or more; the first signs
    #[arg(
        long,
        env = "TRESTLE_SECRETS_KEY",
        hide_env_values = true,
        value_name = "KEYS"
    )]
    secrets_key: Option<Secret>,
    /// A file that holds the keys
    #[arg(long, env = "TRESTLE_SECRETS_KEY_FILE", value_name = "FILE")]
    secrets_key_file: Option<PathBuf>,
    /// Address of the API
    #[arg(
        long,
        env = "TRESTLE_LISTEN",
        default_value = "127.0.0.1:8000",
        value_name = "ADDRESS"
    )]
    listen: SocketAddr,
    /// Address of the operations port (/livez, /readyz, /metrics, /log, /caches, /writes; / lists them); no proxy may lead to it
    #[arg(
        long,
        env = "TRESTLE_OPS_LISTEN",
        default_value = "127.0.0.1:9000",
        value_name = "ADDRESS"
    )]
    ops_listen: SocketAddr,
    /// This replica's name, in every answer's Trestle-Replica header [default: HOSTNAME-PID, in a container HOSTNAME]
    #[arg(long, env = "TRESTLE_REPLICA", value_name = "NAME")]
    replica: Option<String>,
    /// The zone this replica runs in [default: what EC2 says, else local]
    #[arg(long, env = "TRESTLE_ZONE", value_name = "NAME")]
    zone: Option<String>,
    /// EC2's instance metadata service, asked once at the start which machine this is: http://HOST[:PORT], or off
    #[arg(
        long,
        env = "TRESTLE_METADATA_URL",
        default_value = "http://169.254.169.254",
        value_name = "URL"
    )]
    metadata_url: Service,
    /// The shop's currency, an ISO 4217 code
    #[arg(long, env = "TRESTLE_CURRENCY", default_value = "USD", value_name = "CODE")]
    pub currency: Currency,
    /// Log filter: a level (off, error, warn, info, debug, trace), TARGET=LEVEL, or both: info,sqlx=warn
    #[arg(long, env = "TRESTLE_LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,
    /// Log lines as json or pretty
    #[arg(
        long,
        env = "TRESTLE_LOG_FORMAT",
        default_value = "json",
        value_name = "FORMAT"
    )]
    pub log_format: LogFormat,
    /// Milliseconds after which a statement is named in the log, 0 (every one) to 60000
    #[arg(long, env = "TRESTLE_SLOW_QUERY_MS", default_value_t = 500, value_name = "MS", value_parser = clap::value_parser!(u64).range(0..=60_000))]
    slow_query_ms: u64,
    /// One log line a request: on or off
    #[arg(long, env = "TRESTLE_ACCESS_LOG", default_value = "on", value_name = "on|off", value_parser = on_off, action = clap::ArgAction::Set)]
    pub access_log: bool,
    /// Threads that answer requests, 1 to 64 [default: the cores that the cgroup allows]
    #[arg(long, env = "TRESTLE_WORKERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: Option<u16>,
    /// Connections to the database, of this process in all, 4 to 1000: three for its own work, the others for its workers
    #[arg(long, env = "TRESTLE_DATABASE_CONNECTIONS", default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u32).range(4..=1000))]
    database_connections: u32,
    /// Memory for cached answers, in MiB, 0 (none are kept) to 4096
    #[arg(long, env = "TRESTLE_CACHE_MIB", default_value_t = 16, value_name = "MIB", value_parser = clap::value_parser!(u64).range(0..=4096))]
    cache_mib: u64,
    /// Whether answers are cached in memory at the start; the operations port switches it: on or off
    #[arg(long, env = "TRESTLE_CACHE_MEMORY", default_value = "on", value_name = "on|off", value_parser = on_off, action = clap::ArgAction::Set)]
    cache_memory: bool,
    /// Whether Redis is asked at the start; the operations port switches it: on or off
    #[arg(long, env = "TRESTLE_CACHE_REDIS", default_value = "on", value_name = "on|off", value_parser = on_off, action = clap::ArgAction::Set)]
    cache_redis: bool,
    /// Seconds, 0 to 30, for which shared caches (a CDN) may give catalogue answers to others: products, lists, search,
    /// categories, best sellers, new, related, reviews. That much older than said below may they then be: a product 1 s after a
    /// change, lists 5 s, best sellers 60 s. Nothing personal is ever kept; orders, carts and checkout do not read these
    #[arg(long, env = "TRESTLE_CACHE_CATALOG_SECONDS", default_value_t = 0, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(0..=30))]
    cache_catalog_seconds: u64,
    /// Requests worked on at a time, 1 to 100000; more wait in line for a moment, then are refused with 503 [default: 16 for each worker]
    #[arg(long, env = "TRESTLE_MAX_REQUESTS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max_requests: Option<u32>,
    /// Passwords hashed at a time, 1 to 64, each 19 MiB for 20 ms [default: max(1, (memory limit - 64 MiB) / 24 MiB), at most the cores]
    #[arg(long, env = "TRESTLE_HASHES", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    hashes: Option<u16>,
    /// Seconds between SIGTERM and closing the listener, 0 to 20; longer than the proxy keeps connections
    #[arg(long, env = "TRESTLE_LINGER_SECONDS", default_value_t = 3, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(0..=20))]
    linger_seconds: u64,
    /// Whether cookies are for TLS only: on or off
    #[arg(long, env = "TRESTLE_COOKIE_SECURE", default_value = "off", value_name = "on|off", value_parser = on_off, action = clap::ArgAction::Set)]
    cookie_secure: bool,
    /// Whether the web tier's nginx is in front. off: clients or a load balancer ask this API themselves, and it does what
    /// nginx does for it: limits on addresses, headers and slow clients, the security headers, compression; idle connections are kept
    /// for 75 s instead of 10
    #[arg(long, env = "TRESTLE_BEHIND_NGINX", default_value = "on", value_name = "on|off", value_parser = on_off, action = clap::ArgAction::Set)]
    behind_nginx: bool,
    /// Whether writes are taken at the start; the operations port switches it: on or off. off: they get 503 `maintenance`, reads
    /// go on, and neither orders are recovered nor old rows removed
    #[arg(long, env = "TRESTLE_WRITES", default_value = "on", value_name = "on|off", value_parser = on_off, action = clap::ArgAction::Set)]
    writes: bool,
    /// Proxies whose X-Forwarded-For, -Host and -Proto are believed: addresses or networks, by commas [default: none]
    #[arg(
        long,
        env = "TRESTLE_TRUSTED_PROXIES",
        default_value = "",
        hide_default_value = true,
        value_name = "NETWORKS"
    )]
    trusted_proxies: TrustedProxies,
    /// Other origins whose pages may use the API, exactly as browsers write them, by commas; with cookies only those of the
    /// same site (SameSite), such as another port or subdomain, others with tokens [default: none]
    #[arg(
        long,
        env = "TRESTLE_CORS_ORIGINS",
        default_value = "",
        hide_default_value = true,
        value_name = "ORIGINS"
    )]
    cors_origins: Origins,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    Json,
    Pretty,
}

fn on_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("must be on or off".into()),
    }
}

/// The checked configuration of `serve`.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each switches one thing")]
pub struct Config {
    pub database: MySqlConnectOptions,
    pub redis: Option<redis::Client>,
    pub keys: Keys,
    pub listen: SocketAddr,
    pub ops_listen: SocketAddr,
    pub replica: String,
    pub zone: Option<String>,
    pub metadata: Service,
    pub currency: Currency,
    pub slow_query: Duration,
    pub workers: usize,
    pub database_connections: u32,
    pub cache_bytes: u64,
    pub cache_memory: bool,
    pub cache_redis: bool,
    /// What catalogue answers say to shared caches; None where each is to be asked for again.
    pub shared_catalog: Option<HeaderValue>,
    pub max_requests: usize,
    pub hashes: usize,
    pub linger: Duration,
    pub cookie_secure: bool,
    pub behind_nginx: bool,
    pub writes: bool,
    pub trusted_proxies: TrustedProxies,
    pub cors_origins: Origins,
}

impl Config {
    /// # Errors
    /// The first value that is wrong.
    pub fn check(args: &ServeArgs) -> Result<Self, ConfigError> {
        let database = args.database.options()?;
        let redis = redis_client(args)?;
        let keys = secret(
            "TRESTLE_SECRETS_KEY",
            args.secrets_key.as_ref(),
            args.secrets_key_file.as_ref(),
        )?
        .ok_or_else(|| "is required (KID:KEY, KEY of 32 bytes or more)".to_owned())
        .map_err(|reason| ConfigError {
            variable: "TRESTLE_SECRETS_KEY",
            reason,
        })?;
        let keys = Keys::configured(&keys).map_err(|reason| ConfigError {
            variable: "TRESTLE_SECRETS_KEY",
            reason,
        })?;
        let replica = args
            .replica
            .clone()
            .filter(|name| !name.is_empty())
            .unwrap_or_else(default_replica);
        let zone = args.zone.clone().filter(|name| !name.is_empty());
        let names = [
            ("TRESTLE_REPLICA", Some(&replica)),
            ("TRESTLE_ZONE", zone.as_ref()),
        ];
        for (variable, name) in names
            .into_iter()
            .filter_map(|(variable, name)| Some((variable, name?)))
        {
            let good = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
            if name.is_empty() || name.len() > 64 || !name.bytes().all(good) {
                return Err(ConfigError {
                    variable,
                    reason: format!("{name:?} must be 1 to 64 letters, digits, '-', '_' or '.'"),
                });
            }
        }
        if args.listen == args.ops_listen && args.listen.port() != 0 {
            return Err(ConfigError {
                variable: "TRESTLE_OPS_LISTEN",
                reason: "is the same as TRESTLE_LISTEN".into(),
            });
        }
        crate::telemetry::parse(&args.log).map_err(|reason| ConfigError {
            variable: "TRESTLE_LOG",
            reason,
        })?;
        let own = crate::serve::FEED_CONNECTIONS + crate::serve::BACKGROUND_CONNECTIONS;
        let for_workers = args.database_connections.saturating_sub(own) as usize;
        if args
            .workers
            .is_some_and(|workers| usize::from(workers) > for_workers)
        {
            return Err(ConfigError {
                variable: "TRESTLE_WORKERS",
                reason: format!(
                    "TRESTLE_DATABASE_CONNECTIONS leaves connections for {for_workers} workers only"
                ),
            });
        }
        // available_parallelism reads the cgroup's quota and the affinity mask.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let workers = args.workers.map_or_else(|| cores.min(for_workers), usize::from);
        Ok(Self {
            database,
            redis,
            keys,
            listen: args.listen,
            ops_listen: args.ops_listen,
            replica,
            zone,
            metadata: args.metadata_url.clone(),
            currency: args.currency,
            slow_query: Duration::from_millis(args.slow_query_ms),
            workers,
            database_connections: args.database_connections,
            cache_bytes: args.cache_mib * 1024 * 1024,
            cache_memory: args.cache_memory,
            cache_redis: args.cache_redis,
            shared_catalog: shared_catalog(args.cache_catalog_seconds),
            max_requests: args
                .max_requests
                .map_or(workers * FOR_EACH_WORKER, |requests| requests as usize),
            hashes: args
                .hashes
                .map_or_else(|| default_hashes(memory_limit(), cores), usize::from),
            linger: Duration::from_secs(args.linger_seconds),
            cookie_secure: args.cookie_secure,
            behind_nginx: args.behind_nginx,
            writes: args.writes,
            trusted_proxies: args.trusted_proxies.clone(),
            cors_origins: args.cors_origins.clone(),
        })
    }
}

/// Browsers ask each time, with what they have; only what many share keeps it.
fn shared_catalog(seconds: u64) -> Option<HeaderValue> {
    let text = format!("public, max-age=0, s-maxage={seconds}");
    (seconds > 0).then(|| HeaderValue::try_from(text).ok()).flatten()
}

/// Debian's, which Amazon's own authorities are in.
const SYSTEM_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

fn redis_client(args: &ServeArgs) -> Result<Option<redis::Client>, ConfigError> {
    const URL: &str = "TRESTLE_REDIS_URL";
    const CA_FILE: &str = "TRESTLE_REDIS_CA_FILE";
    let Some(url) = secret(URL, args.redis_url.as_ref(), args.redis_url_file.as_ref())? else {
        return Ok(None);
    };
    let ca_file = args.redis_ca_file.as_deref();
    let ca_file = ca_file.filter(|path| !path.as_os_str().is_empty());
    let client = client(&url).map_err(|reason| ConfigError {
        variable: URL,
        reason,
    })?;
    if !matches!(
        client.get_connection_info().addr(),
        redis::ConnectionAddr::TcpTls { .. }
    ) {
        return match ca_file {
            None => Ok(Some(client)),
            Some(_) => Err(ConfigError {
                variable: CA_FILE,
                reason: "is for rediss:// only, and TRESTLE_REDIS_URL does not begin with that".into(),
            }),
        };
    }
    let authorities = authorities::read(ca_file.unwrap_or(Path::new(SYSTEM_AUTHORITIES)));
    let trusting = authorities.and_then(|authorities| trusting_only(&client, authorities));
    let client = trusting.map_err(|reason| ConfigError {
        variable: CA_FILE,
        reason,
    })?;
    Ok(Some(client))
}

fn default_replica() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host: String = host
        .trim()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .take(40)
        .collect();
    let host = if host.is_empty() { "api" } else { &host };
    match std::process::id() {
        // Process 1 is a container's, whose host name is the id that `docker ps` shows.
        1 => host.to_owned(),
        pid => format!("{host}-{pid}"),
    }
}

/// Hashes at a time: each needs 19 MiB beside the process itself, and more than the cores only wait.
fn default_hashes(memory_limit: Option<u64>, cores: usize) -> usize {
    const MIB: u64 = 1024 * 1024;
    let fit = memory_limit.map_or(u64::MAX, |limit| limit.saturating_sub(64 * MIB) / (24 * MIB));
    usize::try_from(fit).unwrap_or(usize::MAX).clamp(1, cores.max(1))
}

/// The memory limit of this process's cgroup (v2, then v1), in bytes.
fn memory_limit() -> Option<u64> {
    [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ]
    .iter()
    .find_map(|path| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok())
    // Version 1 says "no limit" with a number near the largest.
    .filter(|limit| *limit < 1 << 50)
}

#[cfg(test)]
mod tests {
    use super::default_hashes;

    #[test]
    fn hashes_at_a_time_follow_the_memory_limit() {
        const MIB: u64 = 1024 * 1024;
        assert_eq!(default_hashes(Some(32 * MIB), 8), 1);
        assert_eq!(default_hashes(Some(128 * MIB), 8), 2);
        assert_eq!(default_hashes(Some(4096 * MIB), 2), 2);
        assert_eq!(default_hashes(None, 4), 4);
    }
}
