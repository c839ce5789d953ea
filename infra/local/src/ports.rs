//! Loopback ports: free ones for the replicas, and who holds one that is taken.

use std::collections::HashSet;
use std::fs;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Result, bail, ensure};

use crate::procfs;

/// Where free ports are looked for: below what Linux gives to outgoing connections (32768 and up), or a connection of
/// anybody's could take a port between its choice and its use.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// `count` different free ports on 127.0.0.1. They are free when asked for: whoever binds one must be ready to lose the
/// race and ask again.
pub fn free(count: usize) -> Result<Vec<u16>> {
    // Each call starts elsewhere, so that stacks that start together seldom choose the same.
    let start = RandomState::new().build_hasher().finish();
    let size = u64::from(RANGE.end - RANGE.start);
    let mut held = Vec::with_capacity(count);
    for step in 0..size {
        if held.len() == count {
            break;
        }
        let offset = u16::try_from(start.wrapping_add(step) % size).unwrap_or_default();
        let port = RANGE.start + offset;
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            held.push((port, listener));
        }
    }
    ensure!(
        held.len() == count,
        "no free port on 127.0.0.1 between {} and {}",
        RANGE.start,
        RANGE.end
    );
    Ok(held.iter().map(|(port, _)| *port).collect())
}

/// Fails when the address cannot be bound, naming `flag` and the process that holds it if that can be known.
pub fn check_free(address: SocketAddr, flag: &str) -> Result<()> {
    let Err(error) = TcpListener::bind(address) else {
        return Ok(());
    };
    let port = address.port();
    match error.kind() {
        std::io::ErrorKind::AddrInUse => match holder(port) {
            Some((pid, command)) => {
                bail!("{flag} {port} is taken by {command} (pid {pid}); choose another with {flag}")
            }
            None => bail!(
                "{flag} {port} is taken by another process (of another user); choose another with {flag}"
            ),
        },
        std::io::ErrorKind::PermissionDenied => {
            bail!("{flag} {port} needs root; choose one from 1024 with {flag}")
        }
        _ => bail!("{flag} {port} cannot be bound: {error}"),
    }
}

/// The process that listens on a TCP port: its pid and command. `None` when no process does, or when it belongs to
/// another user and its files cannot be read.
pub fn holder(port: u16) -> Option<(i32, String)> {
    let sockets: HashSet<u64> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening(&table, port))
        .collect();
    if sockets.is_empty() {
        return None;
    }
    procfs::all()
        .iter()
        .find(|stat| holds(stat.pid, &sockets))
        .map(|stat| {
            (
                stat.pid,
                procfs::command(stat.pid).unwrap_or_else(|| "a process".to_owned()),
            )
        })
}

/// Inodes of the sockets that listen on `port`, from the text of `/proc/net/tcp` or `tcp6`.
fn listening(table: &str, port: u16) -> Vec<u64> {
    const LISTEN: &str = "0A";
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let (_, local) = fields.get(1)?.rsplit_once(':')?;
            let is_ours = u16::from_str_radix(local, 16).ok()? == port && *fields.get(3)? == LISTEN;
            is_ours.then(|| fields.get(9)?.parse().ok()).flatten()
        })
        .collect()
}

fn holds(pid: i32, sockets: &HashSet<u64>) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    files
        .flatten()
        .filter_map(|file| fs::read_link(file.path()).ok())
        .filter_map(|target| socket_inode(target.to_str()?))
        .any(|inode| sockets.contains(&inode))
}

fn socket_inode(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]
    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 0 20 4 30 10 -1
   2: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4244 1 0 100 0 0 10 0
";

    #[test]
    fn only_listening_sockets_of_the_port_count() {
        assert_eq!(listening(TABLE, 8080), [4242]);
        assert_eq!(listening(TABLE, 80), [] as [u64; 0]);
    }

    #[test]
    fn a_taken_port_names_the_process_that_holds_it() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let error = check_free(address, "--port").unwrap_err().to_string();
        let pid = std::process::id();
        assert!(
            error.contains("--port") && error.contains(&format!("pid {pid}")),
            "{error}"
        );
    }

    #[test]
    fn free_ports_differ_and_can_be_bound() {
        let ports = free(4).unwrap();
        assert_eq!(ports.iter().collect::<HashSet<_>>().len(), 4);
        for port in ports {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        }
    }
}
