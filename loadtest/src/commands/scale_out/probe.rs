//! One probe: a load at one number of replicas, with the CPU that each tier used meanwhile.

use serde::{Deserialize, Serialize};

use crate::report::number::float;
use crate::result::{Caches, Client, ErrorClass, Measured};
use crate::stack::cpu::Usage;
use crate::verdict;

/// What a probe came to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Probe {
    /// From 1 on; 0 for those of the calibration and after the rounds.
    pub round: usize,
    pub replicas: usize,
    pub shoppers: usize,
    /// What each replica may use, in cores; none where it is not limited.
    pub quota: Option<f64>,
    /// Measured seconds.
    pub seconds: f64,
    /// Good interactions a second.
    pub throughput: f64,
    pub completed: u64,
    pub failed: u64,
    pub shed: u64,
    pub errors: Vec<ErrorClass>,
    /// HTTP answers of the replicas.
    pub answers: u64,
    pub cpu: Cpu,
    /// Of the periods in which a replica wanted to run, the share in which its quota was used up, 0 to 1.
    pub waited: Option<f64>,
    pub caches: Caches,
    pub lag_p99_us: u64,
    /// Why it says nothing about the shop: the generator was the limit.
    pub invalid: Option<String>,
}

/// CPU in a probe: cores that were used on average, and of the host, shares of all its cores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Cpu {
    /// All replicas together.
    pub api: f64,
    pub nginx: f64,
    pub database: f64,
    pub redis: f64,
    pub generator: f64,
    /// 0 to 1, of the whole host, whoever it was.
    pub host: f64,
    /// 0 to 1: the hypervisor gave it to another guest.
    pub steal: f64,
}

impl Cpu {
    pub fn of(usage: &Usage, client: &Client) -> Self {
        Self {
            api: usage.cores(usage.api_seconds()),
            nginx: usage.cores(usage.nginx),
            database: usage.cores(usage.database),
            redis: usage.cores(usage.redis),
            // The generator's own word: in a container its pid is another one than here.
            generator: client.cpu,
            host: usage.host.busy_share(),
            steal: usage.host.steal_share(),
        }
    }

    /// All that serve and the generator, in cores.
    pub fn all(&self) -> f64 {
        self.api + self.others()
    }

    /// All but the replicas, in cores.
    pub fn others(&self) -> f64 {
        self.nginx + self.database + self.redis + self.generator
    }
}

impl Probe {
    pub fn new(
        replicas: usize,
        shoppers: usize,
        quota: Option<f64>,
        measured: &Measured,
        usage: &Usage,
    ) -> Self {
        let (periods, throttled) = usage
            .api
            .iter()
            .fold((0, 0), |sum, it| (sum.0 + it.periods, sum.1 + it.throttled));
        Self {
            round: 0,
            replicas,
            shoppers,
            quota,
            seconds: measured.seconds,
            throughput: measured.throughput(),
            completed: measured.completed,
            failed: measured.failed,
            shed: measured.shed,
            errors: measured.errors.clone(),
            answers: measured.replicas.iter().map(|(_, answers)| answers).sum(),
            cpu: Cpu::of(usage, &measured.client),
            waited: (periods > 0).then(|| float(throttled) / float(periods)),
            caches: measured.caches,
            lag_p99_us: measured.client.lag_p99_us,
            invalid: invalid(measured),
        }
    }

    /// What the replicas used of their quotas, 0 to 1; none without quota.
    pub fn quota_used(&self) -> Option<f64> {
        self.quota
            .map(|quota| self.cpu.api / (quota * number(self.replicas)))
    }

    /// Answers for a second of the replicas' CPU; none where that was not metered.
    pub fn answers_per_cpu_second(&self) -> Option<f64> {
        let cpu = self.cpu.api * self.seconds;
        (cpu > 0.0).then(|| float(self.answers) / cpu)
    }
}

/// `1 replica`, `2 replicas`.
pub fn replicas(count: usize) -> String {
    format!("{count} replica{}", if count == 1 { "" } else { "s" })
}

/// As a number to reckon with.
pub fn number(count: usize) -> f64 {
    float(count as u64)
}

/// What the generator could not do, in a line.
fn invalid(measured: &Measured) -> Option<String> {
    let model = crate::load::Model::Closed {
        shoppers: 1,
        shape: crate::load::Shape::default(),
    };
    let broken = verdict::validity(&model, measured)
        .into_iter()
        .filter(|it| !it.holds);
    let broken: Vec<String> = broken
        .map(|it| format!("{} {} (limit {})", it.what, it.found, it.limit))
        .collect();
    (!broken.is_empty()).then(|| broken.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::cpu::ReplicaUsage;
    use crate::stack::host::HostTimes;

    fn usage() -> Usage {
        let replica = |seconds, periods, throttled| ReplicaUsage {
            name: "api-1".to_owned(),
            seconds,
            periods,
            throttled,
        };
        Usage {
            seconds: 10.0,
            nginx: 1.0,
            api: vec![replica(1.9, 100, 90), replica(1.7, 100, 70)],
            redis: 0.5,
            database: 2.0,
            generator: 0.0,
            host: HostTimes {
                busy: 8.0,
                steal: 1.0,
                total: 20.0,
            },
        }
    }

    #[test]
    fn cpu_is_in_cores_and_of_the_quota() {
        let measured = Measured {
            seconds: 10.0,
            completed: 1_000,
            shed: 50,
            settled: true,
            client: Client {
                cpu: 0.3,
                sent: 1.0,
                ..Client::default()
            },
            replicas: vec![("a".to_owned(), 700), ("b".to_owned(), 740)],
            ..Measured::default()
        };
        let probe = Probe::new(2, 24, Some(0.2), &measured, &usage());
        let near = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-9, "{found} {wanted}");
        near(probe.throughput, 95.0);
        near(probe.cpu.all(), 0.36 + 0.1 + 0.2 + 0.05 + 0.3);
        near(probe.cpu.host, 0.4);
        near(probe.cpu.steal, 0.05);
        near(probe.quota_used().unwrap_or_default(), 0.9);
        near(probe.waited.unwrap_or_default(), 0.8);
        near(probe.answers_per_cpu_second().unwrap_or_default(), 400.0);
        assert_eq!(probe.invalid, None);
    }

    #[test]
    fn a_generator_at_its_limit_is_said() {
        let measured = Measured {
            settled: true,
            client: Client {
                cpu: 0.9,
                sent: 1.0,
                ..Client::default()
            },
            ..Measured::default()
        };
        let probe = Probe::new(1, 12, None, &measured, &usage());
        assert!(probe.invalid.as_ref().is_some_and(|why| why.contains("CPU")));
        assert_eq!(probe.quota_used(), None);
    }
}
