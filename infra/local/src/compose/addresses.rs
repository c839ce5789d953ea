//! Where a program on the host finds the tiers: with the passwords that the project made, at the containers' own addresses.
//!
//! A container's address changes when it is started again, so it is looked up each time; passwords do not.

use anyhow::{Context as _, Result};

use super::docker::{SOON, docker};
use super::{Compose, Container};

/// What does not change while the project runs.
pub(crate) struct Addresses {
    pub url: String,
    database: String,
    redis: String,
}

impl Addresses {
    pub fn read(compose: &Compose) -> Result<Self> {
        let api = compose.serving()?;
        let secret = |name: &str| {
            let path = format!("/run/trestle-secrets/api/{name}");
            let text = docker(&["exec", &api.id, "cat", &path], SOON);
            Ok::<_, anyhow::Error>(text.with_context(|| format!("reading {path}"))?.trim().to_owned())
        };
        Ok(Self {
            url: compose.url()?,
            database: secret("database-url")?,
            redis: secret("redis-url")?,
        })
    }

    /// With the name `mysql`, which nothing answers to here, while the container has no address.
    pub fn database(&self, compose: &Compose) -> String {
        at_container(&self.database, compose, "database")
    }

    pub fn redis(&self, compose: &Compose) -> String {
        at_container(&self.redis, compose, "redis")
    }
}

fn at_container(url: &str, compose: &Compose, name: &str) -> String {
    let container = compose.find(name).ok();
    let address = container.as_ref().and_then(Container::address);
    address.map_or_else(|| url.to_owned(), |address| with_host(url, address))
}

/// The URL with another host; account, port and path stay.
fn with_host(url: &str, host: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find('/').map_or(url.len(), |at| start + at);
    let authority = &url[start..end];
    let (account, server) = authority.rsplit_once('@').unwrap_or(("", authority));
    let port = server.rsplit_once(':').map_or("", |(_, port)| port);
    let at = if account.is_empty() { "" } else { "@" };
    let colon = if port.is_empty() { "" } else { ":" };
    format!("{}{account}{at}{host}{colon}{port}{}", &url[..start], &url[end..])
}

#[cfg(test)]
mod tests {
    use super::with_host;

    #[test]
    fn a_url_keeps_all_but_its_host() {
        for (url, expected) in [
            (
                "mysql://trestle:p%40w@mysql:3306/trestle?ssl-mode=disabled",
                "mysql://trestle:p%40w@10.0.0.2:3306/trestle?ssl-mode=disabled",
            ),
            (
                "mysql://trestle:pw@mysql/trestle",
                "mysql://trestle:pw@10.0.0.2/trestle",
            ),
            ("redis://:pw@redis:6379/0", "redis://:pw@10.0.0.2:6379/0"),
            ("redis://redis:6379", "redis://10.0.0.2:6379"),
        ] {
            assert_eq!(with_host(url, "10.0.0.2"), expected);
        }
    }
}
