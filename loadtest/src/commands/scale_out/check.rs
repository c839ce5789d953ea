//! Arrivals at 90 % of a count's capacity, held to the response limits: whether that capacity can be used.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::probe::replicas as replicas_said;
use super::rig::Rig;
use crate::result::{ErrorClass, Measured, Verdict};
use crate::verdict::{self, Limits};

/// Of the median throughput.
pub const LOAD: f64 = 0.9;
const SECONDS: f64 = 8.0;

/// One count under such arrivals.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Check {
    pub replicas: usize,
    /// Interactions a second that arrived.
    pub rate: f64,
    pub completed: u64,
    pub failed: u64,
    pub shed: u64,
    pub limits: Vec<Verdict>,
    pub validity: Vec<Verdict>,
    pub errors: Vec<ErrorClass>,
}

impl Check {
    pub fn of(
        replicas: usize,
        rate: f64,
        measured: &Measured,
        limits: Vec<Verdict>,
        validity: Vec<Verdict>,
    ) -> Self {
        Self {
            replicas,
            rate,
            completed: measured.completed,
            failed: measured.failed,
            shed: measured.shed,
            limits,
            validity,
            errors: measured.errors.clone(),
        }
    }

    pub fn holds(&self) -> bool {
        self.limits.iter().all(|verdict| verdict.holds)
    }

    /// Whether the generator was up to it.
    pub fn is_valid(&self) -> bool {
        self.validity.iter().all(|verdict| verdict.holds)
    }

    /// What does not hold, in a line.
    pub fn broken(&self) -> String {
        let broken = self
            .limits
            .iter()
            .chain(&self.validity)
            .filter(|verdict| !verdict.holds);
        let said = broken.map(|it| format!("{} {} (limit {})", it.what, it.found, it.limit));
        said.collect::<Vec<_>>().join(", ")
    }
}

/// Checks one count; the stack has that many replicas.
///
/// # Errors
/// When the generator ends.
pub async fn check(rig: &mut Rig, replicas: usize, capacity: f64, limits: &Limits) -> Result<Check> {
    let rate = (LOAD * capacity * 10.0).round() / 10.0;
    let what = format!(
        "check of {}: {rate} interactions/s arrive",
        replicas_said(replicas)
    );
    let (load, measured) = rig.arrivals(rate, SECONDS, &what).await?;
    let found = verdict::limits(limits, &load.model, &measured)?;
    let validity = verdict::validity(&load.model, &measured);
    Ok(Check::of(replicas, rate, &measured, found, validity))
}
