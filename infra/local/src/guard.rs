//! Cleans up after a test binary that ended without ending its stack (a static is never dropped; a test may be killed).
//!
//! The guard is a process of its own, `trestle guard`, whose input is a pipe from the test binary: when that ends, however
//! it ends, the pipe closes, and the guard ends the leftovers by pid and start time like the next `trestle up` would.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};

use crate::programs;

#[derive(Debug)]
pub(crate) struct Guard {
    /// Its input is the pipe; it closes when this is dropped.
    _child: Child,
}

impl Guard {
    /// Needs `trestle` beside the caller, like the API's program: without it each test binary would leave a whole stack.
    pub fn start(data: &Path, remove: bool) -> Result<Self> {
        let mut command = Command::new(programs::built("trestle")?);
        command.arg("guard").arg("--data").arg(data);
        if remove {
            command.arg("--remove");
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        Ok(Self {
            _child: command.spawn().context("starting trestle guard")?,
        })
    }
}
