//! The docker command, bounded in time. What it complains about last is the error.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// Enough for each question, and for what the engine does at once.
pub(super) const SOON: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Runs `docker ARGUMENTS` to its end; answers what it wrote.
pub(super) fn docker(arguments: &[&str], limit: Duration) -> Result<String> {
    run(Command::new("docker").args(arguments), limit)
}

/// The same with a command that was made elsewhere.
pub(super) fn run(command: &mut Command, limit: Duration) -> Result<String> {
    let what = told(command);
    let (status, output, complaint) = finish(command, limit)?;
    if !status.success() {
        bail!("{what}: {}", reason(&complaint, status));
    }
    Ok(output)
}

/// The last line of a container's log; empty when there is none.
pub(super) fn last_words(id: &str) -> String {
    let ended = finish(Command::new("docker").args(["logs", "--tail", "1", id]), SOON);
    // A container writes to both.
    ended.map_or_else(
        |_| String::new(),
        |(_, output, complaint)| (output + &complaint).trim().to_owned(),
    )
}

/// Words like `docker compose up`, for an error: without options, which are long.
fn told(command: &Command) -> String {
    let mut words = vec!["docker".to_owned()];
    let arguments: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    let mut rest = arguments.iter();
    if arguments.first().is_some_and(|word| word == "compose") {
        words.push("compose".to_owned());
        rest.next();
        // The options of compose itself all have a value.
        while rest.as_slice().first().is_some_and(|word| word.starts_with("--")) {
            rest.nth(1);
        }
    }
    words.extend(rest.next().map(ToString::to_string));
    words.join(" ")
}

fn finish(command: &mut Command, limit: Duration) -> Result<(ExitStatus, String, String)> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .context("docker cannot be run: the containers need Docker with Compose v2")?;
    let output = child.stdout.take().map(read);
    let complaint = child.stderr.take().map(read);
    let Some(status) = within(&mut child, limit)? else {
        // Not waited for what it would still write: something that it started may hold the pipes.
        child.kill().ok();
        child.wait().ok();
        bail!("{} is not done after {} s", told(command), limit.as_secs());
    };
    let text = |reader: Option<JoinHandle<String>>| reader.and_then(|it| it.join().ok()).unwrap_or_default();
    Ok((status, text(output), text(complaint)))
}

fn read(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).ok();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn within(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context("waiting for docker")? {
            return Ok(Some(status));
        }
        if start.elapsed() > limit {
            return Ok(None);
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// The last line that says something, in the words of who can do something about it.
fn reason(complaint: &str, status: ExitStatus) -> String {
    let last = complaint.lines().map(str::trim).rfind(|line| !line.is_empty());
    let Some(last) = last else {
        return format!("failed without a word ({status})");
    };
    let says = |words: &[&str]| words.iter().any(|it| complaint.to_lowercase().contains(it));
    // With a right that is missing, or nobody there: the words of docker 20 to 29.
    if says(&["connect to the docker daemon", "connect to the docker api"]) {
        return format!("the Docker engine cannot be reached: {last}");
    }
    if says(&[
        "'compose' is not a docker command",
        "unknown command: docker compose",
        "unknown flag: --project-name",
    ]) {
        return "Compose v2 is missing (the package docker-compose-plugin of Docker, docker-compose of Debian)".to_owned();
    }
    last.trim_start_matches("Error response from daemon: ").to_owned()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn an_error_is_the_last_line_of_the_complaint() {
        let error = run(
            &mut shell("echo first >&2; echo 'Error response from daemon: no such thing' >&2; exit 1"),
            SOON,
        );
        assert_eq!(error.unwrap_err().to_string(), "docker -c: no such thing");
        assert_eq!(
            run(&mut shell("echo out; echo aside >&2"), SOON).unwrap(),
            "out\n"
        );
    }

    #[test]
    fn a_command_that_hangs_is_cut_off() {
        let start = Instant::now();
        let error = run(&mut shell("sleep 20"), Duration::from_millis(100)).unwrap_err();
        assert!(error.to_string().contains("is not done"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn an_error_names_the_command_and_leaves_out_its_options() {
        let mut command = Command::new("docker");
        command.args([
            "compose",
            "--project-name",
            "shop",
            "--file",
            "a.yml",
            "up",
            "--wait",
            "api",
        ]);
        assert_eq!(told(&command), "docker compose up");
        assert_eq!(
            told(Command::new("docker").args(["stop", "a", "b"])),
            "docker stop"
        );
    }

    #[test]
    fn an_engine_or_a_plugin_that_is_away_is_called_so() {
        let reason = |complaint| reason(complaint, ExitStatus::default());
        for complaint in [
            "Cannot connect to the Docker daemon at unix:///x.sock. Is the docker daemon running?\n",
            "permission denied while trying to connect to the Docker daemon socket at unix:///x.sock: Get ...\n",
        ] {
            assert!(reason(complaint).starts_with("the Docker engine cannot be reached: "));
        }
        let missing = reason("unknown flag: --project-name\nSee 'docker --help'.\n");
        assert!(missing.starts_with("Compose v2 is missing"), "{missing}");
    }
}
