//! From demand to size: arrivals, cores, replicas, connections. Pure arithmetic.

use serde::{Deserialize, Serialize};

use super::tiers::Tiers;

/// Connections that a replica keeps for its own work: the feed of changes and what runs in the background.
const OWN_CONNECTIONS: f64 = 3.0;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    pub shoppers: f64,
    /// Mean think time in seconds.
    pub think_s: f64,
    /// Share of a replica's allowance that stays free at the planned load, 0 to 1.
    pub headroom: f64,
    /// What a replica may use: cores here, or with a ratio vCPUs there.
    pub replica_cores: f64,
    /// Speed of a vCPU there by that of a core here.
    pub vcpu_ratio: Option<f64>,
    /// Connections to the database that each replica may open.
    pub pool: u32,
}

/// What the mix uses here, at the arrivals that are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Needs {
    /// Interactions a second.
    pub arrivals: f64,
    /// Cores, beyond what is used without shoppers.
    pub cores: Tiers,
    /// Connections that execute a statement: arrivals by the time of statements of each (Little's law).
    pub busy_connections: Option<f64>,
    /// Cores that are used without any shopper; of the API for each replica.
    pub idle: Tiers,
}

/// The size. Cores are those of this machine, or vCPUs when there is a ratio.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Interactions a second.
    pub arrivals: f64,
    /// Cores in use, what is used without shoppers too.
    pub cores: Tiers,
    /// Cores to have, so that the headroom is free.
    pub provided: Tiers,
    /// Replicas that carry the load with the headroom free.
    pub replicas: u32,
    /// One more: when one is lost, the headroom is still free.
    pub with_spare: u32,
    /// Connections that execute a statement, of all replicas (Little's law).
    pub busy_connections: Option<f64>,
    /// Connections that each replica needs, so that hardly anybody waits for one.
    pub needed_pool: Option<u32>,
    /// What the database has to allow: all replicas' pools.
    pub connections: u32,
}

/// Closed shoppers arrive as often as thinking and waiting let them.
pub fn arrivals(shoppers: f64, think_s: f64, response_s: f64) -> f64 {
    shoppers / (think_s + response_s)
}

/// Replicas of `each` cores, used to `target`, that carry `load` cores and `idle` cores of their own; none when they are too small for
/// the latter.
pub fn replicas(load: f64, idle: f64, each: f64, target: f64) -> Option<u32> {
    let useful = each * target - idle;
    (useful > 0.0).then(|| whole(load / useful).max(1))
}

/// A pool in which `busy` are used on average, and three standard deviations of independent arrivals more.
pub fn pool(busy: f64) -> u32 {
    whole(busy + 3.0 * busy.sqrt() + OWN_CONNECTIONS).max(4)
}

/// The size for what is asked; none when the replicas are too small for what they do without shoppers.
pub fn size(wanted: &Wanted, needs: &Needs) -> Option<Answer> {
    let there = 1.0 / wanted.vcpu_ratio.unwrap_or(1.0);
    let target = 1.0 - wanted.headroom;
    let load = needs.cores.times(there);
    let idle = needs.idle.times(there);
    let replicas = replicas(load.api, idle.api, wanted.replica_cores, target)?;
    let cores = Tiers {
        api: load.api + idle.api * f64::from(replicas),
        ..load.plus(idle)
    };
    let busy = needs.busy_connections;
    let with_spare = replicas.saturating_add(1);
    Some(Answer {
        arrivals: needs.arrivals,
        cores,
        provided: Tiers {
            api: wanted.replica_cores * f64::from(with_spare),
            ..cores.times(1.0 / target)
        },
        replicas,
        with_spare,
        busy_connections: busy,
        needed_pool: busy.map(|busy| pool(busy / f64::from(replicas))),
        connections: with_spare.saturating_mul(wanted.pool),
    })
}

/// Rounded up, but not for what the arithmetic itself leaves behind the point.
fn whole(value: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is too large for it is the largest"
    )]
    let whole = (value - 1e-9).ceil().max(0.0) as u32;
    whole
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
    }

    fn wanted() -> Wanted {
        Wanted {
            shoppers: 2_000.0,
            think_s: 7.0,
            headroom: 0.3,
            replica_cores: 0.7,
            vcpu_ratio: None,
            pool: 16,
        }
    }

    fn needs() -> Needs {
        Needs {
            arrivals: 250.0,
            cores: Tiers {
                nginx: 0.125,
                api: 1.25,
                redis: 0.025,
                database: 1.0,
            },
            busy_connections: Some(3.5),
            idle: Tiers {
                database: 0.1,
                ..Tiers::default()
            },
        }
    }

    #[test]
    fn shoppers_think_and_wait() {
        near(arrivals(2_000.0, 7.0, 0.0), 2_000.0 / 7.0);
        near(arrivals(2_000.0, 7.0, 1.0), 250.0);
    }

    #[test]
    fn replicas_are_rounded_up_and_carry_their_own_work() {
        // 1.96 cores are four times 0.7 x 0.7, and a hair more is five.
        assert_eq!(replicas(1.96, 0.0, 0.7, 0.7), Some(4));
        assert_eq!(replicas(1.97, 0.0, 0.7, 0.7), Some(5));
        assert_eq!(replicas(0.001, 0.0, 1.0, 0.7), Some(1));
        assert_eq!(replicas(1.96, 0.29, 0.7, 0.7), Some(10));
        assert_eq!(replicas(1.0, 0.5, 0.7, 0.7), None);
    }

    #[test]
    fn a_pool_has_room_for_chance() {
        assert_eq!(pool(0.0), 4);
        assert_eq!(pool(1.0), 7);
        assert_eq!(pool(9.0), 21);
    }

    #[test]
    fn the_answer_for_two_thousand_shoppers() {
        let answer = size(&wanted(), &needs()).unwrap();
        near(answer.arrivals, 250.0);
        near(answer.cores.api, 1.25);
        near(answer.cores.nginx, 0.125);
        near(answer.cores.database, 1.1);
        // 1.25 / 0.49 = 2.55.
        assert_eq!((answer.replicas, answer.with_spare), (3, 4));
        near(answer.provided.api, 2.8);
        near(answer.provided.database, 1.1 / 0.7);
        near(answer.busy_connections.unwrap(), 3.5);
        // 3.5 / 3 = 1.17 busy, 3.24 for three deviations, 3 of its own: 7.4.
        assert_eq!(answer.needed_pool, Some(8));
        assert_eq!(answer.connections, 64);
    }

    #[test]
    fn a_faster_vcpu_means_fewer_of_them() {
        let faster = Wanted {
            vcpu_ratio: Some(2.0),
            ..wanted()
        };
        let answer = size(&faster, &needs()).unwrap();
        near(answer.arrivals, 250.0);
        near(answer.cores.api, 0.625);
        near(answer.cores.database, 0.55);
        assert_eq!(answer.replicas, 2);
    }

    #[test]
    fn replicas_that_are_busy_with_themselves_carry_nothing() {
        let idle = Tiers {
            api: 0.5,
            ..Tiers::default()
        };
        assert!(size(&wanted(), &Needs { idle, ..needs() }).is_none());
    }
}
