//! The command line of `autoscale`.

use anyhow::{Result, bail};

use super::policy::Policy;
use super::sizing::Exercise;
use crate::commands::common::{self, StackArgs};
use crate::generator::ShopArgs;
use crate::interaction::Mix;
use crate::lab::GeneratorArgs;
use crate::usage::Usage;

/// The classic exercise: load rises, replicas are added, load falls, they go
///
/// Target tracking on CPU, as auto scaling groups have it: desired = ceil(serving x CPU / target). Each replica is held at a quota, the load
/// is sized so that its peak needs three of them, and one point of the policy is 60 s / --speedup. It fails unless the number goes 1 -> 3 -> 1
/// with nothing failed and nothing refused.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trestle-loadtest autoscale\n  \
    trestle-loadtest autoscale --target 50 --in-after 5\n  \
    trestle-loadtest autoscale --spike             the load steps up: what is refused until there are enough\n  \
    trestle-loadtest autoscale --stress            the load stays, CPU is burned in api-1\n  \
    trestle-loadtest autoscale --stack trestle-aws --watch --rate 400     a real group, which scales itself\n\n\
    Exit code: 0 all held and nothing was lost; 1 else; 64 wrong arguments.")]
pub struct AutoscaleArgs {
    #[command(flatten)]
    pub(super) shop: ShopArgs,
    #[command(flatten)]
    pub(super) stack: StackArgs,
    #[command(flatten)]
    pub(super) generator: GeneratorArgs,
    #[command(flatten)]
    pub(super) policy: PolicyArgs,
    #[command(flatten)]
    pub(super) load: LoadArgs,
    #[command(flatten)]
    pub(super) output: common::OutputArgs,
}

/// When replicas come and go.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "The policy")]
pub(super) struct PolicyArgs {
    /// CPU that a replica is to have, in percent of its quota, 50 to 70
    #[arg(long, value_name = "PERCENT", default_value_t = 60, value_parser = clap::value_parser!(u32).range(50..=70))]
    pub(super) target: u32,
    /// Add a replica after so many successive points above the target
    #[arg(long, value_name = "POINTS", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub(super) out_after: u32,
    /// Take one away after so many successive points below --in-below
    #[arg(long, value_name = "POINTS", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=120))]
    pub(super) in_after: u32,
    /// In percent of the target
    #[arg(long, value_name = "PERCENT", default_value_t = 70, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(super) in_below: u32,
    /// Points for which a new replica does not count, from when it is ready on
    #[arg(long, value_name = "POINTS", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=60))]
    pub(super) warm_up: u32,
    /// Most replicas
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(2..=16))]
    pub(super) max: u32,
    /// Cores that each replica may use
    #[arg(long, value_name = "CORES", default_value_t = 0.2)]
    pub(super) quota: f64,
    /// How much faster than a minute a point is [default: 30; with --watch 1]
    #[arg(long, value_name = "FACTOR")]
    pub(super) speedup: Option<f64>,
}

/// What load.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "The load")]
pub(super) struct LoadArgs {
    /// Interactions a second at the peak [default: what needs --peak replicas, by a calibration of half a minute]
    #[arg(long, value_name = "RATE")]
    pub(super) rate: Option<f64>,
    /// Replicas that the peak needs
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..=16))]
    pub(super) peak: u32,
    /// The load steps up and down; what is refused meanwhile is reported apart
    #[arg(long, group = "exercise")]
    pub(super) spike: bool,
    /// The load stays; CPU is burned inside api-1's quota instead
    #[arg(long, group = "exercise")]
    pub(super) stress: bool,
    /// Only look on: the group scales itself, as a real auto scaling group does. Needs --rate
    #[arg(long, requires = "rate", conflicts_with = "stress")]
    pub(super) watch: bool,
    /// Which interactions come how often
    #[arg(long, value_enum, default_value_t = Mix::Shopping)]
    pub(super) mix: Mix,
}

impl AutoscaleArgs {
    pub(super) fn check(&self) -> Result<()> {
        let above = |value: f64| value.is_finite() && value > 0.0;
        let (policy, load) = (&self.policy, &self.load);
        if load.peak > policy.max {
            bail!(Usage(format!(
                "--peak {}: --max allows {} replicas",
                load.peak, policy.max
            )));
        }
        if !(0.01..=64.0).contains(&policy.quota) {
            bail!(Usage(format!("--quota {}: 0.01 to 64 cores", policy.quota)));
        }
        if !policy
            .speedup
            .is_none_or(|speedup| (1.0..=120.0).contains(&speedup))
        {
            bail!(Usage("--speedup: 1 to 120, a point of 60 s to 0.5 s".to_owned()));
        }
        if !load.rate.is_none_or(above) {
            bail!(Usage("--rate: above 0".to_owned()));
        }
        Ok(())
    }

    pub(super) fn policy(&self) -> Policy {
        let count = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
        Policy {
            target: f64::from(self.policy.target) / 100.0,
            out_after: self.policy.out_after,
            in_after: self.policy.in_after,
            in_below: f64::from(self.policy.in_below) / 100.0,
            // The base of the load is sized for one.
            min: 1,
            max: count(self.policy.max),
        }
    }

    pub(super) fn kind(&self) -> Exercise {
        match (self.load.spike, self.load.stress) {
            (true, _) => Exercise::Spike,
            (_, true) => Exercise::Stress,
            _ => Exercise::Ramp,
        }
    }

    pub(super) fn peak(&self) -> usize {
        usize::try_from(self.load.peak).unwrap_or(usize::MAX)
    }
}
