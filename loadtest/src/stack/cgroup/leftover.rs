//! The names of what load tests make, and what one that was killed left behind.

use std::fs;
use std::path::{Path, PathBuf};

use super::limit::Limit;
use super::tree::{self, Version};
use super::{Quota, move_members, remove, write};
use crate::stack::proc::Stat;

const PREFIX: &str = "trestle-loadtest-";
/// With v2, the folder of those who were moved aside.
pub const REST: &str = "rest";
/// Before the former limit in a marker's name.
const WAS: &str = "was-";

/// A load test: its pid, and its start in ticks since boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub pid: i32,
    pub started: u64,
}

/// What a folder's name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub owner: Owner,
    name: String,
}

impl Owner {
    pub fn folder(&self, name: &str) -> String {
        format!("{PREFIX}{}-{}-{name}", self.pid, self.started)
    }
}

impl Left {
    fn parse(folder: &str) -> Option<Self> {
        let mut parts = folder.strip_prefix(PREFIX)?.splitn(3, '-');
        Some(Self {
            owner: Owner {
                pid: parts.next()?.parse().ok()?,
                started: parts.next()?.parse().ok()?,
            },
            name: parts.next()?.to_owned(),
        })
    }

    /// Of a marker: the limit that its container had.
    fn former(&self) -> Option<Limit> {
        let (quota, period) = self.name.strip_prefix(WAS)?.split_once('-')?;
        Limit::parse(quota, period)
    }
}

/// The name of a container's marker.
pub fn was(limit: Limit) -> String {
    let quota = limit.quota.map_or_else(|| "max".to_owned(), |it| it.to_string());
    format!("{WAS}{quota}-{}", limit.period)
}

/// All that load tests have made in a cgroup.
pub fn folders(parent: &Path) -> Vec<(PathBuf, Left)> {
    let Ok(entries) = fs::read_dir(parent) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| Some((entry.path(), Left::parse(entry.file_name().to_str()?)?)))
        .collect()
}

fn left(folder: &Path) -> Option<Left> {
    Left::parse(folder.file_name()?.to_str()?)
}

/// Whether a load test made this cgroup for a process.
pub fn is_held(folder: &Path) -> bool {
    left(folder).is_some_and(|it| it.name != REST)
}

/// The cgroup around what a load test made; else itself.
pub fn outside(folder: &Path) -> PathBuf {
    let parent = left(folder).and(folder.parent());
    parent.unwrap_or(folder).to_owned()
}

impl Quota {
    pub(super) fn is_alive(&self, owner: &Owner) -> bool {
        Stat::read(&self.root.proc, owner.pid)
            .is_some_and(|stat| stat.started == owner.started && stat.is_alive())
    }

    /// Takes away what load tests that are gone left in a cgroup: quotas first, then folders.
    pub(super) fn clear(&self, parent: &Path) {
        let (alive, gone): (Vec<_>, Vec<_>) = folders(parent)
            .into_iter()
            .partition(|(_, left)| self.is_alive(&left.owner));
        // Processes cannot go back to a cgroup whose children are limited; those of a living load test still are.
        let inner = self.tree.version == Version::Two && tree::is_inner(parent);
        let moved_aside = gone.iter().any(|(_, left)| left.name == REST);
        if inner && moved_aside && alive.is_empty() {
            write(&parent.join("cgroup.subtree_control"), "-cpu").ok();
        }
        for (folder, left) in gone {
            if let Some(former) = left.former() {
                // Best effort, as all of this: it is tried again by whoever comes next.
                former.write(self.tree.version, parent).ok();
            } else {
                move_members(&folder, parent).ok();
            }
            remove(&folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_whose_it_is_and_what_was_before() {
        let owner = Owner { pid: 7, started: 99 };
        let limit = Limit {
            quota: None,
            period: 100_000,
        };
        for (name, former) in [("api-1", None), ("rest", None), (&was(limit), Some(limit))] {
            let parsed = Left::parse(&owner.folder(name));
            assert_eq!(parsed.as_ref().map(|it| it.owner.clone()), Some(owner.clone()));
            assert_eq!(parsed.and_then(|it| it.former()), former, "{name}");
        }
        for other in [
            "system.slice",
            "trestle-loadtest-",
            "trestle-loadtest-7-x-api-1",
            "trestle",
        ] {
            assert_eq!(Left::parse(other), None);
        }
    }

    #[test]
    fn the_cgroup_around_ours_is_where_a_process_belongs() {
        let owner = Owner { pid: 7, started: 9 };
        let ours = Path::new("/c/shop").join(owner.folder("api-1"));
        assert_eq!(outside(&ours), Path::new("/c/shop"));
        assert_eq!(outside(Path::new("/c/shop")), Path::new("/c/shop"));
        assert!(is_held(&ours) && !is_held(&Path::new("/c").join(owner.folder(REST))));
    }
}
