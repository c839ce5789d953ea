//! What an interaction costs, from what a shop at work uses more when it comes on top.

use serde::{Deserialize, Serialize};

use super::tiers::Tiers;
use crate::interaction::Interaction;
use crate::report::number::float;
use crate::stats::sample::median;

/// What was measured at one time.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Point {
    /// Completed interactions a second, of all kinds.
    pub rate: f64,
    /// Of these, those that came on top of the mix.
    pub more: f64,
    /// Cores that were used on average.
    pub cores: Tiers,
    /// Connections to the database that were executing a statement, on average; none where the replicas' metrics cannot be read.
    pub statements: Option<f64>,
    /// Mean response time in milliseconds, of the one interaction where there is one on top.
    pub response_ms: f64,
    /// Of the interactions, 0 to 1, those that failed or were refused.
    pub trouble: f64,
    /// Of the host's cores, 0 to 1.
    pub host_busy: f64,
    pub host_steal: f64,
}

impl Point {
    /// Of several at the same rate: of each number the median, so that seconds in which the machine was slow do not count; of
    /// failures the mean. Nothing of none.
    pub fn median(points: &[Self]) -> Self {
        let of = |number: fn(&Self) -> f64| middle(points.iter().map(number));
        let statements: Option<Vec<f64>> = points.iter().map(|it| it.statements).collect();
        Self {
            rate: of(|it| it.rate),
            more: of(|it| it.more),
            cores: Tiers::from_array(std::array::from_fn(|tier| {
                middle(points.iter().map(|it| it.cores.array()[tier]))
            })),
            statements: statements.map(middle),
            response_ms: of(|it| it.response_ms),
            trouble: points.iter().map(|it| it.trouble).sum::<f64>() / float(points.len().max(1) as u64),
            host_busy: of(|it| it.host_busy),
            host_steal: of(|it| it.host_steal),
        }
    }
}

/// 0 of none.
fn middle(numbers: impl IntoIterator<Item = f64>) -> f64 {
    median(&numbers.into_iter().collect::<Vec<_>>()).unwrap_or_default()
}

/// The mix alone, and the mix with one interaction on top, one after the other.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Round {
    pub mix: Point,
    pub with: Point,
}

impl Round {
    /// By how much more is used for each one more: the slope. The mix is reckoned at the rate that it had meanwhile. 0 where none came.
    fn slope(&self, idle: f64, of: impl Fn(&Point) -> f64) -> f64 {
        if self.with.more <= 0.0 || self.mix.rate <= 0.0 {
            return 0.0;
        }
        let of_mix = (of(&self.mix) - idle) * (self.with.rate - self.with.more) / self.mix.rate;
        (of(&self.with) - idle - of_mix) / self.with.more
    }
}

/// What one interaction costs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Demand {
    pub interaction: Interaction,
    /// CPU seconds each: the median of all rounds.
    pub cpu: Tiers,
    /// Seconds in which each has a statement executed by the database; none where that is not known.
    pub statements: Option<f64>,
    /// Mean response time in milliseconds.
    pub response_ms: f64,
    /// Tiers whose slope was below 0 and is taken as 0: too little to be seen at these rates.
    pub cut: Vec<String>,
    pub rounds: Vec<Round>,
}

impl Demand {
    pub fn of(interaction: Interaction, idle: &Point, rounds: Vec<Round>) -> Self {
        let slopes: [f64; 4] = std::array::from_fn(|tier| {
            let of = |point: &Point| point.cores.array()[tier];
            middle(rounds.iter().map(|it| it.slope(of(idle), of)))
        });
        let cut = Tiers::NAMES
            .into_iter()
            .zip(slopes)
            .filter(|(_, slope)| *slope < 0.0);
        let known = idle.statements.filter(|_| {
            let points = rounds.iter().flat_map(|it| [&it.mix, &it.with]);
            points.into_iter().all(|it| it.statements.is_some())
        });
        let statements = known.map(|idle| {
            let of = |point: &Point| point.statements.unwrap_or_default();
            middle(rounds.iter().map(|it| it.slope(idle, of))).max(0.0)
        });
        Self {
            interaction,
            cpu: Tiers::from_array(slopes.map(|slope| slope.max(0.0))),
            statements,
            response_ms: middle(rounds.iter().map(|it| it.with.response_ms)),
            cut: cut.map(|(name, _)| name.to_owned()).collect(),
            rounds,
        }
    }

    /// At how many more a second it was measured: the median of all rounds.
    pub fn rate(&self) -> f64 {
        middle(self.rounds.iter().map(|it| it.with.more))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
    }

    /// So much of the API at so many a second, of which some came on top.
    pub fn point(rate: f64, more: f64, api: f64) -> Point {
        Point {
            rate,
            more,
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
    fn the_slope_is_what_is_used_more() {
        let idle = point(0.0, 0.0, 0.02);
        // 0.001 each in the mix, 0.005 each on top; the mix was a tenth slower with it.
        let round = |slow: f64| Round {
            mix: point(100.0, 0.0, 0.12),
            with: point(110.0, 20.0, 0.02 + 0.09 + 0.10 + slow),
        };
        let demand = Demand::of(Interaction::Home, &idle, vec![round(0.0), round(0.3), round(0.0)]);
        near(demand.cpu.api, 0.005);
        near(demand.statements.unwrap_or_default(), 0.002);
        near(demand.rate(), 20.0);
        assert!(demand.cut.is_empty());
    }

    #[test]
    fn a_slope_below_nothing_is_cut_and_named() {
        let round = Round {
            mix: point(100.0, 0.0, 0.12),
            with: point(120.0, 20.0, 0.11),
        };
        let demand = Demand::of(Interaction::Home, &point(0.0, 0.0, 0.02), vec![round]);
        near(demand.cpu.api, 0.0);
        assert_eq!(demand.cut, ["API"]);
    }

    #[test]
    fn what_one_round_does_not_know_nobody_does() {
        let round = Round {
            mix: point(100.0, 0.0, 0.12),
            with: Point {
                statements: None,
                ..point(120.0, 20.0, 0.14)
            },
        };
        let demand = Demand::of(Interaction::Home, &point(0.0, 0.0, 0.02), vec![round]);
        assert_eq!(demand.statements, None);
    }
}
