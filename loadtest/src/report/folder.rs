//! The folder that a command leaves its results in.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;

/// An existing folder that only this run writes to.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes the folder: `output`, or `trestle-results/COMMAND-YYYYMMDD-HHMMSS` (UTC) below the current one.
    ///
    /// # Errors
    /// When it cannot be made, or holds something already: two runs in one folder would be taken for one.
    pub fn create(output: Option<PathBuf>, command: &str) -> Result<Self> {
        let path = match output {
            Some(path) => path,
            None => default_path(command, OffsetDateTime::now_utc())?,
        };
        if path.exists() {
            let mut entries =
                fs::read_dir(&path).with_context(|| format!("--output {}: not a folder", path.display()))?;
            if entries.next().is_some() {
                bail!(
                    "--output {}: the folder is not empty; name another one",
                    path.display()
                );
            }
        }
        fs::create_dir_all(&path)
            .with_context(|| format!("--output {}: cannot make the folder", path.display()))?;
        Ok(Self { path })
    }

    /// Writes one file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let path = self.path.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Writes one JSON file, indented, for people who look into it.
    ///
    /// # Errors
    /// When the value is no JSON or the file cannot be written.
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let mut text =
            serde_json::to_vec_pretty(value).with_context(|| format!("{name}: the result is no JSON"))?;
        text.push(b'\n');
        self.write(name, text)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn default_path(command: &str, now: OffsetDateTime) -> Result<PathBuf> {
    let format = format_description!("[year][month][day]-[hour][minute][second]");
    let when = now.format(&format).context("the time of day")?;
    Ok(Path::new("trestle-results").join(format!("{command}-{when}")))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_default_names_command_and_moment() {
        let path = default_path("scale-out", datetime!(2025-03-04 05:06:07 UTC)).unwrap();
        assert_eq!(path, Path::new("trestle-results/scale-out-20250304-050607"));
    }

    #[test]
    fn an_empty_folder_is_taken_and_a_full_one_refused() {
        let outer = tempfile::tempdir().unwrap();
        let wanted = outer.path().join("a/b");
        let folder = Folder::create(Some(wanted.clone()), "run").unwrap();
        assert_eq!(folder.path(), wanted);
        let again = Folder::create(Some(wanted.clone()), "run").unwrap();
        again.write_json("result.json", &[1, 2]).unwrap();
        assert_eq!(
            fs::read_to_string(wanted.join("result.json")).unwrap(),
            "[\n  1,\n  2\n]\n"
        );
        let refused = Folder::create(Some(wanted), "run").unwrap_err().to_string();
        assert!(
            refused.contains("--output") && refused.contains("not empty"),
            "{refused}"
        );
    }

    #[test]
    fn a_file_is_no_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let refused = Folder::create(Some(file.path().to_owned()), "run").unwrap_err();
        assert!(refused.to_string().contains("--output"), "{refused}");
    }
}
