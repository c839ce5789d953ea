//! Ratios: the shop against one of its limits, in interleaved rounds, and the median over rounds.

use serde::{Deserialize, Serialize};

use crate::stats::sample;

/// One measured window of one side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Done in the window.
    pub count: u64,
    pub seconds: f64,
    /// CPU seconds of the measured process in the window.
    pub cpu_seconds: f64,
    /// Done from the beginning of the warm-up to the end, whatever was under way at the end included.
    pub all: u64,
}

impl Sample {
    /// Done a second.
    pub fn rate(&self) -> f64 {
        self.count_f64() / self.seconds.max(1e-9)
    }

    /// CPU microseconds of the measured process for each.
    pub fn cpu_us(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.count_f64().max(1.0)
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    fn count_f64(&self) -> f64 {
        self.count as f64
    }
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// CPU time of the server's process for each request.
    Cpu,
    /// How many a second, at equal concurrency.
    Rate,
}

/// Both sides in one round, measured one right after the other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Round {
    pub shop: Sample,
    pub limit: Sample,
}

impl Round {
    /// 1 is as good as the limit, 0.5 half as good.
    pub fn ratio(&self, measure: Measure) -> f64 {
        match measure {
            Measure::Cpu => self.limit.cpu_us() / self.shop.cpu_us().max(1e-9),
            Measure::Rate => self.shop.rate() / self.limit.rate().max(1e-9),
        }
    }
}

/// What a comparison is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// `memory_hit`, `checkout`.
    pub id: String,
    /// As people read it.
    pub title: String,
    /// What the shop is held against: `bare axum`.
    pub limit: String,
    /// What is counted, in the singular: `read`, `order`.
    pub unit: String,
    pub measure: Measure,
    /// The least ratio that the shop aims at.
    pub target: Option<f64>,
    /// What else a reader has to know.
    pub note: String,
}

/// The shop against one limit. Numbers are medians over rounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    pub subject: Subject,
    pub ratio: f64,
    /// The lowest and the highest round.
    pub lowest: f64,
    pub highest: f64,
    /// CPU microseconds of the server's process for each.
    pub shop_cpu_us: f64,
    pub limit_cpu_us: f64,
    /// A second.
    pub shop_rate: f64,
    pub limit_rate: f64,
    /// None where there is no target.
    pub met: Option<bool>,
    pub rounds: Vec<Round>,
}

impl Comparison {
    /// Medians of these rounds.
    pub fn of(subject: Subject, rounds: Vec<Round>) -> Self {
        let ratios: Vec<f64> = rounds.iter().map(|round| round.ratio(subject.measure)).collect();
        let over = |number: fn(&Round) -> f64| median(rounds.iter().map(number).collect());
        let ratio = median(ratios.clone());
        Self {
            ratio,
            lowest: ratios.iter().copied().fold(f64::INFINITY, f64::min).min(ratio),
            highest: ratios.iter().copied().fold(0.0, f64::max),
            shop_cpu_us: over(|round| round.shop.cpu_us()),
            limit_cpu_us: over(|round| round.limit.cpu_us()),
            shop_rate: over(|round| round.shop.rate()),
            limit_rate: over(|round| round.limit.rate()),
            met: subject.target.map(|target| ratio >= target),
            subject,
            rounds,
        }
    }
}

impl Comparison {
    /// A missed target in words.
    pub fn miss(&self) -> String {
        format!(
            "{} reaches {:.2} of {}, the target is {:.2}",
            self.subject.title,
            self.ratio,
            self.subject.limit,
            self.subject.target.unwrap_or_default()
        )
    }
}

/// The middle one, or the mean of the two in the middle; 0 of none.
pub fn median(numbers: Vec<f64>) -> f64 {
    sample::median(&numbers).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(count: u64, seconds: f64, cpu_seconds: f64) -> Sample {
        Sample {
            count,
            seconds,
            cpu_seconds,
            all: count,
        }
    }

    fn subject(measure: Measure, target: Option<f64>) -> Subject {
        Subject {
            id: "reads".into(),
            title: "Reads".into(),
            limit: "bare".into(),
            unit: "read".into(),
            measure,
            target,
            note: String::new(),
        }
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    #[test]
    fn medians_of_odd_even_and_no_numbers() {
        near(median(vec![3.0, 1.0, 2.0]), 2.0);
        near(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        near(median(Vec::new()), 0.0);
    }

    #[test]
    fn rates_and_costs_are_for_each() {
        let sample = sample(2_000, 4.0, 0.02);
        near(sample.rate(), 500.0);
        near(sample.cpu_us(), 10.0);
        near(super::Sample::default().rate(), 0.0);
    }

    #[test]
    fn cpu_is_better_when_lower_and_a_rate_when_higher() {
        let round = Round {
            shop: sample(1_000, 2.0, 0.02),
            limit: sample(1_000, 1.0, 0.01),
        };
        near(round.ratio(Measure::Cpu), 0.5);
        near(round.ratio(Measure::Rate), 0.5);
    }

    #[test]
    fn the_median_round_decides_and_the_outliers_are_shown() {
        let round = |shop| Round {
            shop: sample(1_000, 1.0, shop),
            limit: sample(1_000, 1.0, 0.009),
        };
        let rounds = vec![round(0.010), round(0.018), round(0.009)];
        let found = Comparison::of(subject(Measure::Cpu, Some(0.85)), rounds.clone());
        near(found.ratio, 0.9);
        near(found.lowest, 0.5);
        near(found.highest, 1.0);
        assert_eq!(found.met, Some(true));
        let missed = Comparison::of(subject(Measure::Cpu, Some(0.95)), rounds.clone());
        assert_eq!(missed.met, Some(false));
        assert_eq!(Comparison::of(subject(Measure::Cpu, None), rounds).met, None);
    }
}
