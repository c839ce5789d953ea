//! Whether a run holds: the shop's limits, and whether the generator was up to it.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::interaction::Class;
use crate::load::Model;
use crate::result::{Audit, Measured, Outcome, ResponseLimits, Verdict, Verification};
use crate::stats::hist;

/// What the shop is held to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, clap::Args)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Reads: the longest 99th percentile, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = Class::Read.limit_ms())]
    pub reads_p99: u64,
    /// Cart and checkout: the longest 99th percentile, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = Class::Write.limit_ms())]
    pub writes_p99: u64,
    /// Login and registration: the longest 99th percentile, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = Class::Hash.limit_ms())]
    pub logins_p99: u64,
    /// Failed and refused interactions together, in percent of the completed
    #[arg(long, value_name = "PERCENT", default_value_t = 0.1)]
    pub errors: f64,
}

impl Limits {
    /// The limits of the 99th percentiles.
    pub fn response(&self) -> ResponseLimits {
        ResponseLimits {
            read: self.reads_p99,
            write: self.writes_p99,
            hash: self.logins_p99,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            reads_p99: Class::Read.limit_ms(),
            writes_p99: Class::Write.limit_ms(),
            logins_p99: Class::Hash.limit_ms(),
            errors: 0.1,
        }
    }
}

/// The generator's own limits.
const LAG_P99_MS: f64 = 5.0;
const CPU: f64 = 0.8;
const SENT: f64 = 0.99;
/// Completed, of what was offered.
const COMPLETED: f64 = 0.99;

/// Holds the measurements against the limits.
///
/// # Errors
/// When a histogram cannot be read; it does not happen with what a generator wrote.
pub fn limits(limits: &Limits, model: &Model, measured: &Measured) -> anyhow::Result<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    let classes = [
        (Class::Read, "reads p99", limits.reads_p99),
        (Class::Write, "cart and checkout p99", limits.writes_p99),
        (Class::Hash, "login and registration p99", limits.logins_p99),
    ];
    for (class, what, limit) in classes {
        let parts = of_class(measured, class)?;
        if parts.is_empty() {
            continue;
        }
        let whole = hist::merge(&parts)?;
        // Where too few came for a 99th percentile, what is known has to hold: the slowest.
        let (found, value) = if let Some(p99) = hist::percentile(&whole, 0.99) {
            (format!("{p99:.1} ms"), p99)
        } else {
            let most = hist::milliseconds(whole.max());
            (format!("{most:.1} ms at most, of {} samples", whole.len()), most)
        };
        verdicts.push(Verdict {
            what: what.to_owned(),
            limit: format!("{limit} ms"),
            found,
            holds: value <= number(limit),
        });
    }
    let wrong = share(measured.failed + measured.shed, measured.completed);
    verdicts.push(Verdict {
        what: "failed and refused".to_owned(),
        limit: format!("{} %", limits.errors),
        found: format!(
            "{:.3} % ({} failed, {} refused)",
            wrong * 100.0,
            measured.failed,
            measured.shed
        ),
        holds: wrong * 100.0 <= limits.errors,
    });
    let throttled: u64 = measured
        .errors
        .iter()
        .filter(|error| error.class.starts_with("429"))
        .map(|error| error.count)
        .sum();
    if throttled > 0 {
        verdicts.push(Verdict {
            what: "429 answers".to_owned(),
            limit: "0: the shop's throttle of logins (API.md, Rate limits), or a limit of whatever stands before the shop, \
                    refused the generator"
                .to_owned(),
            found: throttled.to_string(),
            holds: false,
        });
    }
    if matches!(model, Model::Open { .. }) {
        let completed = share(measured.completed, measured.offered);
        verdicts.push(Verdict {
            what: "completed of offered".to_owned(),
            limit: format!("{:.0} %", COMPLETED * 100.0),
            found: format!("{:.2} %", completed * 100.0),
            holds: completed >= COMPLETED,
        });
        // Arrivals come in bunches: a backlog that varies by a few is none that grows.
        let bunch = 3.0 * number(measured.backlog_half).sqrt().max(1.0);
        verdicts.push(Verdict {
            what: "backlog at the end".to_owned(),
            limit: format!("not above that at half time ({})", measured.backlog_half),
            found: measured.backlog_end.to_string(),
            holds: number(measured.backlog_end) <= number(measured.backlog_half) + bunch,
        });
    }
    Ok(verdicts)
}

fn of_class(measured: &Measured, class: Class) -> anyhow::Result<Vec<Histogram<u64>>> {
    measured
        .interactions
        .iter()
        .filter(|it| it.interaction.class() == class && it.count > 0)
        .map(|it| hist::decode(&it.histogram))
        .collect()
}

/// Whether the numbers say something about the shop, or about the generator.
pub fn validity(model: &Model, measured: &Measured) -> Vec<Verdict> {
    let client = measured.client;
    let lag = hist::milliseconds(client.lag_p99_us);
    let mut verdicts = vec![
        Verdict {
            what: "generator's lag p99".to_owned(),
            limit: format!("{LAG_P99_MS} ms"),
            found: format!("{lag:.2} ms"),
            holds: lag <= LAG_P99_MS,
        },
        Verdict {
            what: "generator's CPU".to_owned(),
            limit: format!("{:.0} % of a core", CPU * 100.0),
            found: format!("{:.1} %", client.cpu * 100.0),
            holds: client.cpu <= CPU,
        },
        Verdict {
            what: "sent of intended".to_owned(),
            limit: format!("{:.0} %", SENT * 100.0),
            found: format!("{:.2} %", client.sent * 100.0),
            holds: client.sent >= SENT,
        },
    ];
    if !matches!(model, Model::Flash { .. }) {
        verdicts.push(Verdict {
            what: "warm-up".to_owned(),
            limit: "throughput and hit rate settled".to_owned(),
            found: if measured.settled {
                "settled"
            } else {
                "unsettled after 30 s"
            }
            .to_owned(),
            holds: measured.settled,
        });
    }
    verdicts
}

/// All in one word. `audited` is whether an audit was wanted.
pub fn outcome(
    limits: &[Verdict],
    validity: &[Verdict],
    verification: Option<&Verification>,
    audit: Option<&Audit>,
    audit_wanted: bool,
) -> Outcome {
    let lost =
        verification.is_some_and(|it| !it.violations.is_empty()) || matches!(audit, Some(Audit::Failed(_)));
    if lost {
        return Outcome::Failed;
    }
    // What a generator could not do is no fault of the shop's.
    if validity.iter().any(|verdict| !verdict.holds) {
        return Outcome::Invalid;
    }
    if limits.iter().any(|verdict| !verdict.holds) {
        return Outcome::Failed;
    }
    let is_audited = matches!(audit, Some(Audit::Passed(_))) && verification.is_some();
    if audit_wanted && !is_audited {
        return Outcome::NotAudited;
    }
    Outcome::Passed
}

fn share(part: u64, of: u64) -> f64 {
    number(part) / number(of.max(1))
}

fn number(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let number = count as f64;
    number
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;
    use crate::interaction::Interaction;
    use crate::load::Shape;
    use crate::result::{Client, ErrorClass, Interactions};

    const CLOSED: Model = Model::Closed {
        shoppers: 1,
        shape: Shape(Vec::new()),
    };

    fn measured(interaction: Interaction, milliseconds: u64) -> Measured {
        let mut histogram = hist::empty().unwrap();
        for _ in 0..2_000 {
            histogram.record(milliseconds * 1_000).unwrap();
        }
        Measured {
            completed: 2_000,
            settled: true,
            client: Client {
                sent: 1.0,
                ..Client::default()
            },
            interactions: vec![Interactions {
                interaction,
                count: 2_000,
                errors: 0,
                histogram: hist::encode(&histogram).unwrap(),
                p50: None,
                p90: None,
                p95: None,
                p99: None,
                p999: None,
                mean_ms: 0.0,
                max_ms: 0.0,
            }],
            ..Measured::default()
        }
    }

    fn broken(verdicts: &[Verdict]) -> Vec<&str> {
        let broken = verdicts.iter().filter(|verdict| !verdict.holds);
        broken.map(|verdict| verdict.what.as_str()).collect()
    }

    #[test]
    fn each_class_has_its_limit() {
        let check = |it, ms| limits(&Limits::default(), &CLOSED, &measured(it, ms)).unwrap();
        assert!(broken(&check(Interaction::Home, 240)).is_empty());
        assert_eq!(broken(&check(Interaction::Home, 260)), ["reads p99"]);
        assert!(broken(&check(Interaction::BuyConfirm, 490)).is_empty());
        assert_eq!(
            broken(&check(Interaction::BuyConfirm, 510)),
            ["cart and checkout p99"]
        );
        assert_eq!(
            broken(&check(Interaction::Login, 2_010)),
            ["login and registration p99"]
        );
    }

    #[test]
    fn errors_refusals_and_429_fail_a_run() {
        let mut many = measured(Interaction::Home, 1);
        many.shed = 2;
        assert!(broken(&limits(&Limits::default(), &CLOSED, &many).unwrap()).is_empty());
        many.failed = 1;
        assert_eq!(
            broken(&limits(&Limits::default(), &CLOSED, &many).unwrap()),
            ["failed and refused"]
        );
        many.failed = 0;
        many.errors.push(ErrorClass {
            class: "429 too_many_attempts".to_owned(),
            count: 1,
            samples: Vec::new(),
        });
        assert_eq!(
            broken(&limits(&Limits::default(), &CLOSED, &many).unwrap()),
            ["429 answers"]
        );
    }

    #[test]
    fn a_generator_that_is_the_limit_makes_the_run_invalid() {
        let mut slow = measured(Interaction::Home, 1);
        slow.client.lag_p99_us = 6_000;
        assert_eq!(broken(&validity(&CLOSED, &slow)), ["generator's lag p99"]);
        slow.client.lag_p99_us = 4_000;
        slow.client.cpu = 0.81;
        assert_eq!(broken(&validity(&CLOSED, &slow)), ["generator's CPU"]);
        let checked = validity(&CLOSED, &slow);
        assert_eq!(outcome(&[], &checked, None, None, false), Outcome::Invalid);
    }

    #[test]
    fn what_was_lost_fails_a_run_and_what_was_not_asked_is_not_audited() {
        let lost = Verification {
            violations: vec!["order".to_owned()],
            ..Verification::default()
        };
        let fine = Verification::default();
        let passed = Audit::Passed(String::new());
        assert_eq!(
            outcome(&[], &[], Some(&lost), Some(&passed), true),
            Outcome::Failed
        );
        let failed = Audit::Failed(String::new());
        assert_eq!(
            outcome(&[], &[], Some(&fine), Some(&failed), false),
            Outcome::Failed
        );
        let not_run = Audit::NotRun(String::new());
        assert_eq!(
            outcome(&[], &[], Some(&fine), Some(&not_run), true),
            Outcome::NotAudited
        );
        assert_eq!(
            outcome(&[], &[], Some(&fine), Some(&not_run), false),
            Outcome::Passed
        );
        assert_eq!(
            outcome(&[], &[], Some(&fine), Some(&passed), true),
            Outcome::Passed
        );
    }
}
