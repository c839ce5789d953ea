//! CPU by tier: what each process has used between two moments.
//!
//! Of a container, or of a process under a quota, it is what its cgroup counts, with all that is run beside it there; of
//! another process its own time and that of its group (nginx's workers).

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::Root;
use super::cgroup::{Counters, Quota};
use super::driver::Process;
use super::host::HostTimes;
use super::proc;

/// Reads CPU times.
#[derive(Debug, Clone)]
pub struct Meter {
    root: Root,
    /// None where there are no cgroups: then processes are read alone.
    quota: Option<Quota>,
}

/// CPU times at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    at: Instant,
    host: HostTimes,
    processes: Vec<Reading>,
    generator: Option<Reading>,
}

#[derive(Debug, Clone)]
struct Reading {
    name: String,
    pid: i32,
    /// Of the process and its group.
    seconds: f64,
    /// Of a cgroup of its own.
    cgroup: Option<Counters>,
}

/// CPU seconds between two moments.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// How long that was.
    pub seconds: f64,
    pub nginx: f64,
    /// Each replica.
    pub api: Vec<ReplicaUsage>,
    pub redis: f64,
    pub database: f64,
    /// The load generator, where it is a process of this host.
    pub generator: f64,
    pub host: HostTimes,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ReplicaUsage {
    pub name: String,
    /// CPU seconds.
    pub seconds: f64,
    /// Periods of its quota in which it ran, and those in which it had to wait; none without a quota of its own.
    pub periods: u64,
    pub throttled: u64,
}

impl Usage {
    /// CPU seconds of all replicas.
    pub fn api_seconds(&self) -> f64 {
        self.api.iter().map(|it| it.seconds).sum()
    }

    /// Cores that were used on average: CPU seconds a second.
    pub fn cores(&self, cpu_seconds: f64) -> f64 {
        if self.seconds > 0.0 {
            cpu_seconds / self.seconds
        } else {
            0.0
        }
    }
}

impl Meter {
    pub fn new(root: Root) -> Self {
        Self {
            quota: Quota::open(root.clone()).ok(),
            root,
        }
    }

    /// Reads the times of these processes, and of the generator if it is one of this host. Those without a pid, or that have
    /// ended, are left out.
    pub fn snapshot(&self, processes: &[Process], generator: Option<i32>) -> Snapshot {
        let read = |name: &str, pid: i32| {
            Some(Reading {
                name: name.to_owned(),
                pid,
                seconds: proc::group_seconds(&self.root.proc, pid)?,
                cgroup: self.quota.as_ref().and_then(|quota| quota.counters(pid)),
            })
        };
        Snapshot {
            at: Instant::now(),
            host: HostTimes::read(&self.root),
            processes: processes
                .iter()
                .filter_map(|it| read(&it.name, it.pid?))
                .collect(),
            generator: generator.and_then(|pid| read("generator", pid)),
        }
    }
}

impl Snapshot {
    /// What was used since an earlier one. A process that was started in between counts from its start; one that ended is
    /// not counted.
    pub fn since(&self, earlier: &Self) -> Usage {
        let mut usage = Usage {
            seconds: self.at.duration_since(earlier.at).as_secs_f64(),
            host: self.host.since(earlier.host),
            ..Usage::default()
        };
        for now in &self.processes {
            let used = now.since(&earlier.processes);
            match now.name.as_str() {
                "nginx" => usage.nginx += used.seconds,
                "redis" => usage.redis += used.seconds,
                "database" => usage.database += used.seconds,
                name if name.starts_with("api-") => usage.api.push(ReplicaUsage {
                    name: name.to_owned(),
                    seconds: used.seconds,
                    periods: used.periods,
                    throttled: used.throttled,
                }),
                _ => {}
            }
        }
        if let Some(now) = &self.generator {
            usage.generator = now.since(earlier.generator.as_slice()).seconds;
        }
        usage
    }
}

impl Reading {
    fn since(&self, earlier: &[Self]) -> Counters {
        let earlier = earlier
            .iter()
            .find(|it| it.name == self.name && it.pid == self.pid);
        match (self.cgroup, earlier.map(|it| it.cgroup)) {
            (Some(now), Some(Some(then))) => now.since(then),
            (Some(now), None) => now,
            // Put under a quota meanwhile, or taken out of one: the process's own time goes on.
            _ => Counters {
                seconds: (self.seconds - earlier.map_or(0.0, |it| it.seconds)).max(0.0),
                ..Counters::default()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::stack::proc::tests::put;

    fn process(name: &str, pid: i32) -> Process {
        Process {
            name: name.to_owned(),
            state: "ready".to_owned(),
            address: String::new(),
            ops_address: None,
            pid: Some(pid),
            cpu: None,
        }
    }

    fn host(proc: &Path, busy: u64, steal: u64) {
        fs::write(
            proc.join("stat"),
            format!("cpu  {busy} 0 0 1000 0 0 0 {steal} 0 0\n"),
        )
        .unwrap();
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }

    #[test]
    fn cpu_is_told_by_tier_for_processes() {
        let folder = tempfile::tempdir().unwrap();
        let proc = folder.path().join("proc");
        fs::create_dir_all(&proc).unwrap();
        let meter = Meter {
            root: Root {
                proc: proc.clone(),
                cgroup: folder.path().join("none"),
            },
            quota: None,
        };
        let mut shown = vec![
            process("nginx", 10),
            process("api-1", 20),
            process("redis", 30),
            process("database", 40),
        ];
        for pid in [10, 20, 30, 40, 50] {
            put(&proc, pid, 1, pid, 100, 0);
        }
        put(&proc, 11, 10, 10, 100, 0);
        host(&proc, 1000, 0);
        let before = meter.snapshot(&shown, Some(50));
        for (pid, ticks) in [(10, 110), (20, 300), (30, 150), (40, 500), (50, 180)] {
            put(&proc, pid, 1, pid, ticks, 0);
        }
        put(&proc, 11, 10, 10, 190, 0);
        put(&proc, 60, 1, 60, 70, 0);
        host(&proc, 2000, 100);
        shown.push(process("api-2", 60));
        shown.push(process("migrate", 20));
        let usage = meter.snapshot(&shown, Some(50)).since(&before);
        near(usage.nginx, 1.0);
        near(usage.redis, 0.5);
        near(usage.database, 4.0);
        near(usage.generator, 0.8);
        let api: Vec<&str> = usage.api.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(api, ["api-1", "api-2"]);
        near(usage.api[0].seconds, 2.0);
        near(usage.api[1].seconds, 0.7);
        near(usage.api_seconds(), 2.7);
        near(usage.host.busy, 10.0);
        near(usage.host.steal, 1.0);
    }

    #[test]
    fn a_replaced_replica_counts_from_its_start_and_one_put_under_a_quota_goes_on() {
        let reading = |pid, seconds, cgroup: Option<f64>| Reading {
            name: "api-1".to_owned(),
            pid,
            seconds,
            cgroup: cgroup.map(|seconds| Counters {
                seconds,
                periods: 10,
                throttled: 5,
            }),
        };
        let cases = [
            (reading(7, 9.0, None), reading(8, 2.0, None), 2.0),
            (reading(7, 9.0, None), reading(8, 2.0, Some(2.5)), 2.5),
            (reading(7, 9.0, None), reading(7, 11.0, Some(1.5)), 2.0),
            (reading(7, 9.0, Some(3.0)), reading(7, 11.0, None), 2.0),
            (reading(7, 9.0, Some(3.0)), reading(7, 11.0, Some(6.5)), 3.5),
        ];
        for (then, now, expected) in cases {
            near(now.since(&[then]).seconds, expected);
        }
    }
}
