//! What `/proc` says about processes, read by pid and start time.
//!
//! A pid alone names nothing: the kernel hands it out again. Every question here is asked of an [`Identity`] (pid, start
//! time, boot), and a process of another identity is never reported as ours.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// One process for good: its pid, its start in clock ticks since boot, and the boot these ticks count from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub pid: i32,
    pub started: u64,
    pub boot: String,
}

/// The fields of `/proc/PID/stat` that the launcher uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    pub pid: i32,
    pub state: char,
    pub parent: i32,
    pub group: i32,
    pub started: u64,
}

impl Stat {
    /// Reads one line of `/proc/PID/stat`. The command stands in parentheses and may hold spaces and parentheses itself,
    /// so the fields are counted from the last `)`.
    pub fn parse(line: &str) -> Option<Self> {
        let open = line.find('(')?;
        let close = line.rfind(')')?;
        let pid = line.get(..open)?.trim().parse().ok()?;
        let fields: Vec<&str> = line.get(close + 1..)?.split_ascii_whitespace().collect();
        Some(Self {
            pid,
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        })
    }

    /// The process's line now, if it exists.
    pub fn read(pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// A zombie has ended; only its parent has not asked yet.
    pub fn is_alive(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }
}

impl Identity {
    /// The identity of a running process.
    pub fn of(pid: i32) -> Option<Self> {
        let stat = Stat::read(pid)?;
        Some(Self {
            pid,
            started: stat.started,
            boot: boot(),
        })
    }

    /// This very process.
    pub fn own() -> Option<Self> {
        Self::of(i32::try_from(std::process::id()).ok()?)
    }

    /// Whether this process, and no other one with its pid, runs now.
    pub fn is_alive(&self) -> bool {
        self.boot == boot()
            && Stat::read(self.pid).is_some_and(|stat| stat.started == self.started && stat.is_alive())
    }
}

/// The kernel's name for the current boot; empty where it cannot be read.
pub fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| String::new(), |text| text.trim().to_owned())
}

/// Every process that can be seen now.
pub fn all() -> Vec<Stat> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter_map(Stat::read)
        .collect()
}

/// Living children of a process.
pub fn children(parent: i32) -> Vec<Stat> {
    all()
        .into_iter()
        .filter(|stat| stat.parent == parent && stat.is_alive())
        .collect()
}

/// Living members of the process group `group` that work inside `folder`.
///
/// The folder is what makes them ours when the group's leader has ended and its pid says nothing any more: all that the
/// launcher starts runs in a folder of its own.
pub fn group_inside(group: i32, folder: &Path) -> Vec<Stat> {
    all()
        .into_iter()
        .filter(|stat| stat.group == group && stat.is_alive())
        .filter(|stat| working_folder(stat.pid).is_some_and(|cwd| cwd.starts_with(folder)))
        .collect()
}

fn working_folder(pid: i32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

/// The command's short name, for messages only.
pub fn command(pid: i32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/comm"))
        .ok()
        .map(|text| text.trim().to_owned())
}

/// Resident memory of a process group in bytes (nginx is a master and its workers).
pub fn group_memory(group: i32) -> u64 {
    all()
        .into_iter()
        .filter(|stat| stat.group == group && stat.is_alive())
        .filter_map(|stat| memory(stat.pid))
        .sum()
}

fn memory(pid: i32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]
    use super::*;

    #[test]
    fn a_command_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let line = "4711 (a) b (c)) S 1 4700 4700 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 1000 10 18446744073709551615";
        let stat = Stat::parse(line).unwrap();
        assert_eq!(
            stat,
            Stat {
                pid: 4711,
                state: 'S',
                parent: 1,
                group: 4700,
                started: 987_654
            }
        );
    }

    #[test]
    fn a_cut_off_line_is_no_process() {
        assert_eq!(Stat::parse("4711 (a) S 1 2"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn this_process_is_alive_and_one_with_its_pid_and_another_start_is_not() {
        let own = Identity::own().unwrap();
        assert!(own.is_alive());
        let other = Identity {
            started: own.started + 1,
            ..own.clone()
        };
        assert!(!other.is_alive());
        let other_boot = Identity {
            boot: "another".to_owned(),
            ..own
        };
        assert!(!other_boot.is_alive());
    }

    #[test]
    fn a_process_uses_memory() {
        let group = Stat::read(Identity::own().unwrap().pid).unwrap().group;
        assert!(group_memory(group) > 1024);
    }
}
