//! Which numbers of replicas are probed, and how often.

use crate::verdict::Limits;

/// Each count once a round, so that what changes on the host meanwhile meets all counts alike.
#[derive(Debug, Clone)]
pub struct Plan {
    pub counts: Vec<usize>,
    /// The counts were asked for, and are no default: none may be left out.
    pub is_asked: bool,
    pub rounds: usize,
    /// The quota is to be found.
    pub calibrates: bool,
    pub cores: usize,
    pub limits: Limits,
    pub seed: u64,
}

impl Plan {
    pub fn largest(&self) -> usize {
        self.counts.iter().copied().max().unwrap_or(1)
    }

    /// Probes and checks, for the clock.
    pub fn steps(&self) -> usize {
        self.counts.len() * (self.rounds + 1) + 1 + if self.calibrates { 2 } else { 0 }
    }

    /// The counts where only so many replicas fit: instead of those that do not, the one that just does.
    ///
    /// # Errors
    /// What to say when the counts were asked for, or none is left to compare.
    pub fn reduced(&self, fit: usize) -> Result<Vec<usize>, String> {
        if self.is_asked || fit < 2 {
            return Err(format!("{fit} would fit"));
        }
        let mut counts: Vec<usize> = self
            .counts
            .iter()
            .copied()
            .filter(|count| *count <= fit)
            .collect();
        if !counts.contains(&fit) {
            counts.push(fit);
        }
        Ok(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(is_asked: bool) -> Plan {
        Plan {
            counts: vec![1, 2, 3, 4, 6],
            is_asked,
            rounds: 10,
            calibrates: true,
            cores: 2,
            limits: Limits::default(),
            seed: 1,
        }
    }

    #[test]
    fn what_does_not_fit_gives_way_to_what_just_does() {
        assert_eq!(plan(false).reduced(5), Ok(vec![1, 2, 3, 4, 5]));
        assert_eq!(plan(false).reduced(4), Ok(vec![1, 2, 3, 4]));
        assert_eq!(plan(false).reduced(2), Ok(vec![1, 2]));
        assert!(plan(false).reduced(1).is_err(), "nothing to compare");
    }

    #[test]
    fn who_asked_for_counts_gets_them_or_is_told_how_many_fit() {
        assert_eq!(plan(true).reduced(5), Err("5 would fit".to_owned()));
    }

    #[test]
    fn rounds_checks_and_what_surrounds_them_are_counted() {
        assert_eq!(plan(false).steps(), 50 + 5 + 1 + 2);
    }
}
