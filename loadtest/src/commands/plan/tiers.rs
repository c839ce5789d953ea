//! A number for each tier.

use serde::{Deserialize, Serialize};

use crate::stack::cpu::Usage;

/// CPU by tier: cores, or CPU seconds an interaction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Tiers {
    pub nginx: f64,
    /// All replicas together.
    pub api: f64,
    pub redis: f64,
    pub database: f64,
}

impl Tiers {
    /// In the order of [`Tiers::array`].
    pub const NAMES: [&str; 4] = ["nginx", "API", "Redis", "database"];

    /// Cores that were used on average.
    pub fn cores(usage: &Usage) -> Self {
        Self {
            nginx: usage.cores(usage.nginx),
            api: usage.cores(usage.api_seconds()),
            redis: usage.cores(usage.redis),
            database: usage.cores(usage.database),
        }
    }

    pub fn array(self) -> [f64; 4] {
        [self.nginx, self.api, self.redis, self.database]
    }

    pub fn from_array([nginx, api, redis, database]: [f64; 4]) -> Self {
        Self {
            nginx,
            api,
            redis,
            database,
        }
    }

    /// Tier by tier.
    pub fn with(self, other: Self, of: impl Fn(f64, f64) -> f64) -> Self {
        let (own, other) = (self.array(), other.array());
        Self::from_array(std::array::from_fn(|tier| of(own[tier], other[tier])))
    }

    pub fn plus(self, other: Self) -> Self {
        self.with(other, |own, other| own + other)
    }

    pub fn times(self, factor: f64) -> Self {
        Self::from_array(self.array().map(|it| it * factor))
    }

    pub fn sum(self) -> f64 {
        self.array().iter().sum()
    }

    /// Of the busiest tier.
    pub fn most(self) -> f64 {
        self.array().into_iter().fold(0.0, f64::max)
    }
}
