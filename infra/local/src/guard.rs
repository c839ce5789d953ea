//! Cleans up after a test binary that ended without ending its stack (a static is never dropped; a test may be killed).
//!
//! The guard is a process of its own, `trestle guard`, whose input is a pipe from the test binary: when that ends, however
//! it ends, the pipe closes, and the guard ends the leftovers by pid and start time like the next `trestle up` would.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::programs;

#[derive(Debug)]
pub(crate) struct Guard {
    /// Its input is the pipe; it closes when this is dropped.
    _child: Child,
}

impl Guard {
    /// `None` when `trestle` is not built beside the caller: then only a drop or the next start cleans up.
    pub fn start(data: &Path, remove: bool) -> Option<Self> {
        let executable = programs::built("trestle").ok()?;
        let mut command = Command::new(executable);
        command.arg("guard").arg("--data").arg(data);
        if remove {
            command.arg("--remove");
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        Some(Self {
            _child: command.spawn().ok()?,
        })
    }
}
