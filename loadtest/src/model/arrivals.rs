//! When the next one arrives in the open model, whether or not the one before was answered.
//!
//! A rate that varies is exact, not thinned: arrivals of rate 1 are drawn on the axis of the cumulated rate and
//! carried back to time.

use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::ChaCha8Rng;
use rand_distr::Exp1;

use super::shape::Cumulated;
use crate::load::{Arrivals, Shape};

/// Instants since the start, ascending, drawn one by one.
pub struct ArrivalTimes {
    rate: f64,
    kind: Arrivals,
    area: Cumulated,
    end: Duration,
    /// Arrivals that the cumulated rate has come to.
    passed: f64,
    rng: ChaCha8Rng,
}

impl ArrivalTimes {
    /// `rate` a second where the shape is 1, before `end`. A rate that is not above 0 brings nobody.
    /// Constant arrivals lie in the middle of their interval: the first comes half an interval after the start.
    pub fn new(rate: f64, kind: Arrivals, shape: &Shape, end: Duration, seed: u64) -> Self {
        let passed = match kind {
            Arrivals::Poisson => 0.0,
            Arrivals::Constant => -0.5,
        };
        Self {
            rate,
            kind,
            area: Cumulated::new(shape),
            end,
            passed,
            rng: super::rng(seed, 0),
        }
    }

    /// How many are to be expected in all.
    pub fn expected(&self) -> f64 {
        self.rate.max(0.0) * self.area.until(self.end.as_secs_f64())
    }
}

impl Iterator for ArrivalTimes {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        if !self.rate.is_finite() || self.rate <= 0.0 {
            return None;
        }
        self.passed += match self.kind {
            Arrivals::Poisson => self.rng.sample::<f64, _>(Exp1),
            Arrivals::Constant => 1.0,
        };
        let at = Duration::try_from_secs_f64(self.area.when(self.passed / self.rate)?).ok()?;
        (at < self.end).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

    use super::*;

    fn instants(rate: f64, kind: Arrivals, shape: &str, seconds: u64, seed: u64) -> Vec<f64> {
        ArrivalTimes::new(
            rate,
            kind,
            &shape.parse().unwrap(),
            Duration::from_secs(seconds),
            seed,
        )
        .map(|at| at.as_secs_f64())
        .collect()
    }

    fn number(count: usize) -> f64 {
        f64::from(u32::try_from(count).unwrap())
    }

    /// Kolmogorov and Smirnov's statistic, times the root of the sample's size, of the gaps against an
    /// exponential law of this mean.
    fn distance(instants: &[f64], mean: f64) -> f64 {
        let mut gaps: Vec<f64> = instants.windows(2).map(|pair| pair[1] - pair[0]).collect();
        gaps.sort_by(f64::total_cmp);
        let size = number(gaps.len());
        let far = |(place, gap): (usize, &f64)| {
            let law = 1.0 - (-gap / mean).exp();
            (law - number(place) / size)
                .abs()
                .max((number(place + 1) / size - law).abs())
        };
        gaps.iter().enumerate().map(far).fold(0.0, f64::max) * size.sqrt()
    }

    /// 99 % of samples of the law lie below.
    const CRITICAL: f64 = 1.628;

    #[test]
    fn poisson_gaps_are_exponential_and_constant_ones_are_not() {
        for seed in 1..=3 {
            let poisson = instants(50.0, Arrivals::Poisson, "0:1", 200, seed);
            assert!(
                distance(&poisson, 0.02) < CRITICAL,
                "{}",
                distance(&poisson, 0.02)
            );
            assert!(distance(&poisson, 0.022) > CRITICAL, "another mean is told apart");
        }
        let constant = instants(50.0, Arrivals::Constant, "0:1", 200, 1);
        assert!(distance(&constant, 0.02) > 10.0 * CRITICAL);
    }

    /// Counts of windows vary as their mean: gaps that are exponential but depend on each other would show here.
    #[test]
    fn poisson_counts_vary_as_their_mean() {
        let mut windows = vec![0.0; 1_000];
        for at in instants(20.0, Arrivals::Poisson, "0:1", 1_000, 9) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "below 1,000"
            )]
            let window = at as usize;
            windows[window] += 1.0;
        }
        let mean = windows.iter().sum::<f64>() / 1_000.0;
        let variance = windows
            .iter()
            .map(|count| (count - mean) * (count - mean))
            .sum::<f64>()
            / 999.0;
        // The ratio's standard deviation is the root of 2 / 1,000: 0.045.
        assert!(
            (variance / mean - 1.0).abs() < 0.15,
            "{variance} for a mean of {mean}"
        );
    }

    #[test]
    fn constant_arrivals_are_counted_exactly_under_any_shape() {
        assert_eq!(instants(10.0, Arrivals::Constant, "0:1", 1, 1)[..2], [0.05, 0.15]);
        for (shape, seconds, wanted) in [
            ("0:1", 60, 600),
            ("0:0,10:1", 10, 50),
            ("0:0,10:1", 30, 250),
            ("0:0.2,60:1,120:1,120:3,150:1", 150, 1560),
        ] {
            assert_eq!(
                instants(10.0, Arrivals::Constant, shape, seconds, 1).len(),
                wanted,
                "{shape}"
            );
        }
    }

    #[test]
    fn each_part_of_a_shape_gets_its_share() {
        let shape = "0:0.2,60:1,120:1,120:3,150:1";
        let times = ArrivalTimes::new(
            100.0,
            Arrivals::Poisson,
            &shape.parse().unwrap(),
            Duration::from_secs(200),
            4,
        );
        assert!((times.expected() - 20_600.0).abs() < 1e-6);
        let found: Vec<f64> = times.map(|at| at.as_secs_f64()).collect();
        assert!(found.is_sorted());
        for (from, to, wanted) in [
            (0.0, 30.0, 1_200.0),
            (30.0, 60.0, 2_400.0_f64),
            (60.0, 120.0, 6_000.0),
            (120.0, 150.0, 6_000.0),
            (150.0, 200.0, 5_000.0),
        ] {
            let count = number(found.iter().filter(|&&at| at >= from && at < to).count());
            assert!(
                (count - wanted).abs() < 3.3 * wanted.sqrt(),
                "{count} from {from} to {to}, {wanted} wanted"
            );
        }
    }

    #[test]
    fn nobody_comes_without_a_rate_or_after_the_end() {
        assert!(instants(0.0, Arrivals::Poisson, "0:1", 10, 1).is_empty());
        assert!(instants(f64::NAN, Arrivals::Constant, "0:1", 10, 1).is_empty());
        assert!(
            instants(5.0, Arrivals::Poisson, "0:1,2:1,2:0", 100, 1)
                .iter()
                .all(|&at| at < 2.0)
        );
        assert_eq!(
            instants(7.0, Arrivals::Poisson, "0:1", 9, 6),
            instants(7.0, Arrivals::Poisson, "0:1", 9, 6)
        );
    }
}
