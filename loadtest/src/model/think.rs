//! How long shoppers think between two interactions, and how long they stay.

use std::time::Duration;

use rand::{Rng, RngExt as _};
use rand_distr::Exp1;

/// TPC-W's mean think time in seconds.
pub const TPCW_THINK_S: f64 = 7.0;
/// TPC-W's mean session in seconds.
pub const TPCW_SESSION_S: f64 = 15.0 * 60.0;
/// A think time is cut at so many times its mean (TPC-W: 70 s).
const CUT: f64 = 10.0;

/// Exponential think times, cut at ten times the mean.
#[derive(Debug, Clone, Copy)]
pub struct ThinkTime {
    mean_s: f64,
}

impl ThinkTime {
    /// With a mean in seconds; 0, and what is no length of time, is no think time.
    pub fn new(mean_s: f64) -> Self {
        Self {
            mean_s: if mean_s.is_finite() { mean_s.max(0.0) } else { 0.0 },
        }
    }

    pub fn sample(&self, rng: &mut impl Rng) -> Duration {
        if self.mean_s == 0.0 {
            return Duration::ZERO;
        }
        let drawn: f64 = rng.sample(Exp1);
        seconds(self.mean_s * drawn.min(CUT))
    }
}

/// When a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEnd {
    After(Duration),
    /// Without think times a session is counted, not timed: as many interactions as one with think times would have.
    Interactions(u64),
}

/// Exponential sessions: a mean of 15 min at a mean think time of 7 s, and in proportion.
#[derive(Debug, Clone, Copy)]
pub struct SessionLength {
    think: ThinkTime,
}

impl SessionLength {
    /// With the mean think time in seconds.
    pub fn new(think_mean_s: f64) -> Self {
        Self {
            think: ThinkTime::new(think_mean_s),
        }
    }

    pub fn sample(&self, rng: &mut impl Rng) -> SessionEnd {
        let drawn: f64 = rng.sample(Exp1);
        let thinks = drawn * TPCW_SESSION_S / TPCW_THINK_S;
        if self.think.mean_s == 0.0 {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a small number above 0"
            )]
            return SessionEnd::Interactions(thinks.ceil().max(1.0) as u64);
        }
        SessionEnd::After(seconds(thinks * self.think.mean_s))
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rng;
    use crate::stats::sample::{mean, quantile};

    #[test]
    fn think_times_are_exponential_and_cut() {
        let think = ThinkTime::new(7.0);
        let mut rng = rng(1, 0);
        let drawn: Vec<f64> = (0..100_000)
            .map(|_| think.sample(&mut rng).as_secs_f64())
            .collect();
        let near = |found: Option<f64>, wanted: f64| found.is_some_and(|it| (it / wanted - 1.0).abs() < 0.02);
        assert!(near(mean(&drawn), 7.0));
        assert!(near(quantile(&drawn, 0.5), 7.0 * 2.0_f64.ln()));
        assert!(near(quantile(&drawn, 0.9), 7.0 * 10.0_f64.ln()));
        let longest = drawn.iter().copied().fold(0.0, f64::max);
        assert!(
            (longest - 70.0).abs() < 1e-6,
            "of 100,000, four or five are cut: {longest}"
        );
    }

    #[test]
    fn no_think_time() {
        for mean in [0.0, -1.0, f64::NAN] {
            assert_eq!(ThinkTime::new(mean).sample(&mut rng(1, 0)), Duration::ZERO);
        }
    }

    #[test]
    fn sessions_scale_with_the_think_time() {
        let mean_of = |think_s: f64| {
            let mut rng = rng(2, 0);
            let ends = (0..50_000).map(|_| match SessionLength::new(think_s).sample(&mut rng) {
                SessionEnd::After(time) => time.as_secs_f64(),
                SessionEnd::Interactions(count) => f64::from(u32::try_from(count).unwrap_or(u32::MAX)),
            });
            mean(&ends.collect::<Vec<_>>()).unwrap_or(f64::NAN)
        };
        assert!((mean_of(7.0) / 900.0 - 1.0).abs() < 0.02);
        assert!((mean_of(0.7) / 90.0 - 1.0).abs() < 0.02);
        // Rounded up, half an interaction more.
        assert!((mean_of(0.0) / (900.0 / 7.0 + 0.5) - 1.0).abs() < 0.02);
    }
}
