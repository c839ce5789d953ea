//! What an earlier launcher left running: found by its record, ended by pid and start time.
//!
//! Invariant: a process is touched only if its pid, its start time and the boot are those of a record, or if it is of the
//! group of such a process and works inside the data folder. Names are for messages.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::data::{DataFolder, remove_file};
use crate::process::{kill_group, send};
use crate::procfs::{self, Identity, Stat};

/// A process that an earlier launcher started and did not end.
#[derive(Debug)]
pub struct Leftover {
    pub name: String,
    pub identity: Identity,
    record: PathBuf,
    folder: PathBuf,
}

impl Leftover {
    /// All records of the data folder whose process, or part of whose group, still runs. Records of nothing are removed.
    pub fn find(data: &DataFolder) -> Vec<Self> {
        let Ok(records) = fs::read_dir(data.path("pids")) else {
            return Vec::new();
        };
        records
            .flatten()
            .filter_map(|entry| Self::read(data, &entry.path()))
            .filter(|leftover| {
                let runs = leftover.is_running();
                if !runs {
                    let _ = remove_file(&leftover.record);
                }
                runs
            })
            .collect()
    }

    fn read(data: &DataFolder, record: &Path) -> Option<Self> {
        let text = fs::read_to_string(record).ok()?;
        let (stat, boot) = text.split_once('\n')?;
        let stat = Stat::parse(stat)?;
        Some(Self {
            name: record.file_name()?.to_str()?.to_owned(),
            identity: Identity {
                pid: stat.pid,
                started: stat.started,
                boot: boot.trim().to_owned(),
            },
            record: record.to_owned(),
            folder: data.root().to_owned(),
        })
    }

    fn is_running(&self) -> bool {
        self.identity.is_alive()
            || (self.identity.boot == procfs::boot()
                && !procfs::group_inside(self.identity.pid, &self.folder).is_empty())
    }

    /// Ends it: the database gets the time for a clean end, which is faster than the repair that follows a kill.
    pub async fn end(&self) {
        // A replica lingers for 3 s.
        let limit = if self.name.starts_with("database") { 20 } else { 5 };
        if self.identity.is_alive() {
            let _ = send(self.identity.pid, Signal::SIGTERM);
            let _ = send(self.identity.pid, Signal::SIGCONT);
            let _ =
                crate::probe::until(Duration::from_secs(limit), || async { !self.identity.is_alive() }).await;
        }
        if self.identity.is_alive() {
            let _ = send(self.identity.pid, Signal::SIGKILL);
        }
        kill_group(self.identity.pid, &self.folder);
        let _ = crate::probe::until(Duration::from_secs(10), || async { !self.is_running() }).await;
        let _ = remove_file(&self.record);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;

    use crate::process::{Process, Program};

    fn folder() -> (tempfile::TempDir, DataFolder) {
        let parent = tempfile::tempdir().unwrap();
        let data = DataFolder::create(&parent.path().join("d")).unwrap();
        (parent, data)
    }

    fn sleeper(name: &str) -> Program {
        Program::new(name, Path::new("/bin/sleep")).arg("60")
    }

    #[tokio::test]
    async fn a_leftover_is_found_by_its_record_and_ended() {
        let (_parent, data) = folder();
        let process = Process::spawn(&sleeper("api-1"), &data).unwrap();
        crate::probe::until(Duration::from_secs(5), || async {
            !Leftover::find(&data).is_empty()
        })
        .await
        .unwrap();
        let leftovers = Leftover::find(&data);
        assert_eq!(leftovers[0].identity, process.identity);
        leftovers[0].end().await;
        assert_eq!(process.wait().await.signal(), Some(15));
        assert!(Leftover::find(&data).is_empty());
    }

    #[tokio::test]
    async fn a_record_whose_start_time_is_another_names_nobody() {
        let (_parent, data) = folder();
        let own = Identity::own().unwrap();
        let stat = format!(
            "{} (api) S 1 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 {} 0",
            own.pid,
            own.started + 1
        );
        fs::write(data.path("pids").join("api-1"), format!("{stat}\n{}\n", own.boot)).unwrap();
        assert!(Leftover::find(&data).is_empty());
        assert!(!data.path("pids").join("api-1").exists());
    }

    #[tokio::test]
    async fn members_of_the_group_of_an_ended_leader_are_ended() {
        let (_parent, data) = folder();
        let program = Program::new("nginx", Path::new("/bin/sh"))
            .arg("-c")
            .arg("sleep 60 & sleep 60 & wait");
        let process = Process::spawn(&program, &data).unwrap();
        crate::probe::until(Duration::from_secs(5), || async {
            procfs::children(process.pid()).len() == 2
        })
        .await
        .unwrap();
        process.signal(Signal::SIGKILL).unwrap();
        process.wait().await;
        assert_eq!(procfs::group_inside(process.pid(), data.root()).len(), 2);
        for leftover in Leftover::find(&data) {
            leftover.end().await;
        }
        assert!(procfs::group_inside(process.pid(), data.root()).is_empty());
    }
}
