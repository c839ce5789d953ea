//! What a chaos run came to, and what it is held to.

use serde::{Deserialize, Serialize};

use super::fault::Blow;
use super::strike::{HEALTHY_WITHIN, Struck};
use super::window::{self, Noticed};
use crate::load::Load;
use crate::report::number::fixed;
use crate::result::{Audit, Conditions, Measured, Outcome, Verdict, Verification};

/// After its end a fault has so many seconds until shoppers notice nothing of it any more.
const RECOVERED_WITHIN: f64 = 30.0;

/// `chaos.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChaosResult {
    /// Of this format: 1.
    pub version: u32,
    /// RFC 3339.
    pub began: String,
    pub conditions: Conditions,
    pub load: Load,
    pub faults: Vec<Fallout>,
    pub measured: Measured,
    pub limits: Vec<Verdict>,
    /// None: the shop could not be asked.
    pub verification: Option<Verification>,
    pub audit: Option<Audit>,
    pub outcome: Outcome,
}

/// A fault and what was noticed of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fallout {
    pub struck: Struck,
    pub noticed: Noticed,
}

impl Fallout {
    /// Whether shoppers may notice nothing: another replica takes over, and the database holds all that Redis does.
    fn is_hidden(&self, replicas: usize) -> bool {
        let fault = &self.struck.fault;
        let somebody_else = (fault.is_of_replica() && replicas > 1) || fault.name == "redis";
        somebody_else && self.struck.is_alone
    }

    fn may_refuse(&self) -> bool {
        let fault = &self.struck.fault;
        fault.is_of_replica() && fault.blow != Blow::Kill
    }

    /// Seconds from the fault on that it lasted.
    fn length(&self) -> f64 {
        self.struck.fault.until() - self.struck.fault.at
    }
}

/// What each fault led to, by the generator's tenths of seconds.
pub fn fallouts(struck: Vec<Struck>, measured: &Measured) -> Vec<Fallout> {
    let end = millis(measured.seconds);
    let times: Vec<i64> = struck.iter().map(|it| millis(it.at)).collect();
    let mut calm_from = i64::MIN;
    let mut before = 0.0;
    let mut fallouts = Vec::new();
    for (place, struck) in struck.into_iter().enumerate() {
        let from = times[place];
        let until = times.get(place + 1).copied().unwrap_or(end);
        let noticed = window::look(&measured.tenths, from, until, calm_from, before);
        before = noticed.before;
        let fallout = Fallout { struck, noticed };
        let recovered = fallout.noticed.recovered.map_or(until, |it| from + millis(it));
        calm_from = recovered.max(from + millis(fallout.length()));
        fallouts.push(fallout);
    }
    fallouts
}

/// What has to hold of each fault.
pub fn limits(fallouts: &[Fallout], replicas: usize) -> Vec<Verdict> {
    fallouts
        .iter()
        .flat_map(|fallout| of_fault(fallout, replicas))
        .collect()
}

fn of_fault(fallout: &Fallout, replicas: usize) -> Vec<Verdict> {
    let (struck, noticed) = (&fallout.struck, &fallout.noticed);
    let verdict = |what: &str, limit: String, found: String, holds: bool| Verdict {
        what: format!("{}: {what}", struck.fault),
        limit,
        found,
        holds,
    };
    if let Some(trouble) = &struck.trouble {
        return vec![verdict("done", "done".to_owned(), trouble.clone(), false)];
    }
    let mut verdicts = Vec::new();
    if fallout.is_hidden(replicas) {
        let (failed, shed) = (noticed.failed, noticed.shed);
        // A replica that was frozen refuses with 503 until it knows which sessions ended meanwhile.
        let (what, wrong) = if fallout.may_refuse() {
            ("failed", failed)
        } else {
            ("failed and refused", failed + shed)
        };
        let found = format!("{failed} failed, {shed} refused");
        verdicts.push(verdict(what, "0".to_owned(), found, wrong == 0));
    }
    let within = RECOVERED_WITHIN + fallout.length();
    let found = noticed
        .recovered
        .map_or_else(|| "not before the next fault or the end".to_owned(), in_seconds);
    let holds = noticed.recovered.is_some_and(|took| took <= within);
    verdicts.push(verdict("shoppers well again", in_seconds(within), found, holds));
    let limit = HEALTHY_WITHIN.as_secs_f64();
    let found = struck
        .healthy
        .map_or_else(|| "not in that time".to_owned(), in_seconds);
    let holds = struck.healthy.is_some_and(|took| took <= limit);
    verdicts.push(verdict("all ready again", in_seconds(limit), found, holds));
    verdicts
}

fn in_seconds(seconds: f64) -> String {
    format!("{} s", fixed(seconds, 1))
}

fn millis(seconds: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "seconds of a load")]
    let millis = (seconds * 1_000.0).round() as i64;
    millis
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    fn fallout(fault: &str, failed: u64) -> Fallout {
        Fallout {
            struck: Struck {
                fault: fault.parse().unwrap(),
                at: 10.0,
                healthy: Some(2.0),
                is_alone: true,
                trouble: None,
            },
            noticed: Noticed {
                failed,
                recovered: Some(1.0),
                ..Noticed::default()
            },
        }
    }

    fn broken(fallout: Fallout, replicas: usize) -> Vec<String> {
        let verdicts = limits(&[fallout], replicas);
        let broken = verdicts.into_iter().filter(|verdict| !verdict.holds);
        broken.map(|verdict| verdict.what).collect()
    }

    #[test]
    fn a_replica_and_redis_may_not_be_missed() {
        for fault in ["kill:api-1@10", "freeze:api-1@10", "kill:redis@10"] {
            assert!(broken(fallout(fault, 0), 2).is_empty());
            assert_eq!(broken(fallout(fault, 1), 2).len(), 1, "{fault}");
        }
        assert!(broken(fallout("kill:api-1@10", 1), 1).is_empty(), "the only one");
        assert!(broken(fallout("kill:nginx@10", 1), 2).is_empty());
        assert!(broken(fallout("kill:database@10", 1), 2).is_empty());
        let mut thawed = fallout("freeze:api-1@10", 0);
        thawed.noticed.shed = 1;
        assert!(
            broken(thawed, 2).is_empty(),
            "it may have missed that a session ended"
        );
        let mut refused = fallout("kill:api-1@10", 0);
        refused.noticed.shed = 1;
        assert_eq!(broken(refused, 2).len(), 1);
        let mut with_another = fallout("kill:api-1@10", 1);
        with_another.struck.is_alone = false;
        assert!(broken(with_another, 2).is_empty());
    }

    #[test]
    fn all_have_to_come_back_in_time() {
        let mut late = fallout("kill:database@10", 0);
        late.noticed.recovered = None;
        assert_eq!(broken(late.clone(), 2), ["kill database: shoppers well again"]);
        late.noticed.recovered = Some(31.0);
        assert_eq!(broken(late.clone(), 2).len(), 1);
        late.struck.healthy = None;
        assert_eq!(broken(late, 2).len(), 2);
        let mut frozen = fallout("freeze:database@10+5", 0);
        frozen.noticed.recovered = Some(31.0);
        assert!(broken(frozen, 2).is_empty(), "30 s after its end");
    }

    #[test]
    fn a_fault_that_did_not_come_fails_the_run() {
        let mut missing = fallout("kill:nginx@10", 0);
        missing.struck.trouble = Some("no such process".to_owned());
        assert_eq!(broken(missing, 2), ["kill nginx: done"]);
    }
}
