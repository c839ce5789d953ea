//! Where cgroups are, and which one a process is in.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::{Counters, Root};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    One,
    Two,
}

/// The hierarchy that limits CPU, and with v1 perhaps another one that counts it.
#[derive(Debug, Clone)]
pub struct Tree {
    pub version: Version,
    hierarchies: Vec<Hierarchy>,
}

#[derive(Debug, Clone)]
struct Hierarchy {
    /// As `/proc/PID/cgroup` has it; empty with v2.
    controller: &'static str,
    top: PathBuf,
}

impl Tree {
    /// v2, v1, or both side by side: whoever has `cpu`.
    pub fn find(root: &Root) -> Result<Self> {
        let one = |controller| Hierarchy {
            controller,
            top: root.cgroup.join(controller),
        };
        if root.cgroup.join("cpu").is_dir() {
            let mut hierarchies = vec![one("cpu"), one("cpuacct")];
            let whole = |it: &Hierarchy| it.top.canonicalize().ok();
            // Mostly mounted together, one name a link to the other.
            hierarchies.dedup_by(|second, first| whole(second).is_none() || whole(second) == whole(first));
            return Ok(Self {
                version: Version::One,
                hierarchies,
            });
        }
        for top in [root.cgroup.clone(), root.cgroup.join("unified")] {
            let controllers = fs::read_to_string(top.join("cgroup.controllers")).unwrap_or_default();
            if controllers.split_whitespace().any(|it| it == "cpu") {
                return Ok(Self {
                    version: Version::Two,
                    hierarchies: vec![Hierarchy { controller: "", top }],
                });
            }
        }
        bail!(
            "a CPU quota needs cgroups with the cpu controller, and there is none at {}",
            root.cgroup.display()
        );
    }

    pub fn top(&self) -> Vec<PathBuf> {
        self.hierarchies.iter().map(|it| it.top.clone()).collect()
    }

    /// The cgroup of a process: where it is limited, then where it is counted if that is elsewhere.
    pub fn folders(&self, root: &Root, pid: i32) -> Option<Vec<PathBuf>> {
        let text = membership(root, pid)?;
        self.hierarchies
            .iter()
            .map(|it| Some(it.folder(path_of(&text, it.controller)?)))
            .collect()
    }

    /// The cgroup of the container that a process is in; none for one that is in no container, or in the same as we are.
    pub fn container(&self, root: &Root, pid: i32) -> Option<Vec<PathBuf>> {
        let (theirs, own) = (membership(root, pid)?, membership_of_self(root));
        self.hierarchies
            .iter()
            .map(|it| {
                let path = container_of(path_of(&theirs, it.controller)?)?;
                let own = path_of(&own, it.controller).unwrap_or_default();
                (!Path::new(own).starts_with(path)).then(|| it.folder(path))
            })
            .collect()
    }

    pub fn counters(&self, folders: &[PathBuf]) -> Option<Counters> {
        let stat = fs::read_to_string(folders.first()?.join("cpu.stat")).ok()?;
        let number = |name: &str| -> Option<u64> {
            stat.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "years of CPU are below 2^52 microseconds"
        )]
        let seconds = match self.version {
            Version::One => {
                let usage = fs::read_to_string(folders.last()?.join("cpuacct.usage")).ok()?;
                usage.trim().parse::<u64>().ok()? as f64 / 1e9
            }
            Version::Two => number("usage_usec")? as f64 / 1e6,
        };
        // v2 counts periods only where `cpu` is enabled.
        Some(Counters {
            seconds,
            periods: number("nr_periods").unwrap_or_default(),
            throttled: number("nr_throttled").unwrap_or_default(),
        })
    }
}

impl Hierarchy {
    /// In a container that sees only its own part, a path may be one that is not there: its top is where it is, then.
    fn folder(&self, path: &str) -> PathBuf {
        let inside = self.top.join(path.trim_start_matches('/'));
        if inside.is_dir() { inside } else { self.top.clone() }
    }
}

/// Not the kernel's own first cgroup: that alone has no type.
pub fn is_inner(folder: &Path) -> bool {
    folder.join("cgroup.type").exists()
}

fn membership(root: &Root, pid: i32) -> Option<String> {
    fs::read_to_string(root.proc.join(pid.to_string()).join("cgroup")).ok()
}

fn membership_of_self(root: &Root) -> String {
    fs::read_to_string(root.proc.join("self/cgroup")).unwrap_or_default()
}

/// The path in lines like `4:cpu,cpuacct:/shop` and `0::/shop`.
fn path_of<'a>(membership: &'a str, controller: &str) -> Option<&'a str> {
    membership.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        controllers
            .split(',')
            .any(|one| one == controller)
            .then_some(path)
    })
}

/// The path as far as the innermost container: engines name its cgroup after its id, 64 hexadecimal digits, as
/// `/docker/ID` or `/system.slice/docker-ID.scope`.
fn container_of(path: &str) -> Option<&str> {
    let mut end = path.len();
    loop {
        let part = path.get(..end)?;
        let name = part.rsplit('/').next()?;
        let bare = name.strip_suffix(".scope").unwrap_or(name);
        let id = bare.rsplit(['-', ':']).next()?;
        if id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Some(part);
        }
        end = part.rfind('/')?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_known_by_its_id() {
        let id = "0123456789abcdef".repeat(4);
        for (path, expected) in [
            (format!("/docker/{id}"), Some(format!("/docker/{id}"))),
            (
                format!("/system.slice/docker-{id}.scope"),
                Some(format!("/system.slice/docker-{id}.scope")),
            ),
            (
                format!("/machine.slice/libpod-{id}.scope/container"),
                Some(format!("/machine.slice/libpod-{id}.scope")),
            ),
            (format!("/docker/{id}/shop/api-1"), Some(format!("/docker/{id}"))),
            ("/user.slice/user-1000.slice/session-2.scope".to_owned(), None),
            ("/docker/0123".to_owned(), None),
            ("/".to_owned(), None),
        ] {
            assert_eq!(container_of(&path), expected.as_deref(), "{path}");
        }
    }

    #[test]
    fn the_path_is_that_of_the_controller() {
        let text = "9:name=systemd:/s\n4:cpu,cpuacct:/both:colon\n3:cpuset:/set\n0::/two\n";
        assert_eq!(path_of(text, "cpu"), Some("/both:colon"));
        assert_eq!(path_of(text, "cpuacct"), Some("/both:colon"));
        assert_eq!(path_of(text, ""), Some("/two"));
        assert_eq!(path_of(text, "memory"), None);
    }
}
