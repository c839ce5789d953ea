//! `trestle logs`: what the tiers wrote, together or one of them, now or as it comes.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use trestle::data::DataFolder;
use trestle::options::Usage;

use super::{Where, nothing_runs};

const LOOK_EVERY: Duration = Duration::from_millis(200);
/// At most this much of a log's end is read for its last lines.
const WINDOW: u64 = 1 << 20;

/// Shows the last lines of the logs
#[derive(Args)]
pub struct Logs {
    /// web, api, redis, database or launcher; or one log: api-1, access, error, seed …
    pub tier: Option<String>,
    /// Goes on as lines come, until Ctrl-C
    #[arg(long, short)]
    pub follow: bool,
    /// Lines of each log
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    pub lines: usize,
    #[command(flatten)]
    place: Where,
}

/// One log file and how far it was read.
struct Followed {
    name: String,
    path: PathBuf,
    position: u64,
}

impl Logs {
    pub async fn run(self) -> Result<ExitCode> {
        let Some(data) = DataFolder::existing(&self.place.data)? else {
            return Ok(nothing_runs(&self.place.data));
        };
        let folder = data.path("logs");
        let mut followed = self.find(&folder)?;
        if followed.is_empty() && !self.follow {
            bail!(Usage(self.no_such_log(&folder)?));
        }
        let with_names = followed.len() > 1 || self.follow;
        for log in &mut followed {
            log.print_last(self.lines, with_names)?;
        }
        if self.follow {
            self.follow(&folder, followed).await?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Until Ctrl-C.
    async fn follow(&self, folder: &Path, mut followed: Vec<Followed>) -> Result<()> {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            // A new replica has a new log.
            for log in self.find(folder)? {
                if !followed.iter().any(|known| known.path == log.path) {
                    followed.push(log);
                }
            }
            for log in &mut followed {
                log.print_new(true)?;
            }
        }
    }

    fn find(&self, folder: &Path) -> Result<Vec<Followed>> {
        let mut logs: Vec<Followed> = names(folder)?
            .into_iter()
            .filter(|name| self.tier.as_deref().is_none_or(|tier| belongs(name, tier)))
            .map(|name| Followed {
                path: folder.join(format!("{name}.log")),
                name,
                position: 0,
            })
            .collect();
        logs.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(logs)
    }

    fn no_such_log(&self, folder: &Path) -> Result<String> {
        let tier = self.tier.as_deref().unwrap_or_default();
        Ok(format!("TIER {tier:?}: there are {}", names(folder)?.join(", ")))
    }
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let name = |path: PathBuf| {
        (path.extension()? == "log")
            .then(|| path.file_stem()?.to_str().map(ToOwned::to_owned))
            .flatten()
    };
    Ok(entries.flatten().filter_map(|entry| name(entry.path())).collect())
}

/// Whether a log is part of what was asked for.
fn belongs(name: &str, tier: &str) -> bool {
    match tier {
        "web" | "nginx" => ["nginx", "access", "error"].contains(&name),
        "api" => name.starts_with("api-") || ["migrate", "seed"].contains(&name),
        "database" | "db" => name.starts_with("database"),
        _ => name == tier,
    }
}

impl Followed {
    fn print_last(&mut self, lines: usize, with_name: bool) -> Result<()> {
        let length = fs::metadata(&self.path).map_or(0, |file| file.len());
        self.position = length.saturating_sub(WINDOW);
        let text = self.read()?;
        let all: Vec<&str> = text.lines().collect();
        for line in all.iter().skip(all.len().saturating_sub(lines)) {
            self.print(line, with_name);
        }
        Ok(())
    }

    fn print_new(&mut self, with_name: bool) -> Result<()> {
        if fs::metadata(&self.path).map_or(0, |file| file.len()) < self.position {
            // It was set aside and begun anew.
            self.position = 0;
        }
        let text = self.read()?;
        for line in text.lines() {
            self.print(line, with_name);
        }
        Ok(())
    }

    /// Whole lines from the position on; a line that is still being written waits for its end.
    fn read(&mut self) -> Result<String> {
        let Ok(mut file) = File::open(&self.path) else {
            return Ok(String::new());
        };
        file.seek(SeekFrom::Start(self.position))?;
        let mut bytes = Vec::new();
        file.take(WINDOW).read_to_end(&mut bytes)?;
        let whole = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        bytes.truncate(whole);
        self.position += u64::try_from(whole)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn print(&self, line: &str, with_name: bool) {
        if with_name {
            println!("{:<12} {line}", self.name);
        } else {
            println!("{line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::belongs;

    #[test]
    fn a_tier_has_the_logs_of_its_processes() {
        assert!(belongs("api-12", "api") && belongs("migrate", "api"));
        assert!(belongs("access", "web") && belongs("database-init", "database"));
        assert!(belongs("api-1", "api-1") && !belongs("api-10", "api-1"));
    }
}
