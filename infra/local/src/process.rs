//! One child process: how it is started, recorded, signalled and ended.
//!
//! Invariants: a child's record (pid, start time, boot) is on disk before its program runs, so that a launcher killed at
//! any moment leaves nothing that the next one cannot find. Each child leads its own process group, so that a terminal's
//! Ctrl-C reaches only the launcher, which knows the order. A signal goes to a pid only while its start time is ours.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::data::{DataFolder, remove_file};
use crate::procfs::{self, Identity};

/// Writes the child's own line of `/proc` and the boot to its record, then becomes the program: the record exists
/// before the program does. Shell built-ins only, so the pid is the same all along.
const RECORD_THEN_EXEC: &str = r#"
read -r stat </proc/$$/stat
read -r boot </proc/sys/kernel/random/boot_id
printf '%s\n%s\n' "$stat" "$boot" >"$0" || exit 71
exec "$@"
"#;

/// The variables of the launcher's surroundings that would change what a child does behind its flags.
const NOT_PASSED_ON: [&str; 9] = [
    "NGINX",
    "MYSQL_HOME",
    "MYSQL_TCP_PORT",
    "MYSQL_UNIX_PORT",
    "MYSQL_GROUP_SUFFIX",
    "NOTIFY_SOCKET",
    "TRESTLE_DATABASE_URL_FILE",
    "TRESTLE_REDIS_URL_FILE",
    "TRESTLE_SECRETS_KEY",
];

/// What to start.
#[derive(Debug, Clone)]
pub struct Program {
    /// The name in the table, of the log file and of the record.
    pub name: String,
    pub executable: PathBuf,
    pub arguments: Vec<OsString>,
    pub environment: Vec<(String, String)>,
}

impl Program {
    pub fn new(name: &str, executable: &Path) -> Self {
        Self {
            name: name.to_owned(),
            executable: executable.to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
        }
    }

    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds `--flag=PATH`; paths need not be UTF-8.
    pub fn path(self, flag: &str, path: &Path) -> Self {
        let mut argument = OsString::from(flag);
        argument.push("=");
        argument.push(path);
        self.arg(argument)
    }

    pub fn environment(mut self, environment: Vec<(String, String)>) -> Self {
        self.environment.extend(environment);
        self
    }
}

/// A started child. It is killed when the last handle is dropped.
#[derive(Debug)]
pub struct Process {
    pub name: String,
    pub identity: Identity,
    pub log: PathBuf,
    folder: PathBuf,
    record: PathBuf,
    /// Where the log stood before this start: an error shows what this process wrote, not the one before.
    log_start: u64,
    ended: watch::Receiver<Option<ExitStatus>>,
}

impl Process {
    /// Starts a program in the data folder with its output going to its log.
    pub fn spawn(program: &Program, data: &DataFolder) -> Result<Self> {
        let log = data.log(&program.name);
        let output = open_log(&log)?;
        let log_start = output.metadata().map_or(0, |file| file.len());
        let record = record_path(data, &program.name);
        remove_file(&record)?;
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .arg(RECORD_THEN_EXEC)
            .arg(&record)
            .arg(&program.executable)
            .args(&program.arguments)
            .current_dir(data.root())
            .stdin(Stdio::null())
            .stdout(output.try_clone().context("the log's second handle")?)
            .stderr(output)
            .process_group(0)
            .kill_on_drop(true);
        for name in NOT_PASSED_ON {
            command.env_remove(name);
        }
        command.envs(program.environment.iter().map(|(name, value)| (name, value)));
        let mut child = command
            .spawn()
            .with_context(|| format!("starting {}", program.name))?;
        let pid = child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .context("the pid of a new child")?;
        let identity = Identity::of(pid).with_context(|| format!("{} in /proc", program.name))?;
        let (sender, ended) = watch::channel(None);
        tokio::spawn(async move {
            let status = child.wait().await.unwrap_or_else(|_| ExitStatus::from_raw(-1));
            sender.send_replace(Some(status));
        });
        Ok(Self {
            name: program.name.clone(),
            identity,
            log,
            folder: data.root().to_owned(),
            record,
            log_start,
            ended,
        })
    }

    pub fn pid(&self) -> i32 {
        self.identity.pid
    }

    /// How it ended; `None` while it runs.
    pub fn status(&self) -> Option<ExitStatus> {
        *self.ended.borrow()
    }

    pub fn is_running(&self) -> bool {
        self.status().is_none() && self.identity.is_alive()
    }

    /// Waits for the end.
    pub async fn wait(&self) -> ExitStatus {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(status) => status.unwrap_or_else(|| ExitStatus::from_raw(-1)),
            // The watcher is gone with its runtime, which killed the child.
            Err(_) => ExitStatus::from_raw(9),
        }
    }

    /// Sends a signal to this process; an ended one is left in peace.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        if !self.is_running() {
            return Ok(());
        }
        send(self.pid(), signal).with_context(|| format!("sending {signal} to {}", self.name))
    }

    /// Sends a signal to this process and to those of its group.
    pub fn signal_group(&self, signal: Signal) -> Result<()> {
        if !self.is_running() {
            return Ok(());
        }
        procfs::group_inside(self.pid(), &self.folder)
            .into_iter()
            .try_for_each(|member| send(member.pid, signal))
            .with_context(|| format!("sending {signal} to {}", self.name))
    }

    /// Whether it is frozen by SIGSTOP.
    pub fn is_frozen(&self) -> bool {
        procfs::Stat::read(self.pid()).is_some_and(|stat| stat.state == 'T')
    }

    /// Asks with `signal`, waits up to `limit`, then kills. True when it ended by itself.
    pub async fn end(&self, signal: Signal, limit: Duration) -> Result<bool> {
        self.signal(signal)?;
        // A frozen process would see no signal but SIGKILL.
        self.signal_group(Signal::SIGCONT)?;
        let by_itself = timeout(limit, self.wait()).await.is_ok();
        if !by_itself {
            self.kill();
            self.wait().await;
        }
        self.kill_group();
        self.forget();
        Ok(by_itself)
    }

    /// SIGKILL to it and to all of its group, without waiting.
    pub fn kill(&self) {
        if self.is_running() {
            // It may end between the question and the signal: nothing is lost then.
            let _ = send(self.pid(), Signal::SIGKILL);
        }
        self.kill_group();
    }

    /// Ends what it left behind in its group (nginx's workers outlive a killed master and hold its port).
    pub fn kill_group(&self) {
        kill_group(self.pid(), &self.folder);
    }

    /// Removes the record of an ended process.
    pub fn forget(&self) {
        if self.status().is_some() {
            // A stale record does no harm: its start time matches nothing.
            let _ = remove_file(&self.record);
        }
    }

    /// The last lines it wrote, for an error message.
    pub fn tail(&self) -> String {
        tail(&self.log, self.log_start, 12)
    }
}

/// An ended process's status for people: `exit code 1`, `signal 9`.
pub fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown status".to_owned(),
    }
}

/// Up to `lines` of the last lines of a file, from the byte `start` on, indented for a message.
pub fn tail(log: &Path, start: u64, lines: usize) -> String {
    const WINDOW: u64 = 16 * 1024;
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(
            start.max(length.saturating_sub(WINDOW)).min(length),
        ))?;
        let mut bytes = Vec::new();
        file.take(WINDOW).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let text = read()
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let all: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let shown = all.get(all.len().saturating_sub(lines)..).unwrap_or_default();
    let mut message = format!("its log, {}:", log.display());
    if shown.is_empty() {
        message.push_str(" empty");
    }
    for line in shown {
        message.push_str("\n    ");
        message.push_str(line);
    }
    message
}

/// Opens a log for appending; one that has grown past 16 MiB is set aside first, and the one set aside before is lost.
fn open_log(path: &Path) -> Result<File> {
    const LARGE: u64 = 16 << 20;
    if fs::metadata(path).is_ok_and(|file| file.len() > LARGE) {
        fs::rename(path, path.with_extension("log.1"))
            .with_context(|| format!("setting aside {}", path.display()))?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("opening {}", path.display()))
}

pub(crate) fn send(pid: i32, signal: Signal) -> Result<()> {
    match kill(Pid::from_raw(pid), signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn kill_group(group: i32, folder: &Path) {
    for member in procfs::group_inside(group, folder) {
        let _ = send(member.pid, Signal::SIGKILL);
    }
}

fn record_path(data: &DataFolder, name: &str) -> PathBuf {
    data.path("pids").join(name)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]
    use super::*;

    fn folder() -> (tempfile::TempDir, DataFolder) {
        let parent = tempfile::tempdir().unwrap();
        let data = DataFolder::create(&parent.path().join("d")).unwrap();
        (parent, data)
    }

    #[tokio::test]
    async fn a_process_that_ignores_the_signal_is_killed() {
        let (_parent, data) = folder();
        let program = Program::new("api-1", Path::new("/bin/sh"))
            .arg("-c")
            .arg("trap '' TERM; echo on; while :; do sleep 1; done");
        let process = Process::spawn(&program, &data).unwrap();
        crate::probe::until(Duration::from_secs(5), || async { process.tail().contains("on") })
            .await
            .unwrap();
        assert!(
            !process
                .end(Signal::SIGTERM, Duration::from_millis(200))
                .await
                .unwrap()
        );
        assert!(!process.is_running());
    }
}
