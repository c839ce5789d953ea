//! What replicas say of their connections to the database at their operations ports.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::stack::driver::Process;

/// A replica answers within a few milliseconds; the page has some 100 kB.
const PATIENCE: Duration = Duration::from_millis(500);
const LONGEST_PAGE: u64 = 4 << 20;

/// Of all replicas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Database {
    /// Seconds of statements so far.
    pub statements: f64,
    /// Connections that each replica may open: the smallest.
    pub pool: u32,
}

/// Asks each replica; none when one of them cannot be asked.
pub fn read(replicas: &[&Process]) -> Option<Database> {
    let mut all: Option<Database> = None;
    for replica in replicas {
        let one = parse(&page(replica.ops_address.as_deref()?)?)?;
        all = Some(all.map_or(one, |all| Database {
            statements: all.statements + one.statements,
            pool: all.pool.min(one.pool),
        }));
    }
    all
}

/// HTTP/1.0, so that the page comes in one piece. It is asked for between two ticks of the load, whose process is another one.
fn page(address: &str) -> Option<String> {
    let address: SocketAddr = address.parse().ok()?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    let ask = format!("GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(ask.as_bytes()).ok()?;
    let mut text = String::new();
    stream.take(LONGEST_PAGE).read_to_string(&mut text).ok()?;
    Some(text)
}

fn parse(page: &str) -> Option<Database> {
    let value = |name: &str| {
        let line = page.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse::<f64>().ok()
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small count"
    )]
    let pool = value("trestle_db_connections_limit ")? as u32;
    Some(Database {
        statements: value("trestle_db_statement_duration_seconds_sum ")?,
        pool,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read() {
        let page = "HTTP/1.0 200 OK\r\n\r\n# TYPE trestle_db_connections_limit gauge\n\
            trestle_db_connections_limit 16\ntrestle_db_statement_duration_seconds_sum 4.342912\n\
            trestle_db_statement_duration_seconds_count 11539\n";
        let expected = Database {
            statements: 4.342_912,
            pool: 16,
        };
        assert_eq!(parse(page), Some(expected));
        assert_eq!(parse("trestle_db_connections_limit 16\n"), None);
    }

    #[test]
    fn a_replica_that_cannot_be_asked_leaves_it_open() {
        let silent = Process {
            cpu: None,
            name: "api-1".to_owned(),
            state: "ready".to_owned(),
            address: String::new(),
            ops_address: None,
            pid: None,
        };
        assert_eq!(read(&[&silent]), None);
        assert_eq!(read(&[]), None);
    }
}
