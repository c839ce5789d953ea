//! What an interaction costs, from two rates at which it was run alone.

use serde::{Deserialize, Serialize};

use super::tiers::Tiers;
use crate::interaction::Interaction;
use crate::result::Caches;
use crate::stats::sample::{mean, median};

/// What was measured at one rate.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Point {
    /// Completed interactions a second.
    pub rate: f64,
    /// HTTP requests a second.
    #[serde(default)]
    pub requests: f64,
    /// Cores that were used on average.
    pub cores: Tiers,
    /// Connections to the database that were executing a statement, on average; none where the replicas' metrics cannot be read.
    pub statements: Option<f64>,
    /// Mean response time in milliseconds.
    pub response_ms: f64,
    pub caches: Caches,
    /// Of the interactions, 0 to 1, those that failed or were refused.
    pub trouble: f64,
    /// Of the host's cores, 0 to 1.
    pub host_busy: f64,
    pub host_steal: f64,
}

impl Point {
    /// Of several rounds at the same rate: of each number the median, so that seconds in which the machine was slow do not count. Failures
    /// and hits are those of all rounds. Nothing of none.
    pub fn median(rounds: &[Self]) -> Self {
        let of = |number: fn(&Self) -> f64| median(&rounds.iter().map(number).collect::<Vec<_>>());
        let some = |number: fn(&Self) -> f64| of(number).unwrap_or_default();
        let statements: Option<Vec<f64>> = rounds.iter().map(|it| it.statements).collect();
        let mut caches = Caches::default();
        for round in rounds {
            caches.memory += round.caches.memory;
            caches.redis += round.caches.redis;
            caches.database += round.caches.database;
        }
        Self {
            rate: some(|it| it.rate),
            requests: some(|it| it.requests),
            cores: Tiers {
                nginx: some(|it| it.cores.nginx),
                api: some(|it| it.cores.api),
                redis: some(|it| it.cores.redis),
                database: some(|it| it.cores.database),
            },
            statements: statements.and_then(|them| median(&them)),
            response_ms: some(|it| it.response_ms),
            caches,
            trouble: mean(&rounds.iter().map(|it| it.trouble).collect::<Vec<_>>()).unwrap_or_default(),
            host_busy: some(|it| it.host_busy),
            host_steal: some(|it| it.host_steal),
        }
    }
}

/// What one interaction costs of something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// For each one more a second: the slope.
    pub each: f64,
    /// Once there are some at all, however many: caches that are filled again from time to time. It grows up to the lower rate.
    pub base: f64,
}

impl Cost {
    /// Used at so many a second.
    pub fn at(self, rate: f64, low_rate: f64) -> f64 {
        self.each * rate + self.base * (rate / low_rate.max(1e-9)).clamp(0.0, 1.0)
    }
}

/// What one interaction costs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Demand {
    pub interaction: Interaction,
    /// CPU seconds each.
    pub cpu: Tiers,
    /// Cores.
    pub base: Tiers,
    /// Seconds in which it has a statement executed by the database; none where that is not known.
    pub statements: Option<Cost>,
    /// Tiers whose slope was below 0 and is taken as 0: too little to be seen at these rates.
    pub cut: Vec<String>,
    pub low: Point,
    pub high: Point,
}

/// CPU seconds an interaction: by how much more is used for so many more a second. 0 where the rates do not differ.
pub fn slope(low: (f64, f64), high: (f64, f64)) -> f64 {
    let more = high.0 - low.0;
    if more.abs() < 1e-9 {
        return 0.0;
    }
    (high.1 - low.1) / more
}

/// Two rates make a straight line: what is used without any is not part of it. A slope below 0 is taken as 0.
fn cost(idle: f64, low: (f64, f64), high: (f64, f64)) -> Cost {
    let each = slope(low, high).max(0.0);
    Cost {
        each,
        base: low.1 - idle - each * low.0,
    }
}

impl Demand {
    pub fn of(interaction: Interaction, idle: &Point, low: Point, high: Point) -> Self {
        let pairs: [_; 4] = std::array::from_fn(|tier| {
            let (idle, low_cores, high_cores) = (
                idle.cores.array()[tier],
                low.cores.array()[tier],
                high.cores.array()[tier],
            );
            let is_cut = slope((low.rate, low_cores), (high.rate, high_cores)) < 0.0;
            (cost(idle, (low.rate, low_cores), (high.rate, high_cores)), is_cut)
        });
        let cut = Tiers::NAMES
            .into_iter()
            .zip(pairs)
            .filter(|(_, (_, is_cut))| *is_cut);
        let statements = match (idle.statements, low.statements, high.statements) {
            (Some(idle), Some(before), Some(after)) => {
                Some(cost(idle, (low.rate, before), (high.rate, after)))
            }
            _ => None,
        };
        Self {
            interaction,
            cpu: Tiers::from_array(pairs.map(|(cost, _)| cost.each)),
            base: Tiers::from_array(pairs.map(|(cost, _)| cost.base)),
            statements,
            cut: cut.map(|(name, _)| name.to_owned()).collect(),
            low,
            high,
        }
    }

    /// Whether the replica's own memory answered: beyond the slope it has only waking up.
    pub fn is_of_memory(&self) -> bool {
        let caches = self.low.caches;
        caches.memory > 0 && (caches.redis + caches.database) * 20 <= caches.memory
    }

    /// Cores that it uses at so many a second by itself, beyond `waking`, which is shared with all others.
    pub fn cores_at(&self, rate: f64, waking: Tiers) -> Tiers {
        let own = Tiers {
            // It keeps nothing that would have to be filled again.
            nginx: 0.0,
            api: (self.base.api - waking.api).max(0.0),
            ..self.base
        };
        self.cpu
            .with(own, |each, base| Cost { each, base }.at(rate, self.low.rate))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
    }

    pub fn point(rate: f64, api: f64) -> Point {
        Point {
            rate,
            cores: Tiers {
                api,
                ..Tiers::default()
            },
            statements: Some(rate * 0.002),
            response_ms: 10.0,
            ..Point::default()
        }
    }

    #[test]
    fn what_is_used_in_any_case_is_not_in_the_slope() {
        near(slope((10.0, 0.13), (50.0, 0.33)), 0.005);
        near(slope((10.0, 0.13), (10.0, 0.33)), 0.0);
        let demand = Demand::of(
            Interaction::Home,
            &point(0.0, 0.02),
            point(10.0, 0.13),
            point(50.0, 0.33),
        );
        near(demand.cpu.api, 0.005);
        near(demand.base.api, 0.06);
        assert!(demand.cut.is_empty());
        // What was measured is found again, and nothing comes of nobody.
        for (rate, used) in [(0.0, 0.0), (5.0, 0.055), (10.0, 0.11), (50.0, 0.31), (90.0, 0.51)] {
            near(demand.cores_at(rate, Tiers::default()).api, used);
        }
        let waking = Tiers {
            api: 0.04,
            ..Tiers::default()
        };
        near(demand.cores_at(50.0, waking).api, 0.31 - 0.04);
    }

    #[test]
    fn a_slope_below_nothing_is_cut_and_named() {
        let demand = Demand::of(
            Interaction::Home,
            &point(0.0, 0.02),
            point(10.0, 0.05),
            point(50.0, 0.04),
        );
        near(demand.cpu.api, 0.0);
        near(demand.base.api, 0.03);
        assert_eq!(demand.cut, ["API"]);
    }
}
