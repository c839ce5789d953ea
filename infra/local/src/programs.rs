//! Finds the programs of the tiers: installed ones by name, and what is built or lies beside this one.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::options::Usage;

/// Debian keeps servers in folders that are not in an ordinary user's PATH.
const SERVER_FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/libexec"];

/// The first of `names` in PATH or where servers are installed.
pub fn installed(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path)
        .chain(SERVER_FOLDERS.map(PathBuf::from))
        .collect();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|candidate| candidate.is_file())
}

/// An installed program, or an error that says which package brings it.
pub fn required(name: &str, package: &str) -> Result<PathBuf> {
    installed(&[name]).with_context(|| {
        format!("{name} is not installed; `make up` installs it, or install the package {package}")
    })
}

/// A program of this workspace: in the folder of the running executable or, for tests, in the one above it.
pub fn built(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().context("the path of this executable")?;
    own.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
        .with_context(|| {
            format!(
                "{name} is not beside {}; build the workspace in the same profile (cargo build --workspace)",
                own.display()
            )
        })
}

/// A program that a flag names.
pub fn named(flag: &str, path: &Path) -> Result<PathBuf> {
    match path.canonicalize() {
        Ok(found) if found.is_file() => Ok(found),
        _ => bail!(Usage(format!("{flag} {}: no such file", path.display()))),
    }
}
