//! What the kernel says of this process (`/proc`), under the names that Prometheus's own client libraries use.

/// Clock ticks a second in `/proc`: Linux tells user space 100 on every architecture we build for.
const TICKS: f64 = 100.0;

/// Read at a scrape; what cannot be read is zero.
#[derive(Debug, Default)]
pub struct Process {
    pub resident_bytes: u64,
    pub cpu_seconds: f64,
    pub threads: u64,
    pub open_fds: u64,
    pub max_fds: u64,
    /// Seconds since 1970.
    pub started: f64,
}

impl Process {
    pub fn read() -> Self {
        let text = |path| std::fs::read_to_string(path).unwrap_or_default();
        let fds = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        let (status, limits) = (text("/proc/self/status"), text("/proc/self/limits"));
        let (cpu_seconds, started) = times(&text("/proc/self/stat"), &text("/proc/stat"));
        Self {
            resident_bytes: resident_bytes(&status),
            threads: first_number(&status, "Threads:"),
            open_fds: u64::try_from(fds).unwrap_or_default(),
            max_fds: first_number(&limits, "Max open files"),
            cpu_seconds,
            started,
        }
    }
}

/// What this process has in memory, without the rest; 0 when it cannot be read.
pub fn resident() -> u64 {
    resident_bytes(&std::fs::read_to_string("/proc/self/status").unwrap_or_default())
}

/// Seconds of CPU that this process has used; 0 when that cannot be read.
pub fn cpu_seconds() -> f64 {
    times(
        &std::fs::read_to_string("/proc/self/stat").unwrap_or_default(),
        "",
    )
    .0
}

fn resident_bytes(status: &str) -> u64 {
    // kB, which here means KiB.
    first_number(status, "VmRSS:") * 1024
}

/// The first number behind a line's name.
fn first_number(text: &str, name: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}

/// Seconds of CPU used, and the time of the start.
#[expect(clippy::cast_precision_loss, reason = "seconds fit into 52 bits")]
fn times(stat: &str, boot: &str) -> (f64, f64) {
    // The name of the program is in brackets and may hold anything; fields are counted from behind it, as in proc(5).
    let behind = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<u64> = behind
        .split_whitespace()
        .map(|field| field.parse().unwrap_or_default())
        .collect();
    let seconds = |number: usize| fields.get(number - 3).map_or(0.0, |ticks| *ticks as f64 / TICKS);
    let booted = first_number(boot, "btime") as f64;
    (seconds(14) + seconds(15), booted + seconds(22))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_behind_a_name_that_may_hold_anything() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 0 0 0 0 150 50 0 0 20 0 5 0 1000 1 42";
        let (cpu, started) = times(stat, "cpu 1\nbtime 1700000000\n");
        assert!((cpu - 2.0).abs() < 1e-9, "{cpu}");
        assert!((started - 1_700_000_010.0).abs() < 1e-6, "{started}");
    }

    #[test]
    fn this_process_is_read() {
        let process = Process::read();
        assert!(process.resident_bytes > 0 && process.threads > 0 && process.open_fds > 2);
        assert!(resident() > 0);
        assert!(process.max_fds > 0 && process.started > 1e9);
    }
}
