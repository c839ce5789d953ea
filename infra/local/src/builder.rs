//! How a test says which stack it wants.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::guard::Guard;
use crate::options::{MYSQLD, Options};
use crate::own::Own;
use crate::stack::Stack;

/// How a test wants its stack.
#[derive(Debug, Clone)]
pub struct StackBuilder {
    options: Options,
    folder: Option<PathBuf>,
}

impl Default for StackBuilder {
    fn default() -> Self {
        let options = Options {
            port: 0,
            products: 0,
            customers: 0,
            mysqld: std::env::var_os(MYSQLD)
                .filter(|path| !path.is_empty())
                .map(PathBuf::from),
            ..Options::default()
        };
        Self {
            options,
            folder: None,
        }
    }
}

impl StackBuilder {
    /// A data folder that stays; without one the stack has a temporary one.
    pub fn data_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    pub fn replicas(mut self, count: usize) -> Self {
        self.options.replicas = count;
        self
    }

    /// Products that the empty shop is seeded with.
    pub fn products(mut self, count: u64) -> Self {
        self.options.products = count;
        self
    }

    /// Customers that come with the products.
    pub fn customers(mut self, count: u64) -> Self {
        self.options.customers = count;
        self
    }

    /// The shop's port; 0, the default, takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.options.port = port;
        self
    }

    /// Speaks https at a free port, with a certificate of a private authority.
    pub fn tls(mut self) -> Self {
        self.options.tls_port = Some(0);
        self
    }

    pub fn hostname(mut self, name: &str) -> Self {
        self.options.hostname = Some(name.to_owned());
        self
    }

    /// Addresses or networks whose X-Forwarded-* headers nginx believes.
    pub fn trusted_proxies(mut self, proxies: &[&str]) -> Self {
        self.options.trusted_proxies = proxies.iter().map(|&proxy| proxy.to_owned()).collect();
        self
    }

    /// Hosts whose pictures the pages may show.
    pub fn picture_hosts(mut self, hosts: &[&str]) -> Self {
        self.options.picture_hosts = hosts.iter().map(|&host| host.to_owned()).collect();
        self
    }

    /// A variable for trestle-api.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.options.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Whether a dead replica is replaced; it is by default.
    pub fn replace_dead(mut self, replace: bool) -> Self {
        self.options.replace_dead = replace;
        self
    }

    /// Further arguments for the database server, such as a port of its own.
    pub fn database_arguments(mut self, arguments: &[String]) -> Self {
        self.options.database_arguments = arguments.to_vec();
        self
    }

    /// Further arguments for Redis.
    pub fn redis_arguments(mut self, arguments: &[String]) -> Self {
        self.options.redis_arguments = arguments.to_vec();
        self
    }

    pub fn redis(mut self, wanted: bool) -> Self {
        self.options.redis = wanted;
        self
    }

    /// nginx; without it the replicas are asked directly.
    pub fn web(mut self, wanted: bool) -> Self {
        self.options.web = wanted;
        self
    }

    /// A database server and nothing else: no schema either.
    pub fn database_only(mut self) -> Self {
        self.options = Options {
            replicas: 0,
            redis: false,
            api: false,
            web: false,
            ..self.options
        };
        self
    }

    /// The database server's program. Without it `TRESTLE_MYSQLD` names one, else an installed one is used.
    pub fn mysqld(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.mysqld = Some(path.into());
        self
    }

    /// An installed server, whatever `TRESTLE_MYSQLD` says.
    pub fn installed_mysqld(mut self) -> Self {
        self.options.mysqld = None;
        self
    }

    pub fn api_executable(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.api_executable = Some(path.into());
        self
    }

    /// Starts the stack and returns when all of it is ready. Its events go to `logs/launcher.log` in the data folder.
    pub async fn start(self) -> Result<Stack> {
        let mut options = self.options;
        let temporary = if self.folder.is_none() {
            Some(
                tempfile::Builder::new()
                    .prefix("trestle-")
                    .tempdir()
                    .context("a temporary data folder")?,
            )
        } else {
            None
        };
        if let Some(folder) = self
            .folder
            .as_deref()
            .or(temporary.as_ref().map(tempfile::TempDir::path))
        {
            folder.clone_into(&mut options.data);
        }
        let log = options.data.join("logs").join("launcher.log");
        let mut own = Own::prepare(options, crate::events::to_file(log)).await?;
        // A database alone belongs to a tool that ends it by itself; `trestle` may not be built then.
        let guard = Guard::start(own.supervisor.data.root(), temporary.is_some());
        own.guard = if own.supervisor.api.is_some() {
            Some(guard?)
        } else {
            guard.ok()
        };
        own.temporary = temporary;
        Stack::of(own).run_or_stop().await
    }
}
