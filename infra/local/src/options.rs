//! What a stack is started with.

use std::path::PathBuf;

/// Above this, the replicas' database connections would not fit into the server's 300.
pub const MOST_REPLICAS: usize = 16;

/// Names the database server's program where no `--mysqld` does; so tests and tools can be run on another server.
pub const MYSQLD: &str = "TRESTLE_MYSQLD";

#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says whether one part is wanted"
)]
pub struct Options {
    /// The private data folder.
    pub data: PathBuf,
    pub replicas: usize,
    /// The shop's port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The https port, when the shop is to speak TLS; 0 takes a free one.
    pub tls_port: Option<u16>,
    /// Products that an empty shop is filled with; 0 leaves it empty.
    pub products: u64,
    /// Customers that come with them.
    pub customers: u64,
    /// Further variables for trestle-api, which win over the stack's own.
    pub environment: Vec<(String, String)>,
    /// Whether a replica that dies is replaced, as an auto scaling group would.
    pub replace_dead: bool,
    pub redis: bool,
    /// Whether trestle-api is used at all: migrations, seed, replicas.
    pub api: bool,
    pub web: bool,
    pub hostname: Option<String>,
    pub trusted_proxies: Vec<String>,
    /// Hosts whose pictures the pages may show.
    pub picture_hosts: Vec<String>,
    /// The database server to use instead of the installed one.
    pub mysqld: Option<PathBuf>,
    /// Further arguments for the database server and for Redis, which win over the stack's own: TLS at a port, for tests.
    pub database_arguments: Vec<String>,
    pub redis_arguments: Vec<String>,
    /// trestle-api, when it is not beside this executable.
    pub api_executable: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            data: PathBuf::from(".trestle"),
            replicas: 2,
            port: 8080,
            tls_port: None,
            products: 1000,
            customers: 100,
            environment: Vec::new(),
            replace_dead: true,
            redis: true,
            api: true,
            web: true,
            hostname: None,
            trusted_proxies: Vec::new(),
            picture_hosts: Vec::new(),
            mysqld: None,
            database_arguments: Vec::new(),
            redis_arguments: Vec::new(),
            api_executable: None,
        }
    }
}

/// What the caller asked for cannot be: exit code 64. One line that names the flag.
#[derive(Debug)]
pub struct Usage(pub String);

impl std::fmt::Display for Usage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}
