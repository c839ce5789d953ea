//! How long it will still take: by the steps that are done.

use std::time::Instant;

use crate::report::number::{duration, float};

/// Steps of about equal length, and a rest that is guessed.
#[derive(Debug)]
pub struct Clock {
    began: Instant,
    done: u64,
    of: u64,
    /// Seconds that a step takes, as long as none is done.
    guess: f64,
    /// Seconds after the last step.
    rest: f64,
}

impl Clock {
    pub fn start(steps: usize, guess: f64, rest: f64) -> Self {
        Self {
            began: Instant::now(),
            done: 0,
            of: steps as u64,
            guess,
            rest,
        }
    }

    pub fn step(&mut self) {
        self.done += 1;
    }

    /// Seconds that are left.
    pub fn left(&self) -> f64 {
        left(self.began.elapsed().as_secs_f64(), self.done, self.of, self.guess) + self.rest
    }

    /// What is being done, with the time that is left.
    pub fn line(&self, what: &str) -> String {
        format!("{what}; about {} left", duration(self.left().round()))
    }
}

fn left(elapsed: f64, done: u64, of: u64, guess: f64) -> f64 {
    let remaining = float(of.saturating_sub(done));
    let whole = if done == 0 {
        guess * float(of)
    } else {
        elapsed / float(done) * remaining
    };
    if done == 0 {
        (whole - elapsed).max(0.0)
    } else {
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_follows_from_what_is_done() {
        let near = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-9, "{found} {wanted}");
        near(left(0.0, 0, 10, 9.0), 90.0);
        near(left(30.0, 0, 10, 9.0), 60.0);
        near(left(30.0, 2, 10, 9.0), 120.0);
        near(left(150.0, 12, 10, 9.0), 0.0);
    }
}
