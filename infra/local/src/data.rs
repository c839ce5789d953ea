//! The private data folder of one stack: its layout, its lock, and the marks that make deleting safe.
//!
//! Invariants: the folder and all in it are for its owner only (0700, 0600). Nothing is deleted from a folder without
//! [`MARKER`], which only this module writes, and only into a folder that was empty. Two launchers never share one: the
//! lock is the kernel's (`flock`), so it ends with the process that holds it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use nix::unistd::Uid;
use serde::{Deserialize, Serialize};

use crate::options::Usage;
use crate::procfs::Identity;

const MARKER: &str = "trestle-data";
const MARKER_TEXT: &str = "Made by trestle. `trestle reset` empties this folder.\n";
const FINISHED: &str = "initialised";

/// A Unix socket's address holds 107 bytes; the longest name put into the run folder takes up to 20 of them.
const LONGEST_RUN_FOLDER: usize = 87;

/// A stack's data folder.
#[derive(Debug, Clone)]
pub struct DataFolder {
    root: PathBuf,
}

/// What the running launcher tells other commands. Written once at start, replaced whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct State {
    pub launcher: Identity,
    /// Where the sockets are: `DIR/run`, or a short folder elsewhere.
    pub run: PathBuf,
}

/// The right to use a data folder, held until dropped or until the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl DataFolder {
    /// Opens the folder, making and marking it when it does not exist or is empty. Refuses one with somebody else's files.
    pub fn create(path: &Path) -> Result<Self> {
        let made = private_folder(path).with_context(|| format!("--data {}", path.display()))?;
        let root = path
            .canonicalize()
            .with_context(|| format!("--data {}", path.display()))?;
        check_owner(&root)?;
        let folder = Self { root };
        if !folder.path(MARKER).is_file() {
            if !made && !is_empty(&folder.root)? {
                let root = folder.root.display();
                bail!(Usage(format!(
                    "--data {root} is not empty and was not made by trestle; name an empty or new folder"
                )));
            }
            write_private(&folder.path(MARKER), MARKER_TEXT)?;
        }
        fs::set_permissions(&folder.root, fs::Permissions::from_mode(0o700))?;
        for name in ["logs", "pids", "redis", "nginx", "tmp", "run"] {
            private_folder(&folder.path(name))?;
        }
        Ok(folder)
    }

    /// Opens a folder that trestle made before; `None` when there is none.
    pub fn existing(path: &Path) -> Result<Option<Self>> {
        let Ok(root) = path.canonicalize() else {
            return Ok(None);
        };
        if root.join(MARKER).is_file() {
            return Ok(Some(Self { root }));
        }
        if root.is_dir() && is_empty(&root)? {
            return Ok(None);
        }
        bail!(Usage(format!(
            "--data {} was not made by trestle",
            root.display()
        )));
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub fn database(&self) -> PathBuf {
        self.path("database")
    }

    pub fn log(&self, process: &str) -> PathBuf {
        self.root.join("logs").join(format!("{process}.log"))
    }

    /// Takes the folder for this process. The file says who holds it, for the message of the next one who tries.
    pub fn lock(&self) -> Result<Lock> {
        let mut file = self.lock_file()?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => match self.holder() {
                Some(holder) => bail!(
                    "--data {} is in use by the launcher with pid {}",
                    self.root.display(),
                    holder.pid
                ),
                None => bail!("--data {} is in use by another launcher", self.root.display()),
            },
            Err(TryLockError::Error(error)) => return Err(error).context("locking the data folder"),
        }
        let own = Identity::own().context("this process in /proc")?;
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(serde_json::to_string(&own)?.as_bytes())?;
        Ok(Lock { _file: file })
    }

    /// Whether a launcher holds the folder now.
    pub fn is_locked(&self) -> Result<bool> {
        match self.lock_file()?.try_lock() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error).context("locking the data folder"),
        }
    }

    /// The launcher that last took the folder, if it still runs.
    pub fn holder(&self) -> Option<Identity> {
        let mut text = String::new();
        File::open(self.path("lock"))
            .ok()?
            .read_to_string(&mut text)
            .ok()?;
        serde_json::from_str::<Identity>(&text)
            .ok()
            .filter(Identity::is_alive)
    }

    fn lock_file(&self) -> Result<File> {
        let path = self.path("lock");
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("opening {}", path.display()))
    }

    /// The server that made the database, once the first start came to its end. Without this mark the database folder is
    /// of unknown content.
    pub fn finished_with(&self) -> Option<String> {
        fs::read_to_string(self.path(FINISHED))
            .ok()
            .map(|text| text.trim().to_owned())
    }

    pub fn mark_finished(&self, server: &str) -> Result<()> {
        write_private(&self.path(FINISHED), &format!("{server}\n"))?;
        // Of a rename only the folder's sync is a promise.
        File::open(&self.root)?
            .sync_all()
            .context("syncing the data folder")
    }

    /// Deletes the database. The mark goes first: a reset that is cut short is a first start that did not finish.
    pub fn remove_database(&self) -> Result<()> {
        remove_file(&self.path(FINISHED))?;
        remove_folder(&self.database())
    }

    /// Empties the folder of all that trestle put there, apart from the marker and the lock.
    pub fn clear(&self) -> Result<()> {
        self.remove_database()?;
        for name in ["redis", "nginx", "tmp", "run", "pids", "logs", "tls"] {
            remove_folder(&self.path(name))?;
        }
        for name in ["secrets.key", "state.json"] {
            remove_file(&self.path(name))?;
        }
        Ok(())
    }

    /// Deletes the folder itself, with all in it.
    pub fn remove(&self) -> Result<()> {
        remove_folder(&self.root)
    }

    /// The folder for sockets: inside the data folder, or, when that path is too long for a socket's address, a new
    /// private one in `$XDG_RUNTIME_DIR` or `/tmp`.
    pub fn run_folder(&self) -> Result<PathBuf> {
        let inside = self.path("run");
        if inside.as_os_str().len() <= LONGEST_RUN_FOLDER {
            return Ok(inside);
        }
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let parents = runtime
            .into_iter()
            .filter(|path| path.as_os_str().len() < 60)
            .chain([PathBuf::from("/tmp")]);
        for parent in parents {
            // The name is new and cannot be guessed: nobody can have put a folder there before.
            let mut builder = tempfile::Builder::new();
            builder
                .prefix("trestle-")
                .permissions(fs::Permissions::from_mode(0o700));
            if let Ok(folder) = builder.tempdir_in(&parent) {
                let folder = folder.keep();
                write_private(&folder.join(MARKER), &self.root.to_string_lossy())?;
                return Ok(folder);
            }
        }
        bail!(
            "no folder for sockets: --data {} is too long for them, and /tmp cannot be written",
            self.root.display()
        );
    }

    /// Deletes a run folder outside of the data folder, if it was made for this one.
    pub fn remove_run_folder(&self, run: &Path) -> Result<()> {
        let is_ours =
            fs::read_to_string(run.join(MARKER)).is_ok_and(|owner| owner == self.root.to_string_lossy());
        if run.starts_with(&self.root) || !is_ours {
            return Ok(());
        }
        remove_folder(run)
    }

    pub fn state(&self) -> Option<State> {
        serde_json::from_str(&fs::read_to_string(self.path("state.json")).ok()?).ok()
    }

    pub fn write_state(&self, state: &State) -> Result<()> {
        write_private(&self.path("state.json"), &serde_json::to_string_pretty(state)?)
    }

    pub fn remove_state(&self) -> Result<()> {
        remove_file(&self.path("state.json"))
    }

    /// The file with the key that signs tokens and cookies: made once, kept across starts, so that nobody is logged out.
    pub fn secrets_key(&self) -> Result<PathBuf> {
        let path = self.path("secrets.key");
        if fs::metadata(&path).is_ok_and(|file| file.len() > 64) {
            return Ok(path);
        }
        let mut bytes = [0_u8; 32];
        File::open("/dev/urandom")
            .and_then(|mut random| random.read_exact(&mut bytes))
            .context("reading /dev/urandom")?;
        let key = bytes
            .iter()
            .fold(String::from("k1:"), |text, byte| text + &format!("{byte:02x}"));
        write_private(&path, &key)?;
        Ok(path)
    }
}

/// Makes a folder for the owner only; true when it was not there.
pub(crate) fn private_folder(path: &Path) -> Result<bool> {
    if path.is_dir() {
        return Ok(false);
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("making {}", path.display()))?;
    Ok(true)
}

/// Writes a file for the owner only, so that a reader sees the old or the new text and never a part of it.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    let temporary = path.with_extension("new");
    remove_file(&temporary)?;
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().with_context(|| format!("writing {}", path.display()))
}

fn check_owner(root: &Path) -> Result<()> {
    let owner = fs::metadata(root)?.uid();
    if owner != Uid::effective().as_raw() {
        bail!(Usage(format!(
            "--data {} belongs to another user (uid {owner})",
            root.display()
        )));
    }
    Ok(())
}

fn is_empty(folder: &Path) -> Result<bool> {
    let mut entries = fs::read_dir(folder).with_context(|| format!("--data {}", folder.display()))?;
    Ok(entries.next().is_none())
}

pub(crate) fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("deleting {}", path.display()))
        }
        _ => Ok(()),
    }
}

pub(crate) fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("deleting {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]
    use super::*;

    #[test]
    fn a_new_folder_is_private_and_is_known_again() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        assert!(DataFolder::existing(&path).unwrap().is_none());
        let folder = DataFolder::create(&path).unwrap();
        assert_eq!(fs::metadata(folder.root()).unwrap().mode() & 0o777, 0o700);
        DataFolder::create(&path).unwrap();
        assert!(DataFolder::existing(&path).unwrap().is_some());
    }

    #[test]
    fn a_folder_with_other_files_is_refused_and_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        fs::create_dir(parent.path().join("database")).unwrap();
        let error = DataFolder::create(parent.path()).unwrap_err().to_string();
        assert!(
            error.contains("--data") && error.contains("not made by trestle"),
            "{error}"
        );
        assert!(DataFolder::existing(parent.path()).is_err());
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_second_launcher_is_refused_with_the_pid_of_the_first() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::create(&parent.path().join("d")).unwrap();
        let lock = folder.lock().unwrap();
        let error = folder.lock().unwrap_err().to_string();
        assert!(error.contains(&std::process::id().to_string()), "{error}");
        assert!(folder.is_locked().unwrap());
        drop(lock);
        folder.lock().unwrap();
    }

    #[test]
    fn the_key_is_made_once_for_the_owner_only() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::create(&parent.path().join("d")).unwrap();
        let path = folder.secrets_key().unwrap();
        let key = fs::read_to_string(&path).unwrap();
        assert!(key.len() > 64);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        folder.secrets_key().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), key);
    }

    #[test]
    fn sockets_of_a_long_data_path_go_to_a_short_private_folder() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::create(&parent.path().join("x".repeat(120))).unwrap();
        let run = folder.run_folder().unwrap();
        assert!(run.as_os_str().len() <= LONGEST_RUN_FOLDER);
        assert_eq!(fs::metadata(&run).unwrap().mode() & 0o777, 0o700);
        folder.remove_run_folder(&run).unwrap();
        assert!(!run.exists());
    }

    #[test]
    fn a_run_folder_of_another_stack_is_not_deleted() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::create(&parent.path().join("d")).unwrap();
        let other = tempfile::tempdir().unwrap();
        folder.remove_run_folder(other.path()).unwrap();
        assert!(other.path().exists());
    }

    #[test]
    fn clearing_keeps_the_marker_so_that_the_folder_can_be_used_again() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::create(&parent.path().join("d")).unwrap();
        fs::create_dir(folder.database()).unwrap();
        folder.mark_finished("MariaDB").unwrap();
        folder.clear().unwrap();
        assert!(!folder.database().exists() && folder.finished_with().is_none());
        DataFolder::create(folder.root()).unwrap();
    }
}
