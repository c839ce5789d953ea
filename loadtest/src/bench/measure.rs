//! What a process has cost in CPU time, and its environment. All from `/proc`, so Linux only.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::stack::proc::{self, Stat, TICKS};

const PROC: &str = "/proc";

/// Whose CPU time is counted.
#[derive(Debug, Clone, Copy)]
pub enum Meter {
    /// One process with all of its threads, those included that have ended.
    Process(i32),
    /// A process and its children: nginx's master and workers.
    Family(i32),
}

impl Meter {
    /// CPU seconds so far, user and system. Exact to 10 ms for each process.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn cpu_seconds(self) -> Result<f64> {
        match self {
            Self::Process(pid) => Ok(seconds(&stat(pid)?)),
            Self::Family(master) => {
                let own = seconds(&stat(master)?);
                Ok(own + children(master).iter().map(seconds).sum::<f64>())
            }
        }
    }
}

/// How many children a process has now.
pub fn count_children(master: i32) -> usize {
    children(master).len()
}

/// The environment that a process was started with: what it takes to start another like it.
///
/// # Errors
/// When the process is gone or another user's.
pub fn environment(pid: i32) -> Result<Vec<(String, String)>> {
    let path = format!("/proc/{pid}/environ");
    let bytes = fs::read(&path).with_context(|| path.clone())?;
    Ok(variables(&bytes))
}

fn variables(bytes: &[u8]) -> Vec<(String, String)> {
    bytes
        .split(|byte| *byte == 0)
        .filter_map(|entry| {
            let (name, value) = std::str::from_utf8(entry).ok()?.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        })
        .collect()
}

/// CPU seconds of one process, user and system.
#[expect(clippy::cast_precision_loss, reason = "CPU ticks are far below 2^52")]
fn seconds(stat: &Stat) -> f64 {
    stat.own as f64 / TICKS
}

fn stat(pid: i32) -> Result<Stat> {
    Stat::read(Path::new(PROC), pid).with_context(|| format!("process {pid} does not run"))
}

/// A process that ends meanwhile is not ours.
fn children(master: i32) -> Vec<Stat> {
    let mut all = proc::all(Path::new(PROC));
    all.retain(|stat| stat.parent == master);
    all
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn user_and_system_time_are_read_behind_any_name() {
        let line = "42 (a (b) c) S 7 42 42 0 -1 4194560 1 0 0 0 150 25 0 0 20 0 3 0 100 1000 50 1";
        let stat = Stat::parse(line).unwrap();
        assert_eq!(stat.parent, 7);
        assert!((seconds(&stat) - 1.75).abs() < 1e-9);
        assert_eq!(Stat::parse("42 (name S 7"), None);
    }

    #[test]
    fn this_process_can_be_measured() {
        let pid = i32::try_from(std::process::id()).unwrap();
        assert!(Meter::Process(pid).cpu_seconds().is_ok());
        assert!(environment(pid).unwrap().iter().any(|(name, _)| name == "PATH"));
    }

    #[test]
    fn values_may_hold_equals_signs() {
        let read = variables(b"URL=a?b=c\0EMPTY=\0nonsense\0");
        let expected = [("URL", "a?b=c"), ("EMPTY", "")];
        assert_eq!(
            read,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }
}
