//! The Universal Scalability Law: throughput X(N) = g N / (1 + a (N - 1) + b N (N - 1)) of N servers or users
//! (Gunther, Guerrilla Capacity Planning, 2007). `g` is the throughput of one, `a` the share that is serial
//! (contention), `b` the cost of keeping each pair in step (coherency).

mod fit;
mod rounds;

pub use fit::fit;
pub use rounds::{NoFit, UslFit, fit_rounds};
use serde::{Deserialize, Serialize};

/// The law with its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Usl {
    /// Throughput of one, a second; above 0.
    pub g: f64,
    /// 0 or above.
    pub a: f64,
    /// 0 or above.
    pub b: f64,
}

impl Usl {
    /// Throughput of `n`, in the unit of `g`.
    pub fn predict(&self, n: f64) -> f64 {
        self.g * n / (1.0 + self.a * (n - 1.0) + self.b * n * (n - 1.0))
    }

    /// Where throughput is greatest; none where it only grows, or only falls from 1 on.
    pub fn peak(&self) -> Option<f64> {
        let peak = ((1.0 - self.a) / self.b).sqrt();
        (peak.is_finite() && peak >= 1.0).then_some(peak)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let law = Usl {
            g: 100.0,
            a: 0.04,
            b: 0.0006,
        };
        assert!((law.predict(1.0) - 100.0).abs() < 1e-9);
        assert!((law.predict(10.0) - 1_000.0 / 1.414).abs() < 1e-9);
        assert_eq!(law.peak(), Some(40.0));
        let peak = law.predict(40.0);
        assert!(peak > law.predict(39.0) && peak > law.predict(41.0));
    }

    #[test]
    fn without_a_peak() {
        assert_eq!(
            Usl {
                g: 1.0,
                a: 0.1,
                b: 0.0
            }
            .peak(),
            None
        );
        assert_eq!(
            Usl {
                g: 1.0,
                a: 1.0,
                b: 0.0
            }
            .peak(),
            None
        );
        assert_eq!(
            Usl {
                g: 1.0,
                a: 1.2,
                b: 0.1
            }
            .peak(),
            None
        );
    }
}
