//! The machine: what it is, and how busy it was.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Root;
use super::proc::TICKS;
use crate::result::Machine;

/// CPU seconds of all cores together since boot, from `/proc/stat`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct HostTimes {
    /// Seconds in which somebody computed: user, nice, system, interrupts.
    pub busy: f64,
    /// Seconds in which a core was to compute and the hypervisor gave it to another guest.
    pub steal: f64,
    /// All of them, idle ones too.
    pub total: f64,
}

impl HostTimes {
    /// Zeroes where it cannot be read.
    pub fn read(root: &Root) -> Self {
        Self::parse(&text(&root.proc.join("stat")))
    }

    fn parse(stat: &str) -> Self {
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "));
        // user nice system idle iowait irq softirq steal; guests are in user and nice already.
        let seconds: Vec<f64> = line
            .unwrap_or_default()
            .split_whitespace()
            .take(8)
            .map(|field| field.parse::<f64>().unwrap_or_default() / TICKS)
            .collect();
        let sum = |places: &[usize]| places.iter().filter_map(|at| seconds.get(*at)).sum();
        Self {
            busy: sum(&[0, 1, 2, 5, 6]),
            steal: sum(&[7]),
            total: seconds.iter().sum(),
        }
    }

    /// What passed since an earlier moment.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            busy: (self.busy - earlier.busy).max(0.0),
            steal: (self.steal - earlier.steal).max(0.0),
            total: (self.total - earlier.total).max(0.0),
        }
    }

    /// Share of the cores that were busy, 0 to 1.
    pub fn busy_share(self) -> f64 {
        share(self.busy, self.total)
    }

    /// Share of the time that was stolen, 0 to 1.
    pub fn steal_share(self) -> f64 {
        share(self.steal, self.total)
    }
}

fn share(part: f64, of: f64) -> f64 {
    if of > 0.0 { part / of } else { 0.0 }
}

/// What this machine is, as results state it; what cannot be read is empty.
pub fn machine(root: &Root) -> Machine {
    let (cpus, memory) = (text(&root.proc.join("cpuinfo")), text(&root.proc.join("meminfo")));
    let kernel = text(&root.proc.join("sys/kernel/osrelease"));
    let listed = cpus
        .lines()
        .filter(|line| field(line).is_some_and(|(name, _)| name == "processor"))
        .count();
    // ARM names no model but who designed the core, and as what.
    let processor = first(&cpus, "model name").map_or_else(
        || match (first(&cpus, "CPU implementer"), first(&cpus, "CPU part")) {
            (Some(by), Some(part)) => format!("{} {by}/{part}", std::env::consts::ARCH),
            _ => std::env::consts::ARCH.to_owned(),
        },
        ToOwned::to_owned,
    );
    let kib = first(&memory, "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    Machine {
        cores: listed.max(1),
        processor,
        memory_mib: kib.unwrap_or_default() / 1024,
        kernel: kernel.trim().to_owned(),
    }
}

fn first<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .filter_map(field)
        .find_map(|(found, value)| (found == name).then_some(value))
}

/// `model name : Xeon` in two.
fn field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    Some((name.trim(), value.trim()))
}

fn text(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }

    #[test]
    fn busy_and_stolen_time_are_shares_of_all_time() {
        let before = HostTimes::parse("cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 1 1 1\n");
        let after = HostTimes::parse("cpu  400 50 150 1100 50 10 40 300 300 0\n");
        let passed = after.since(before);
        near(passed.total, 11.0);
        near(passed.busy, 4.5);
        near(passed.busy_share(), 4.5 / 11.0);
        near(passed.steal_share(), 3.0 / 11.0);
        near(HostTimes::parse("").since(before).busy_share(), 0.0);
    }

    #[test]
    fn the_machine_is_read_on_x86_and_on_arm() {
        let folder = tempfile::tempdir().unwrap();
        let proc = folder.path().to_owned();
        fs::create_dir_all(proc.join("sys/kernel")).unwrap();
        let x86 = "processor\t: 0\nmodel name\t: Some CPU @ 2.0GHz\n\nprocessor\t: 1\nmodel name\t: Some CPU @ 2.0GHz\n";
        fs::write(proc.join("cpuinfo"), x86).unwrap();
        fs::write(
            proc.join("meminfo"),
            "MemTotal:        4194304 kB\nMemFree: 5 kB\n",
        )
        .unwrap();
        fs::write(proc.join("sys/kernel/osrelease"), "6.1.0-test\n").unwrap();
        let root = Root {
            proc: proc.clone(),
            ..Root::default()
        };
        let expected = Machine {
            cores: 2,
            processor: "Some CPU @ 2.0GHz".to_owned(),
            memory_mib: 4096,
            kernel: "6.1.0-test".to_owned(),
        };
        assert_eq!(machine(&root), expected);
        fs::write(
            proc.join("cpuinfo"),
            "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n",
        )
        .unwrap();
        assert!(machine(&root).processor.ends_with(" 0x41/0xd0c"));
    }

    #[test]
    fn this_machine_has_cores_memory_and_a_kernel() {
        let root = Root::default();
        let machine = machine(&root);
        assert!(machine.cores > 0 && machine.memory_mib > 0 && !machine.kernel.is_empty());
        assert!(HostTimes::read(&root).total > 0.0);
    }
}
