//! A process beside another one in its CPU cgroup, so that both share one allowance.
//!
//! cgroup v1 and v2: whatever the `cpu` controller is mounted as. Where v1 counts CPU in a hierarchy of its own (`cpuacct`),
//! the process is counted there, too.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// The folder with cgroup v2's own empty name for "all controllers".
const UNIFIED: &str = "";

/// Moves `pid` into the CPU cgroup of `other`. False when both are in the same one anyway.
pub fn join(pid: i32, other: i32) -> Result<bool> {
    join_at(Path::new("/proc"), pid, other)
}

fn join_at(proc: &Path, pid: i32, other: i32) -> Result<bool> {
    let (ours, theirs) = (membership(proc, pid)?, membership(proc, other)?);
    let mounts = read(&proc.join("self/mountinfo"))?;
    let mut moved = false;
    for controller in hierarchies(&theirs) {
        let (Some(ours), Some(theirs)) = (path_of(&ours, controller), path_of(&theirs, controller)) else {
            continue;
        };
        if ours == theirs {
            continue;
        }
        let Some(folder) = folder(&mounts, controller, theirs) else {
            bail!("its CPU cgroup {theirs} is not mounted here");
        };
        let file = folder.join("cgroup.procs");
        fs::write(&file, pid.to_string()).with_context(|| format!("writing to {}", file.display()))?;
        moved = true;
    }
    Ok(moved)
}

/// v1's `cpu` and `cpuacct`, or v2.
fn hierarchies(membership: &str) -> &'static [&'static str] {
    if path_of(membership, "cpu").is_some() {
        &["cpu", "cpuacct"]
    } else {
        &[UNIFIED]
    }
}

/// The path of a process in a controller's hierarchy: lines like `4:cpu,cpuacct:/shop` or `0::/shop`.
fn path_of<'a>(membership: &'a str, controller: &str) -> Option<&'a str> {
    membership.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        controllers
            .split(',')
            .any(|one| one == controller)
            .then_some(path)
    })
}

/// Where this process sees that path: field 4 of `mountinfo` is the part of the hierarchy that is mounted, field 5 where.
fn folder(mounts: &str, controller: &str, path: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (fields, kind) = line.split_once(" - ")?;
        let mut kind = kind.split(' ');
        let fits = match (kind.next()?, controller) {
            ("cgroup2", UNIFIED) => true,
            ("cgroup", UNIFIED) => false,
            ("cgroup", _) => kind.next_back()?.split(',').any(|one| one == controller),
            _ => false,
        };
        let mut fields = fields.split(' ').skip(3);
        let (root, at) = (fields.next()?, fields.next()?);
        let inside = Path::new(path).strip_prefix(root).ok()?;
        fits.then(|| Path::new(at).join(inside))
    })
}

fn membership(proc: &Path, pid: i32) -> Result<String> {
    read(&proc.join(pid.to_string()).join("cgroup"))
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| file.display().to_string())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]
    use super::*;

    /// A machine on which process 7 is in the cgroup `/shop/api-1` and process 8 in the root.
    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new(mounts: &[(&str, &str)], lines: &[&str]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let proc = folder.path().join("proc");
            fs::create_dir_all(proc.join("self")).unwrap();
            let mut mountinfo = vec!["22 1 0:21 / /proc rw - proc proc rw".to_owned()];
            for (name, kind) in mounts {
                let at = folder.path().join(name);
                fs::create_dir_all(at.join("shop/api-1")).unwrap();
                mountinfo.push(format!("32 31 0:29 / {} rw - {kind}", at.display()));
            }
            fs::write(proc.join("self/mountinfo"), mountinfo.join("\n")).unwrap();
            for (pid, path) in [("7", "/shop/api-1"), ("8", "/")] {
                fs::create_dir_all(proc.join(pid)).unwrap();
                let text: Vec<String> = lines.iter().map(|line| format!("{line}{path}")).collect();
                fs::write(proc.join(pid).join("cgroup"), text.join("\n")).unwrap();
            }
            Self(folder)
        }

        fn join(&self, pid: i32, other: i32) -> Result<bool> {
            join_at(&self.0.path().join("proc"), pid, other)
        }

        fn members(&self, mount: &str) -> Option<String> {
            fs::read_to_string(self.0.path().join(mount).join("shop/api-1/cgroup.procs")).ok()
        }
    }

    #[test]
    fn with_v2_it_is_moved_where_the_other_is() {
        let machine = Machine::new(&[("unified", "cgroup2 cgroup2 rw")], &["0::"]);
        assert!(machine.join(8, 7).unwrap());
        assert_eq!(machine.members("unified").as_deref(), Some("8"));
    }

    #[test]
    fn with_v1_it_is_moved_in_both_hierarchies_and_not_in_those_of_others() {
        let mounts = [
            ("memory", "cgroup cgroup rw,memory"),
            ("cpu", "cgroup cgroup rw,cpu"),
            ("cpuacct", "cgroup cgroup rw,cpuacct"),
            ("unified", "cgroup2 cgroup2 rw"),
        ];
        let machine = Machine::new(&mounts, &["3:memory:", "2:cpuacct:", "1:cpu:", "0::"]);
        assert!(machine.join(8, 7).unwrap());
        assert_eq!(machine.members("cpu").as_deref(), Some("8"));
        assert_eq!(machine.members("cpuacct").as_deref(), Some("8"));
        assert_eq!(machine.members("memory"), None);
        assert_eq!(machine.members("unified"), None);
    }

    #[test]
    fn beside_one_without_a_cgroup_of_its_own_nothing_is_moved() {
        let machine = Machine::new(&[("unified", "cgroup2 cgroup2 rw")], &["0::"]);
        assert!(!machine.join(7, 7).unwrap());
        assert_eq!(machine.members("unified"), None);
    }

    #[test]
    fn a_part_of_the_hierarchy_is_counted_from_its_own_root() {
        let mounts = "32 31 0:29 /shop /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
        let found = folder(mounts, UNIFIED, "/shop/api-1");
        assert_eq!(found.unwrap(), Path::new("/sys/fs/cgroup/api-1"));
        assert_eq!(folder(mounts, UNIFIED, "/elsewhere"), None);
    }

    #[test]
    fn a_process_that_is_gone_is_an_error() {
        let machine = Machine::new(&[("unified", "cgroup2 cgroup2 rw")], &["0::"]);
        assert!(machine.join(8, 9).is_err());
    }
}
