//! The stack under load: the commands that steer it, its processes' CPU and quotas, the host.

pub mod cgroup;
pub mod cpu;
pub mod driver;
pub mod host;
pub mod limits;
pub mod proc;

use std::path::PathBuf;

/// Where the kernel shows itself. Tests show another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    pub cgroup: PathBuf,
    pub proc: PathBuf,
}

impl Default for Root {
    fn default() -> Self {
        Self {
            cgroup: PathBuf::from("/sys/fs/cgroup"),
            proc: PathBuf::from("/proc"),
        }
    }
}
