//! Programs and files from PyPI, each in a virtual environment of its own beside what cargo builds.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::browser::target_folder;

/// The virtual environment `name` with what `requirements` pins; made once, and again when that changes.
///
/// # Panics
/// When there is no Python, or no PyPI.
pub fn installed(name: &str, requirements: &Path, options: &[&str]) -> PathBuf {
    let wanted = std::fs::read_to_string(requirements).expect("the requirements are in the tree");
    let folder = target_folder().join("tmp").join(name);
    let done = folder.join("installed.txt");
    // Written last: an installation that was cut short is made again.
    if std::fs::read_to_string(&done).ok().as_deref() != Some(&wanted) {
        let _ = std::fs::remove_dir_all(&folder);
        must(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        let mut pip = Command::new(folder.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check"]);
        must(pip.args(options).arg("-r").arg(requirements));
        std::fs::write(&done, &wanted).expect("the target folder can be written");
    }
    folder
}

/// Runs a command to its end; answers what it wrote.
///
/// # Panics
/// When it fails.
pub fn must(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; infra/local/setup.sh --tests"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
