//! Target tracking, as auto scaling groups do it: how many replicas a group needs so that the CPU of each is at the target.
//!
//! Pure: it is told a point and answers; who starts replicas, and when they serve, is not its business.

use serde::{Deserialize, Serialize};

/// What is held, and how patiently.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// CPU that a replica is to have, as a share of its quota, 0 to 1.
    pub target: f64,
    /// So many successive points above the target, and replicas are added.
    pub out_after: u32,
    /// So many successive points below `in_below`, and one goes.
    pub in_after: u32,
    /// Of the target, 0 to 1: between this and the target nothing happens.
    pub in_below: f64,
    /// Fewest and most replicas.
    pub min: usize,
    pub max: usize,
}

/// The group at one point in time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group {
    /// Replicas that serve and whose warm-up is over.
    pub serving: usize,
    /// Replicas that were asked for, those in warm-up too.
    pub wanted: usize,
    /// Mean CPU of the serving ones, as a share of the quota; none where it is not known.
    pub cpu: Option<f64>,
    /// Replicas are being started or drained just now.
    pub is_changing: bool,
}

/// The number of replicas that is wanted from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Stay,
    Out(usize),
    In(usize),
}

/// Counts points, and decides.
#[derive(Debug)]
pub struct Controller {
    policy: Policy,
    above: u32,
    below: u32,
    serving: usize,
}

impl Policy {
    /// Replicas at which the CPU would be at the target: `ceil(serving x CPU / target)`, within the bounds.
    pub fn desired(&self, serving: usize, cpu: f64) -> usize {
        #[expect(clippy::cast_precision_loss, reason = "a few replicas")]
        let exact = serving as f64 * cpu / self.target;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a few replicas; not below 0"
        )]
        // Two replicas at half the target need one, whatever the last bit of a fraction says.
        let whole = (exact - 1e-9).ceil().max(0.0) as usize;
        whole.clamp(self.min, self.max)
    }
}

impl Controller {
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            above: 0,
            below: 0,
            serving: 0,
        }
    }

    /// Takes a point. One step at a time: what else is needed shows in the points that follow.
    pub fn decide(&mut self, group: Group) -> Decision {
        // Points of a smaller or larger group say nothing about this one.
        if group.serving != self.serving {
            (self.above, self.below, self.serving) = (0, 0, group.serving);
        }
        let Some(cpu) = group.cpu.filter(|_| group.serving > 0) else {
            (self.above, self.below) = (0, 0);
            return Decision::Stay;
        };
        let Policy {
            target,
            out_after,
            in_after,
            in_below,
            ..
        } = self.policy;
        self.above = if cpu > target { self.above + 1 } else { 0 };
        self.below = if cpu < in_below * target {
            self.below + 1
        } else {
            0
        };
        if group.is_changing {
            return Decision::Stay;
        }
        let desired = self.policy.desired(group.serving, cpu);
        if self.above >= out_after && desired > group.wanted {
            self.above = 0;
            return Decision::Out(group.wanted + 1);
        }
        // While one warms up the load has not been spread yet: no reason to take one away.
        let is_warm = group.serving >= group.wanted;
        if self.below >= in_after && is_warm && desired < group.wanted {
            self.below = 0;
            return Decision::In(group.wanted - 1);
        }
        Decision::Stay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        target: 0.6,
        out_after: 3,
        in_after: 15,
        in_below: 0.7,
        min: 1,
        max: 4,
    };

    fn group(serving: usize, wanted: usize, cpu: f64) -> Group {
        Group {
            serving,
            wanted,
            cpu: Some(cpu),
            is_changing: false,
        }
    }

    /// What each of these points leads to.
    fn told(controller: &mut Controller, points: &[Group]) -> Vec<Decision> {
        points.iter().map(|point| controller.decide(*point)).collect()
    }

    #[test]
    fn the_formula_by_hand() {
        for (serving, cpu, desired) in [
            (1, 0.30, 1),
            (1, 0.60, 1),
            (1, 0.61, 2),
            (2, 0.30, 1),
            (2, 0.31, 2),
            (3, 0.50, 3),
            (3, 0.40, 2),
            (3, 0.90, 4),
            (4, 1.00, 4),
            (2, 0.0, 1),
        ] {
            assert_eq!(POLICY.desired(serving, cpu), desired, "{serving} at {cpu}");
        }
    }

    #[test]
    fn three_successive_points_above_the_target_add_one() {
        use Decision::{Out, Stay};
        let mut controller = Controller::new(POLICY);
        let points = [0.7, 0.7, 0.5, 0.7, 0.6, 0.7, 0.7, 0.7, 0.7].map(|cpu| group(1, 1, cpu));
        let decided = told(&mut controller, &points);
        assert_eq!(decided, [Stay, Stay, Stay, Stay, Stay, Stay, Stay, Out(2), Stay]);
    }

    #[test]
    fn a_replica_in_warm_up_is_counted_as_wanted_and_not_as_serving() {
        use Decision::{Out, Stay};
        let mut controller = Controller::new(POLICY);
        // ceil(1 x 1.0 / 0.6) = 2 are wanted already: no third, however long the second takes.
        let warming = [group(1, 2, 1.0); 6];
        assert_eq!(told(&mut controller, &warming), [Stay; 6]);
        // It serves: the points that count begin anew.
        let both = [group(2, 2, 0.75); 3];
        assert_eq!(told(&mut controller, &both), [Stay, Stay, Out(3)]);
    }

    #[test]
    fn one_step_a_decision_even_where_more_are_needed() {
        let mut controller = Controller::new(Policy {
            target: 0.3,
            ..POLICY
        });
        // ceil(1 x 1.0 / 0.3) = 4.
        let decided = told(&mut controller, &[group(1, 1, 1.0); 3]);
        assert_eq!(decided.last(), Some(&Decision::Out(2)));
        // Those in warm-up do not keep it from a step that is still needed.
        let decided = told(&mut controller, &[group(1, 2, 1.0); 3]);
        assert_eq!(decided.last(), Some(&Decision::Out(3)));
    }

    #[test]
    fn fifteen_points_below_seven_tenths_of_the_target_take_one_away() {
        use Decision::{In, Stay};
        let mut controller = Controller::new(POLICY);
        // 0.42 is the bound itself, 0.45 lies between.
        let mut points = vec![group(3, 3, 0.38); 14];
        points.push(group(3, 3, 0.42));
        points.extend([group(3, 3, 0.38); 15]);
        let decided = told(&mut controller, &points);
        assert_eq!(decided[..29], [Stay; 29]);
        assert_eq!(decided[29], In(2));
        // The next one needs fifteen points of the smaller group.
        let decided = told(&mut controller, &[group(2, 2, 0.2); 15]);
        assert_eq!(decided[..14], [Stay; 14]);
        assert_eq!(decided[14], In(1));
    }

    #[test]
    fn a_low_cpu_that_fewer_could_not_carry_takes_none_away() {
        let mut controller = Controller::new(POLICY);
        // 0.41 is below 0.42, but ceil(2 x 0.41 / 0.6) = 2.
        assert_eq!(
            told(&mut controller, &[group(2, 2, 0.41); 40]),
            [Decision::Stay; 40]
        );
    }

    #[test]
    fn none_goes_while_another_warms_up() {
        let mut controller = Controller::new(POLICY);
        assert_eq!(
            told(&mut controller, &[group(2, 3, 0.1); 40]),
            [Decision::Stay; 40]
        );
        assert_eq!(controller.decide(group(2, 2, 0.1)), Decision::In(1));
    }

    #[test]
    fn the_bounds_hold() {
        let mut controller = Controller::new(POLICY);
        assert_eq!(told(&mut controller, &[group(4, 4, 1.0); 9]), [Decision::Stay; 9]);
        assert_eq!(
            told(&mut controller, &[group(1, 1, 0.0); 40]),
            [Decision::Stay; 40]
        );
        let mut bounded = Controller::new(Policy { min: 2, ..POLICY });
        assert_eq!(told(&mut bounded, &[group(2, 2, 0.0); 40]), [Decision::Stay; 40]);
    }

    #[test]
    fn a_step_under_way_is_waited_for_and_a_gap_counts_anew() {
        let mut controller = Controller::new(POLICY);
        let changing = Group {
            is_changing: true,
            ..group(1, 1, 0.9)
        };
        assert_eq!(told(&mut controller, &[changing; 5]), [Decision::Stay; 5]);
        assert_eq!(controller.decide(group(1, 1, 0.9)), Decision::Out(2));
        let gap = Group {
            cpu: None,
            ..group(1, 1, 0.0)
        };
        let points = [
            group(1, 1, 0.9),
            group(1, 1, 0.9),
            gap,
            group(1, 1, 0.9),
            group(1, 1, 0.9),
        ];
        assert_eq!(told(&mut controller, &points), [Decision::Stay; 5]);
        assert_eq!(controller.decide(group(1, 1, 0.9)), Decision::Out(2));
    }
}
