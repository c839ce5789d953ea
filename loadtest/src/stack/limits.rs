//! How many shoppers one generator may have: each is a connection, which takes a file and a port.

use std::fs;

use anyhow::{Context as _, Result};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::Root;

/// Files that are no connections: the journal, results, libraries, what the runtime needs.
const OTHER_FILES: u64 = 100;
/// Ports that other programs hold, or that a repeated connection has just left behind.
const OTHER_PORTS: u64 = 500;

/// What this process may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open files.
    pub files: u64,
    /// Connections to one address and port.
    pub ports: u64,
}

impl Limits {
    /// Raises the file limit as far as an ordinary user may, and reads what there is then.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn raise(root: &Root) -> Result<Self> {
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).context("reading the file limit")?;
        if soft < hard {
            setrlimit(Resource::RLIMIT_NOFILE, hard, hard).context("raising the file limit")?;
        }
        Ok(Self {
            files: hard,
            ports: ports(root)?,
        })
    }

    /// Shoppers that fit.
    pub fn most(self) -> u64 {
        let files = self.files.saturating_sub(OTHER_FILES);
        files.min(self.ports.saturating_sub(OTHER_PORTS))
    }

    /// Whether so many shoppers fit.
    ///
    /// # Errors
    /// What is too small, and how many would fit.
    pub fn fits(self, shoppers: usize) -> Result<(), String> {
        let most = self.most();
        if shoppers as u64 <= most {
            return Ok(());
        }
        let reason = if most == self.files.saturating_sub(OTHER_FILES) {
            format!("the file limit is {}; `ulimit -n` raises it", self.files)
        } else {
            format!(
                "one address is reached from {} ports (net.ipv4.ip_local_port_range)",
                self.ports
            )
        };
        Err(format!(
            "--shoppers {shoppers}: {most} fit into this process: {reason}. Several processes share more \
             (--start-at, then merge)"
        ))
    }
}

fn ports(root: &Root) -> Result<u64> {
    let file = root.proc.join("sys/net/ipv4/ip_local_port_range");
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let mut numbers = text.split_whitespace().map(str::parse::<u64>);
    let (Some(Ok(first)), Some(Ok(last))) = (numbers.next(), numbers.next()) else {
        anyhow::bail!("{}: {text:?} is no range of ports", file.display());
    };
    Ok((last + 1).saturating_sub(first))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]
    use super::*;

    #[test]
    fn too_many_shoppers_are_refused_with_the_number_that_fits() {
        let few_files = Limits {
            files: 1024,
            ports: 28_232,
        };
        assert_eq!(few_files.fits(924), Ok(()));
        let refused = few_files.fits(925).unwrap_err();
        assert!(
            refused.starts_with("--shoppers 925: 924 fit") && refused.contains("ulimit -n"),
            "{refused}"
        );

        let few_ports = Limits {
            files: 1_048_576,
            ports: 28_232,
        };
        let refused = few_ports.fits(30_000).unwrap_err();
        assert!(
            refused.contains("27732 fit") && refused.contains("28232 ports"),
            "{refused}"
        );
        assert!(Limits { files: 5, ports: 5 }.fits(1).is_err());
    }

    #[test]
    fn the_range_of_ports_is_counted_with_both_ends() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root {
            proc: folder.path().to_owned(),
            ..Root::default()
        };
        fs::create_dir_all(folder.path().join("sys/net/ipv4")).unwrap();
        let file = folder.path().join("sys/net/ipv4/ip_local_port_range");
        fs::write(&file, "32768\t60999\n").unwrap();
        assert_eq!(ports(&root).unwrap(), 28_232);
        fs::write(&file, "nonsense\n").unwrap();
        assert!(ports(&root).is_err());
    }

    #[test]
    fn the_file_limit_is_raised_to_the_hard_one() {
        let limits = Limits::raise(&Root::default()).unwrap();
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        assert_eq!((soft, limits.files), (hard, hard));
        assert!(limits.ports > 0);
    }
}
