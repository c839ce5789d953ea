//! What a process has cost in CPU time, and its environment. All from `/proc`, so Linux only.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Clock ticks a second in `/proc/PID/stat` (`USER_HZ`): 100 on every architecture that Trestle is built for.
const TICKS: f64 = 100.0;

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
            Self::Process(pid) => Ok(Stat::of(pid)?.cpu_seconds),
            Self::Family(master) => {
                let own = Stat::of(master)?.cpu_seconds;
                let children = children(master)?;
                Ok(own + children.iter().map(|child| child.cpu_seconds).sum::<f64>())
            }
        }
    }
}

/// How many children a process has now.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn count_children(master: i32) -> Result<usize> {
    Ok(children(master)?.len())
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

#[derive(Debug, Clone, Copy, PartialEq)]
struct Stat {
    parent: i32,
    cpu_seconds: f64,
}

impl Stat {
    fn of(pid: i32) -> Result<Self> {
        let path = format!("/proc/{pid}/stat");
        let text = fs::read_to_string(&path).with_context(|| path.clone())?;
        Self::parse(&text).with_context(|| format!("{path} is not as proc(5) says"))
    }

    /// The name in parentheses may hold anything, parentheses and spaces included: what follows the last one counts.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let parent = fields.get(1)?.parse().ok()?;
        let user: f64 = fields.get(11)?.parse().ok()?;
        let system: f64 = fields.get(12)?.parse().ok()?;
        Some(Self {
            parent,
            cpu_seconds: (user + system) / TICKS,
        })
    }
}

fn children(master: i32) -> Result<Vec<Stat>> {
    let entries = fs::read_dir(Path::new("/proc")).context("/proc")?;
    Ok(entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        // A process that ends meanwhile is not ours.
        .filter_map(|pid| Stat::of(pid).ok())
        .filter(|stat| stat.parent == master)
        .collect())
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
        assert!((stat.cpu_seconds - 1.75).abs() < 1e-9);
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
