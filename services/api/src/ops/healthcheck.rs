//! `trestle-api healthcheck`: what a container's health check runs, since its image has no HTTP client.
//!
//! It asks what load balancers ask, `/readyz`, so that a container is healthy exactly when a balancer would send to it.
//! Run every few seconds beside the server, it starts no runtime.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;

/// Longer than a replica under load takes; shorter than the health check's own limit.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// `/readyz` answers with less than 1 kB.
const LONGEST_ANSWER: u64 = 16 * 1024;

/// What `healthcheck` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code: 0 the replica is ready, 1 it is not, or does not answer within 2 s.")]
pub struct HealthcheckArgs {
    /// The replica's operations port; 0.0.0.0 and [::] are asked on loopback
    #[arg(
        long,
        env = "TRESTLE_OPS_LISTEN",
        default_value = "127.0.0.1:9000",
        value_name = "ADDRESS"
    )]
    ops_listen: SocketAddr,
}

/// Prints what `/readyz` said.
///
/// # Errors
/// When nobody answers, or not with HTTP.
pub fn run(args: &HealthcheckArgs) -> anyhow::Result<ExitCode> {
    let address = reachable(args.ops_listen);
    let answer = ask(address).with_context(|| format!("no answer from {address}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    crate::command::say(body.trim());
    let ready = head.split_whitespace().nth(1) == Some("200");
    Ok(if ready {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_WITHIN)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.set_write_timeout(Some(ANSWER_WITHIN))?;
    stream.write_all(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(LONGEST_ANSWER).read_to_string(&mut answer)?;
    Ok(answer)
}

/// An address to listen on as one to connect to.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_everybody_is_asked_on_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:9000", "127.0.0.1:9000"),
            ("[::]:9000", "[::1]:9000"),
            ("10.0.0.7:9000", "10.0.0.7:9000"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
