//! The database tier: a MariaDB or MySQL server of our own, in the data folder, on a Unix socket only.
//!
//! Invariants: no option file of the system is read, so neither can a system's database be touched nor its settings
//! change ours. The only accounts are `root` and `trestle`, both without password: the folder of the socket is closed to
//! everybody else. Writes are as durable as the server's defaults make them.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::unistd::Uid;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::process::Command;
use tokio::time::timeout;

use crate::data::DataFolder;
use crate::options::Usage;
use crate::process::{Process, Program, describe};
use crate::{probe, programs};

/// Repair after a power cut reads the whole log; with 48 MB of it that takes seconds, on a slow disk many.
const READY_WITHIN: Duration = Duration::from_secs(90);
const INIT_WITHIN: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    MariaDb,
    MySql,
}

/// The server program and where it works.
#[derive(Debug, Clone)]
pub struct Database {
    pub flavour: Flavour,
    /// The program's own words about its version.
    pub version: String,
    executable: PathBuf,
    data: DataFolder,
    socket: PathBuf,
    /// Of the caller, for the running server.
    arguments: Vec<String>,
}

impl Database {
    /// The server to use: the one that `--mysqld` names, else an installed one.
    pub async fn find(
        named: Option<&Path>,
        arguments: &[String],
        data: &DataFolder,
        run: &Path,
    ) -> Result<Self> {
        let executable = match named {
            Some(path) => programs::named("--mysqld", path)?,
            None => programs::installed(&["mariadbd", "mysqld"])
                .context("no mariadbd or mysqld is installed; `make up` installs one (package mariadb-server-core), or name one with --mysqld")?,
        };
        let ask = Command::new(&executable)
            .arg("--no-defaults")
            .arg("--version")
            .kill_on_drop(true)
            .output();
        let output = timeout(Duration::from_secs(10), ask)
            .await
            .with_context(|| format!("--mysqld {}: no answer to --version", executable.display()))?
            .with_context(|| format!("--mysqld {}", executable.display()))?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let Some(flavour) = flavour(&version) else {
            bail!(Usage(format!(
                "--mysqld {} is no MySQL or MariaDB server",
                executable.display()
            )));
        };
        Ok(Self {
            flavour,
            version,
            executable,
            data: data.clone(),
            socket: run.join("mysqld.sock"),
            arguments: arguments.to_vec(),
        })
    }

    /// Begins to make the folder with the system tables. It must not exist.
    pub fn initialise(&self) -> Result<Process> {
        crate::data::private_folder(&self.data.database())?;
        let program = match self.flavour {
            Flavour::MariaDb => {
                let installer = self.installer()?;
                self.common(Program::new("database-init", &installer).arg("--no-defaults"))
                    .arg("--auth-root-authentication-method=normal")
                    .arg("--skip-test-db")
            }
            Flavour::MySql => self
                .common(Program::new("database-init", &self.executable).arg("--no-defaults"))
                .arg("--initialize-insecure")
                .arg("--auto-generate-certs=OFF")
                .arg("--caching-sha2-password-auto-generate-rsa-keys=OFF"),
        };
        Process::spawn(&program, &self.data)
    }

    /// Waits for the end of the initialisation.
    pub async fn initialised(&self, process: &Process) -> Result<()> {
        let ended = timeout(INIT_WITHIN, process.wait()).await;
        let Ok(status) = ended else {
            process.kill();
            bail!(
                "the database did not initialise within {} s; {}",
                INIT_WITHIN.as_secs(),
                process.tail()
            );
        };
        process.forget();
        if status.success() {
            return Ok(());
        }
        bail!(
            "the database could not be initialised ({}); {}{}",
            describe(status),
            process.tail(),
            self.hint(process)
        );
    }

    /// Starts the server. It is not ready yet.
    pub fn start(&self) -> Result<Process> {
        let mut program = self
            .common(Program::new("database", &self.executable).arg("--no-defaults"))
            .path("--socket", &self.socket)
            .path("--pid-file", &self.data.path("database.pid"))
            .arg("--skip-networking")
            .arg("--skip-name-resolve")
            .arg("--max-connections=300")
            .arg("--transaction-isolation=READ-COMMITTED")
            // Every acknowledged order is on the disk. This is the default; it stands here so that nobody "tunes" it.
            .arg("--innodb-flush-log-at-trx-commit=1")
            // Words of two letters can be searched (tv, and most Korean nouns).
            .arg("--innodb-ft-min-token-size=2")
            .arg("--table-open-cache=400");
        program = match self.flavour {
            Flavour::MariaDb => program
                .arg("--aria-pagecache-buffer-size=8M")
                .arg("--key-buffer-size=1M"),
            Flavour::MySql => program
                .arg("--mysqlx=OFF")
                .arg("--disable-log-bin")
                // Packages build in a folder of the system (/var/lib/mysql-files), which an ordinary user may not open and an
                // unpacked server does not have: it would not start. No file is read or written through SQL here.
                .arg("--secure-file-priv=NULL")
                // MySQL 8.4 and later fill 64 MB of memory at start. Larger transactions only write to the log earlier.
                .arg("--innodb-log-buffer-size=8M")
                .arg("--auto-generate-certs=OFF")
                .arg("--caching-sha2-password-auto-generate-rsa-keys=OFF"),
        };
        let program = self.arguments.iter().fold(program, Program::arg);
        Process::spawn(&program, &self.data)
    }

    /// Waits until the server takes connections.
    pub async fn ready(&self, process: &Process) -> Result<()> {
        let answered = probe::until(READY_WITHIN, || async {
            !process.is_running() || self.connect("root", None).await.is_ok()
        })
        .await;
        if let Some(status) = process.status() {
            bail!(
                "the database ended at start ({}); {}{}",
                describe(status),
                process.tail(),
                self.hint(process)
            );
        }
        answered.with_context(|| format!("the database is not ready; {}", process.tail()))
    }

    /// Makes the shop's database and its user, where they are missing.
    pub async fn prepare(&self) -> Result<()> {
        let mut connection = self
            .connect("root", None)
            .await
            .context("connecting to the new database")?;
        for statement in [
            "CREATE DATABASE IF NOT EXISTS trestle CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
            "CREATE USER IF NOT EXISTS 'trestle'@'localhost'",
            "GRANT ALL ON trestle.* TO 'trestle'@'localhost'",
        ] {
            sqlx::raw_sql(statement)
                .execute(&mut connection)
                .await
                .with_context(|| statement.to_owned())?;
        }
        Ok(connection.close().await?)
    }

    /// The address that the API and the tests use. A socket needs no TLS.
    pub fn url(&self) -> String {
        let socket = encode(&self.socket.to_string_lossy());
        format!("mysql://trestle@localhost/trestle?socket={socket}&ssl-mode=DISABLED")
    }

    /// The same server as `root`, for tests that look behind the shop's back.
    pub fn root_url(&self) -> String {
        self.url().replacen("trestle@", "root@", 1)
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    async fn connect(&self, user: &str, database: Option<&str>) -> Result<MySqlConnection> {
        let mut options = MySqlConnectOptions::new()
            .username(user)
            .socket(&self.socket)
            .ssl_mode(MySqlSslMode::Disabled);
        if let Some(database) = database {
            options = options.database(database);
        }
        let connection = timeout(
            Duration::from_secs(2),
            options.disable_statement_logging().connect(),
        )
        .await;
        Ok(connection.context("no answer in time")??)
    }

    /// What initialising and running have in common: InnoDB must find its log as it was made.
    fn common(&self, program: Program) -> Program {
        let mut program = program
            .path("--datadir", &self.data.database())
            .path("--tmpdir", &self.data.path("tmp"))
            .arg("--character-set-server=utf8mb4")
            .arg("--collation-server=utf8mb4_unicode_ci")
            // A demo on a laptop: 64 MB hold the pages of some 10,000 products, and all tiers stay under 400 MB.
            .arg("--innodb-buffer-pool-size=64M")
            .arg("--performance-schema=OFF")
            .arg(match self.flavour {
                Flavour::MariaDb => "--innodb-log-file-size=48M",
                Flavour::MySql => "--innodb-redo-log-capacity=48M",
            });
        if self.flavour == Flavour::MySql && !self.is_redo_capacity_known() {
            program
                .arguments
                .retain(|argument| argument != "--innodb-redo-log-capacity=48M");
        }
        if Uid::effective().is_root() {
            // Servers refuse to run as root unless told so; the folder is root's own.
            program = program.arg("--user=root");
        }
        self.own_files().into_iter().fold(program, Program::arg)
    }

    /// MySQL before 8.0.30 sizes its log with another variable; its default (96 MB) will do.
    fn is_redo_capacity_known(&self) -> bool {
        !self.version.contains(" 8.0.")
            || version_numbers(&self.version)
                .is_some_and(|numbers| numbers.as_slice() >= [8, 0, 30].as_slice())
    }

    /// A server that lies outside of `/usr` (unpacked somewhere, `--mysqld`) does not find its own files by itself.
    fn own_files(&self) -> Vec<OsString> {
        let prefix = match self.executable.parent().and_then(Path::parent) {
            Some(prefix) if prefix != Path::new("/usr") && prefix != Path::new("/") => prefix,
            _ => return Vec::new(),
        };
        let flag = |flag: &str, path: PathBuf| {
            path.is_dir().then(|| {
                let mut argument = OsString::from(flag);
                argument.push("=");
                argument.push(path);
                argument
            })
        };
        let plugins = ["lib/mysql/plugin", "lib/plugin", "lib64/mysql/plugin"].map(|path| prefix.join(path));
        let plugins = plugins.into_iter().find(|path| path.is_dir()).unwrap_or_default();
        [
            flag("--basedir", prefix.to_owned()),
            flag("--plugin-dir", plugins),
            flag("--lc-messages-dir", prefix.join("share/mysql")),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn installer(&self) -> Result<PathBuf> {
        let beside = self.executable.parent().into_iter().flat_map(|folder| {
            [
                "mariadb-install-db",
                "../bin/mariadb-install-db",
                "../scripts/mariadb-install-db",
            ]
            .map(|name| folder.join(name))
        });
        beside
            .into_iter()
            .find(|path| path.is_file())
            .or_else(|| programs::installed(&["mariadb-install-db", "mysql_install_db"]))
            .context("mariadb-install-db is not installed; it comes with the package mariadb-server-core")
    }

    /// A word about AppArmor, whose profile for mysqld allows only the system's folders.
    fn hint(&self, process: &Process) -> String {
        let tail = process.tail();
        let denied = ["Permission denied", "Errcode: 13", "OS errno 13", "errno: 13"]
            .iter()
            .any(|text| tail.contains(text));
        let confined = Path::new("/etc/apparmor.d/usr.sbin.mysqld").exists();
        if !(denied && confined) {
            return String::new();
        }
        format!(
            "\nAppArmor's profile for {} may forbid it {}: see infra/local/README.md, \"AppArmor\"",
            self.executable.display(),
            self.data.root().display()
        )
    }
}

fn flavour(version: &str) -> Option<Flavour> {
    if version.contains("MariaDB") {
        return Some(Flavour::MariaDb);
    }
    (version.contains("mysqld") && version.contains("Ver ")).then_some(Flavour::MySql)
}

fn version_numbers(version: &str) -> Option<Vec<u32>> {
    let word = version.split("Ver ").nth(1)?.split([' ', '-']).next()?;
    word.split('.').map(|number| number.parse().ok()).collect()
}

/// Percent-encoding for a path in a URL's query.
pub fn encode(text: &str) -> String {
    text.bytes()
        .fold(String::with_capacity(text.len()), |mut encoded, byte| {
            if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                // Writing to a string does not fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
            encoded
        })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]
    use super::*;

    #[test]
    fn the_flavour_is_read_from_the_version() {
        let maria = "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)";
        let mysql = "/usr/sbin/mysqld  Ver 8.0.29-0ubuntu0.22.04.1 for Linux on x86_64 ((Ubuntu))";
        assert_eq!(flavour(maria), Some(Flavour::MariaDb));
        assert_eq!(flavour(mysql), Some(Flavour::MySql));
        assert_eq!(flavour("bash 5.2"), None);
        assert_eq!(version_numbers(mysql).unwrap(), [8, 0, 29]);
    }

    #[test]
    fn sqlx_reads_the_socket_back_from_the_address() {
        let url = format!(
            "mysql://trestle@localhost/trestle?socket={}&ssl-mode=DISABLED",
            encode("/tmp/a b&c%/mysqld.sock")
        );
        let options: MySqlConnectOptions = url.parse().unwrap();
        assert_eq!(
            options.get_socket().unwrap(),
            Path::new("/tmp/a b&c%/mysqld.sock")
        );
        assert_eq!(options.get_username(), "trestle");
        assert_eq!(options.get_database(), Some("trestle"));
    }
}
