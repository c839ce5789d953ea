//! Faults, as the command line names them: what is done to which process, and when.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::stack::driver::Status;
use crate::usage::Usage;

/// How long a process is frozen when nobody said. As long as nginx waits for a read.
const FROZEN_FOR: f64 = 3.0;
/// Longer than anything in the shop waits: what has not come back by then is no fault, but an outage.
const LONGEST_FREEZE: f64 = 30.0;
/// What throughput has to come back to is what it was before: that much there has to be.
const FIRST: f64 = 2.0;
/// At the end of the load so much is left to see how it went.
const LAST: f64 = 2.0;
/// Where a fault of the default program lies in its share of the load.
const INTO: f64 = 5.0;

/// What is done to a process.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blow {
    /// SIGKILL; whoever keeps the stack running starts it again.
    Kill,
    /// It keeps its connections and answers nothing for so many seconds.
    Freeze(f64),
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    pub blow: Blow,
    /// `api-1`, `redis`, `nginx`, `database`.
    pub name: String,
    /// Seconds since measuring began.
    pub at: f64,
}

impl Fault {
    /// When it is over, but for what follows from it.
    pub fn until(&self) -> f64 {
        match self.blow {
            Blow::Kill => self.at,
            Blow::Freeze(seconds) => self.at + seconds,
        }
    }

    pub fn is_of_replica(&self) -> bool {
        self.name.starts_with("api-")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.blow {
            Blow::Kill => write!(formatter, "kill {}", self.name),
            Blow::Freeze(seconds) => write!(formatter, "freeze {} {seconds} s", self.name),
        }
    }
}

impl FromStr for Fault {
    type Err = String;

    /// `kill:NAME@SECOND` or `freeze:NAME@SECOND+FOR`.
    fn from_str(text: &str) -> Result<Self, String> {
        let form = "as kill:api-1@10 or freeze:redis@20+5";
        let (blow, rest) = text
            .split_once(':')
            .ok_or_else(|| format!("say what is done to which process, {form}"))?;
        let (name, time) = rest
            .split_once('@')
            .ok_or_else(|| format!("say at which second, {form}"))?;
        if name.is_empty() {
            return Err(format!("name a process, {form}"));
        }
        let (at, lasts) = match time.split_once('+') {
            Some((at, lasts)) => (at, Some(lasts)),
            None => (time, None),
        };
        let blow = match (blow, lasts) {
            ("kill", None) => Blow::Kill,
            ("kill", Some(_)) => {
                return Err("a kill has no length; freeze has: freeze:NAME@SECOND+FOR".to_owned());
            }
            ("freeze", lasts) => Blow::Freeze(lasts.map_or(Ok(FROZEN_FOR), seconds)?),
            (other, _) => return Err(format!("{other:?} is neither kill nor freeze")),
        };
        if matches!(blow, Blow::Freeze(lasts) if !(lasts > 0.0 && lasts <= LONGEST_FREEZE)) {
            return Err(format!(
                "a freeze lasts more than 0 s and at most {LONGEST_FREEZE} s"
            ));
        }
        let at = seconds(at)?;
        if at < FIRST {
            return Err(format!(
                "not before second {FIRST}: recovery is told from the throughput before it"
            ));
        }
        Ok(Self {
            blow,
            name: name.to_owned(),
            at,
        })
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    let parsed: Result<f64, _> = text.trim_end_matches('s').parse();
    match parsed {
        Ok(seconds) if seconds.is_finite() && seconds >= 0.0 => Ok(seconds),
        _ => Err(format!("{text:?} is no number of seconds")),
    }
}

/// Two replicas, Redis, nginx and the database, one after the other, each with its share of the load.
pub fn program(status: &Status, seconds: f64) -> Vec<Fault> {
    let replicas = status.replicas();
    let first = replicas.first().map(|it| it.name.clone());
    let second = replicas.get(1).or(replicas.first()).map(|it| it.name.clone());
    let has = |name: &str| status.find(name).map(|it| it.name.clone());
    let all = [
        (Blow::Kill, first),
        (Blow::Freeze(FROZEN_FOR), second),
        (Blow::Kill, has("redis")),
        (Blow::Kill, has("nginx")),
        (Blow::Kill, has("database")),
    ];
    let all: Vec<_> = all
        .into_iter()
        .filter_map(|(blow, name)| Some((blow, name?)))
        .collect();
    let count = u32::try_from(all.len()).unwrap_or(1).max(1);
    let share = seconds / f64::from(count);
    all.into_iter()
        .zip(0_u32..)
        .map(|((blow, name), place)| Fault {
            blow,
            name,
            at: share.mul_add(f64::from(place), INTO.min(share / 2.0)),
        })
        .collect()
}

/// Holds the faults against the stack and the length of the load; answers them in their order.
///
/// # Errors
/// When a process is not there or not ready, a fault comes too late, or a process is struck while it is frozen.
pub fn checked(mut faults: Vec<Fault>, status: &Status, seconds: f64) -> Result<Vec<Fault>, Usage> {
    faults.sort_by(|a, b| a.at.total_cmp(&b.at));
    for (place, fault) in faults.iter().enumerate() {
        let wrong = |why: String| {
            Err(Usage(format!(
                "--fault \"{fault}\" at second {}: {why}",
                fault.at
            )))
        };
        let Some(process) = status.find(&fault.name) else {
            let names: Vec<&str> = status.processes.iter().map(|it| it.name.as_str()).collect();
            return wrong(format!(
                "the stack has no such process; it has {}",
                names.join(", ")
            ));
        };
        if !process.is_ready() {
            return wrong(format!("{} is {}, not ready", process.name, process.state));
        }
        if fault.until() + LAST > seconds {
            return wrong(format!(
                "over less than {LAST} s before the load of {seconds} s ends (--seconds)"
            ));
        }
        let still_frozen = faults[..place]
            .iter()
            .any(|earlier| earlier.name == fault.name && earlier.until() > fault.at);
        if still_frozen {
            return wrong("it is still frozen then".to_owned());
        }
    }
    Ok(faults)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    fn status() -> Status {
        let process =
            |name: &str, state: &str| serde_json::json!({"name": name, "state": state, "address": "a"});
        serde_json::from_value(serde_json::json!({"url": "http://127.0.0.1:1", "processes": [
            process("nginx", "ready"), process("api-1", "ready"), process("api-2", "ready"), process("redis", "down"),
            process("database", "ready"),
        ]}))
        .unwrap()
    }

    fn parsed(text: &str) -> Fault {
        text.parse().unwrap()
    }

    #[test]
    fn faults_are_read() {
        let kill = parsed("kill:api-1@10");
        assert_eq!((kill.blow, kill.name.as_str()), (Blow::Kill, "api-1"));
        assert!((kill.at - 10.0).abs() < 1e-9 && (kill.until() - 10.0).abs() < 1e-9);
        let freeze = parsed("freeze:redis@20.5+5");
        assert_eq!(freeze.blow, Blow::Freeze(5.0));
        assert!((freeze.until() - 25.5).abs() < 1e-9);
        assert_eq!(parsed("freeze:api-2@4").blow, Blow::Freeze(FROZEN_FOR));
        assert_eq!(freeze.to_string(), "freeze redis 5 s");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (text, why) in [
            ("api-1@10", "which process"),
            ("kill:api-1", "which second"),
            ("kill:@10", "name a process"),
            ("burn:api-1@10", "neither kill nor freeze"),
            ("kill:api-1@10+5", "no length"),
            ("freeze:api-1@10+0", "more than 0"),
            ("freeze:api-1@10+31", "at most 30"),
            ("kill:api-1@soon", "no number"),
            ("kill:api-1@-4", "no number"),
            ("kill:api-1@nan", "no number"),
            ("kill:api-1@1", "not before second 2"),
        ] {
            let refused = text.parse::<Fault>().unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }

    #[test]
    fn faults_are_held_against_the_stack_before_anything_starts() {
        for (faults, why) in [
            (vec!["kill:api-3@10"], "it has nginx, api-1, api-2"),
            (vec!["kill:redis@10"], "redis is down"),
            (vec!["kill:api-1@29"], "--seconds"),
            (vec!["freeze:api-1@25+4"], "--seconds"),
            (vec!["kill:api-1@12", "freeze:api-1@10+5"], "still frozen"),
        ] {
            let faults = faults.into_iter().map(parsed).collect();
            let refused = checked(faults, &status(), 30.0).unwrap_err().to_string();
            assert!(refused.contains("--fault") && refused.contains(why), "{refused}");
        }
        let faults = vec![parsed("kill:database@20"), parsed("kill:api-1@10")];
        let checked = checked(faults, &status(), 30.0).unwrap();
        let names: Vec<&str> = checked.iter().map(|fault| fault.name.as_str()).collect();
        assert_eq!(names, ["api-1", "database"]);
    }

    #[test]
    fn the_default_program_fits_any_load_and_any_stack() {
        for seconds in [30.0, 90.0, 600.0] {
            let mut status = status();
            status.processes[3].state = "ready".to_owned();
            let faults = program(&status, seconds);
            let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
            assert_eq!(
                said,
                [
                    "kill api-1",
                    "freeze api-2 3 s",
                    "kill redis",
                    "kill nginx",
                    "kill database"
                ]
            );
            checked(faults, &status, seconds).unwrap();
            status
                .processes
                .retain(|it| it.name != "api-2" && it.name != "redis");
            let faults = program(&status, seconds);
            assert_eq!(faults.len(), 4);
            checked(faults, &status, seconds).unwrap();
        }
    }
}
