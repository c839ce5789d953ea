//! Processes as `/proc` has them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

/// Clock ticks a second in `/proc`: Linux tells user space 100 on every architecture that we build for.
pub const TICKS: f64 = 100.0;

/// What is used here of one line of `/proc/PID/stat` (proc(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    pub pid: i32,
    pub state: char,
    pub parent: i32,
    pub group: i32,
    /// CPU ticks of all its threads.
    pub own: u64,
    /// CPU ticks of its children that have ended and were waited for.
    pub waited: u64,
    /// Ticks since boot.
    pub started: u64,
}

impl Stat {
    /// The program's name stands in brackets and may hold anything, so fields are counted from the last one.
    pub fn parse(line: &str) -> Option<Self> {
        let pid = line.get(..line.find('(')?)?.trim().parse().ok()?;
        let behind = line.get(line.rfind(')')? + 1..)?;
        let fields: Vec<&str> = behind.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3).copied();
        let ticks = |number: usize| field(number)?.parse::<u64>().ok();
        Some(Self {
            pid,
            state: field(3)?.chars().next()?,
            parent: field(4)?.parse().ok()?,
            group: field(5)?.parse().ok()?,
            own: ticks(14)? + ticks(15)?,
            waited: ticks(16)? + ticks(17)?,
            started: ticks(22)?,
        })
    }

    pub fn read(proc: &Path, pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(proc.join(pid.to_string()).join("stat")).ok()?)
    }

    /// A zombie has ended; only its parent has not asked yet.
    pub fn is_alive(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// Every process that can be seen.
pub fn all(proc: &Path) -> Vec<Stat> {
    let Ok(entries) = fs::read_dir(proc) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Stat::read(proc, pid))
        .collect()
}

/// A process and all that descend from it, itself first; none when it does not run.
pub fn family(proc: &Path, pid: i32) -> Vec<Stat> {
    let all = all(proc);
    let mut family: Vec<Stat> = all.iter().filter(|it| it.pid == pid).cloned().collect();
    let mut next = 0;
    while let Some(parent) = family.get(next).map(|it| it.pid) {
        family.extend(all.iter().filter(|it| it.parent == parent).cloned());
        next += 1;
    }
    family
}

/// Seconds of CPU that a process and those of its group have used.
///
/// nginx's workers are of its group; what one that has ended used, its master waited for. None when the process does not run.
pub fn group_seconds(proc: &Path, pid: i32) -> Option<f64> {
    let leader = Stat::read(proc, pid)?;
    let others = if leader.group == pid {
        all(proc)
    } else {
        Vec::new()
    };
    let workers = others.iter().filter(|it| it.group == pid && it.pid != pid);
    let own: f64 = workers
        .chain([&leader])
        .map(|it| clock(proc, it.pid).unwrap_or_else(|| seconds(it.own)))
        .sum();
    Some(own + seconds(leader.waited))
}

#[expect(clippy::cast_precision_loss, reason = "CPU ticks are far below 2^52")]
fn seconds(ticks: u64) -> f64 {
    ticks as f64 / TICKS
}

/// A process's CPU clock, in nanoseconds where `stat` has ticks of 10 ms: of a tier that uses a hundredth of a core, a few seconds of
/// ticks say nothing. None for a made-up `/proc`.
fn clock(proc: &Path, pid: i32) -> Option<f64> {
    if proc != Path::new("/proc") {
        return None;
    }
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(pid)).ok()?;
    clock_gettime(clock)
        .ok()
        .map(|time| Duration::from(time).as_secs_f64())
}

#[cfg(test)]
pub(super) mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]
    use super::*;

    /// One process of a made-up `/proc`.
    pub fn put(proc: &Path, pid: i32, parent: i32, group: i32, own: u64, waited: u64) {
        let folder = proc.join(pid.to_string());
        fs::create_dir_all(&folder).unwrap();
        let line = format!(
            "{pid} (a) b (c)) S {parent} {group} 1 0 -1 0 0 0 0 0 {own} 0 {waited} 0 20 0 3 0 {} 1 1",
            1000 + pid
        );
        fs::write(folder.join("stat"), line).unwrap();
    }

    #[test]
    fn fields_are_counted_from_the_last_bracket() {
        let line = "7 (a) b (c)) S 2 5 1 0 -1 4194560 0 0 0 0 150 50 9 1 20 0 5 0 1000 1 42";
        let expected = Stat {
            pid: 7,
            state: 'S',
            parent: 2,
            group: 5,
            own: 200,
            waited: 10,
            started: 1000,
        };
        assert_eq!(Stat::parse(line), Some(expected));
        assert_eq!(Stat::parse("7 (a) S 2 5"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn a_family_is_found_through_its_parents() {
        let proc = tempfile::tempdir().unwrap();
        for (pid, parent) in [(10, 1), (11, 10), (12, 11), (13, 1)] {
            put(proc.path(), pid, parent, 10, 0, 0);
        }
        let mut pids: Vec<i32> = family(proc.path(), 10).iter().map(|it| it.pid).collect();
        pids.sort_unstable();
        assert_eq!(pids, [10, 11, 12]);
        assert_eq!(family(proc.path(), 99), []);
    }

    #[test]
    fn the_cpu_of_workers_counts_also_after_their_end() {
        let proc = tempfile::tempdir().unwrap();
        put(proc.path(), 10, 1, 10, 100, 0);
        put(proc.path(), 11, 10, 10, 400, 0);
        put(proc.path(), 12, 1, 12, 900, 0);
        assert_eq!(group_seconds(proc.path(), 10), Some(5.0));
        fs::remove_dir_all(proc.path().join("11")).unwrap();
        put(proc.path(), 10, 1, 10, 100, 450);
        assert_eq!(group_seconds(proc.path(), 10), Some(5.5));
        assert_eq!(group_seconds(proc.path(), 99), None);
    }
}
