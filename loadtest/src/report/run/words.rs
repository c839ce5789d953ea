//! A run in words, for the page and the screen.

use crate::load::{Arrivals, Load, Model, Shape, Unit, WarmUp};
use crate::report::number::{bytes, count, duration, float, percent_of, plain, quantity};
use crate::result::{Audit, Conditions, Machine, Outcome, RunResult, Verdict};

/// Who came, how.
pub fn load(load: &Load) -> String {
    let (who, shape) = match &load.model {
        Model::Closed { shoppers, shape } => {
            (format!("{} shoppers", count(number_of(*shoppers))), Some(shape))
        }
        Model::Open {
            rate,
            arrivals,
            unit,
            shape,
        } => {
            let what = match unit {
                Unit::Interactions => "interactions",
                Unit::Sessions => "sessions",
            };
            let how = match arrivals {
                Arrivals::Poisson => "Poisson",
                Arrivals::Constant => "evenly spread",
            };
            (format!("{} {what}/s arriving ({how})", plain(*rate)), Some(shape))
        }
        Model::Flash { product, buyers } => (
            format!(
                "flash sale of product {product}, {} buyers",
                count(number_of(*buyers))
            ),
            None,
        ),
    };
    match shape.filter(|shape| **shape != Shape::default()) {
        Some(shape) => format!("{who}, {}", shape_words(shape)),
        None => who,
    }
}

fn shape_words(Shape(points): &Shape) -> String {
    let points = points
        .iter()
        .map(|(at, factor)| format!("x {} at {} s", plain(*factor), plain(*at)));
    format!("load {}", points.collect::<Vec<_>>().join(", "))
}

fn number_of(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// RFC 3339 as people read it, UTC said; as it is where it is something else.
pub fn when(began: &str) -> String {
    match began.split_once('T') {
        Some((day, rest)) if rest.ends_with('Z') => {
            let time = rest.trim_end_matches('Z').split('.').next().unwrap_or(rest);
            format!("{day} {time} UTC")
        }
        _ => began.to_owned(),
    }
}

pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "Passed: all limits hold, nothing was lost",
        Outcome::Failed => "Failed",
        Outcome::Invalid => "Invalid: the generator was the limit, the numbers say nothing about the shop",
        Outcome::NotAudited => "Not audited: all limits hold, but the database was not asked",
    }
}

/// Each thing that does not hold, in a line.
pub fn reasons(result: &RunResult) -> Vec<String> {
    let mut reasons: Vec<String> = broken(&result.validity).chain(broken(&result.limits)).collect();
    if let Some(found) = &result.verification {
        reasons.extend(found.violations.iter().cloned());
    }
    match &result.audit {
        Some(Audit::Failed(said)) => reasons.push(format!("audit: {said}")),
        Some(Audit::NotRun(why)) => reasons.push(format!("the audit could not run: {why}")),
        Some(Audit::Passed(_)) | None => {}
    }
    if !result.measured.settled {
        reasons.push("unsettled: throughput or hit rate still changed when measuring began".to_owned());
    }
    reasons
}

fn broken(verdicts: &[Verdict]) -> impl Iterator<Item = String> {
    let broken = verdicts.iter().filter(|verdict| !verdict.holds);
    broken.map(|verdict| format!("{}: {} (limit {})", verdict.what, verdict.found, verdict.limit))
}

/// The shares of cached reads by where they were answered from; none where nothing was read.
pub fn caches(result: &RunResult) -> Option<String> {
    let caches = result.measured.caches;
    let reads = caches.memory + caches.redis + caches.database;
    (reads > 0).then(|| {
        format!(
            "memory {}, Redis {}, database {} of {} cached reads",
            percent_of(caches.memory, reads),
            percent_of(caches.redis, reads),
            percent_of(caches.database, reads),
            count(reads)
        )
    })
}

/// Where a load ran: shop, data set, replicas, machine. Empty values are not known.
pub fn environment(conditions: &Conditions) -> Vec<(&'static str, String)> {
    let machine = &conditions.machine;
    let quota = conditions.quota.map_or_else(
        || "none known".to_owned(),
        |cores| format!("{} cores a replica", plain(cores)),
    );
    vec![
        ("Shop", conditions.url.clone()),
        ("Version", conditions.trestle.clone()),
        ("Data set", format!("{} products", count(conditions.products))),
        ("Replicas", count(number_of(conditions.replicas))),
        ("Quota", quota),
        ("Machine", self::machine(machine)),
        ("Kernel", machine.kernel.clone()),
    ]
}

/// A machine in a few words.
pub fn machine(machine: &Machine) -> String {
    format!(
        "{} cores, {}, {}",
        machine.cores,
        machine.processor,
        bytes(machine.memory_mib << 20)
    )
}

/// What makes two runs comparable or not. Empty values are not known.
pub fn conditions(result: &RunResult) -> Vec<(&'static str, String)> {
    let load = &result.load;
    let mix = load.only.map_or_else(
        || load.mix.name().to_owned(),
        |only| format!("only {}", only.label()),
    );
    let think = if load.think_s > 0.0 {
        format!("mean {} s", plain(load.think_s))
    } else {
        "none".to_owned()
    };
    let sessions = if load.with_sessions {
        "kept, no password is hashed"
    } else {
        "begin and end, with logins"
    };
    let warm_up = match load.warm_up {
        WarmUp::Settled if result.measured.settled => "until settled",
        WarmUp::Settled => "NOT settled",
        WarmUp::Seconds(_) => "as told",
    };
    let mut facts = environment(&result.conditions);
    facts.extend([
        ("Load", self::load(load)),
        ("Mix", mix),
        ("Think time", think),
        ("Sessions", sessions.to_owned()),
        ("Began", when(&result.began)),
        ("Measured", duration(result.measured.seconds)),
        (
            "Warm-up",
            format!("{}, {warm_up}", duration(result.measured.warm_up_seconds)),
        ),
        (
            "Hit rate",
            caches(result).unwrap_or_else(|| "no cached reads".to_owned()),
        ),
        ("Seed", load.seed.to_string()),
    ]);
    facts
}

/// A rate with its unit.
pub fn per_second(value: u64, seconds: f64) -> String {
    format!("{}/s", quantity(float(value) / seconds.max(1e-9)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_are_said() {
        let mut asked = Load {
            model: Model::Closed {
                shoppers: 1_500,
                shape: Shape::default(),
            },
            mix: crate::interaction::Mix::Shopping,
            only: None,
            more: None,
            product: None,
            fine: false,
            think_s: 7.0,
            with_sessions: true,
            seconds: 60.0,
            warm_up: WarmUp::Settled,
            seed: 1,
        };
        assert_eq!(load(&asked), "1,500 shoppers");
        asked.model = Model::Open {
            rate: 250.0,
            arrivals: Arrivals::Poisson,
            unit: Unit::Interactions,
            shape: Shape(vec![(0.0, 1.0), (30.0, 3.0)]),
        };
        assert_eq!(
            load(&asked),
            "250 interactions/s arriving (Poisson), load x 1 at 0 s, x 3 at 30 s"
        );
        asked.model = Model::Flash {
            product: 7,
            buyers: 20,
        };
        assert_eq!(load(&asked), "flash sale of product 7, 20 buyers");
    }

    #[test]
    fn moments_are_read() {
        assert_eq!(when("2025-03-04T05:06:07.123Z"), "2025-03-04 05:06:07 UTC");
        assert_eq!(when("2025-03-04T05:06:07+01:00"), "2025-03-04T05:06:07+01:00");
    }
}
