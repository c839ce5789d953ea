//! What `plan` is told.

use anyhow::{Result, bail};

use super::measure::Times;
use super::sizing::Wanted;
use crate::commands::common::{OutputArgs, StackArgs};
use crate::generator::ShopArgs;
use crate::interaction::Mix;
use crate::lab::GeneratorArgs;
use crate::report::number::float;
use crate::usage::Usage;

/// What a replica's pool is when nobody says: the shop's own default.
const POOL: u32 = 16;

/// How many cores, replicas and connections do so many shoppers need?
///
/// Runs the mix against a running stack, and the mix with each interaction on top: the slope is its CPU demand by tier. From these follow,
/// with the mix's weights, arrivals, cores, replicas (with headroom, and one to spare) and connections to the database. At the end the mix
/// itself is run: CPU by tier has to be within 15 % of what was predicted.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trestle-loadtest plan --shoppers 2000\n  \
    trestle-loadtest plan --shoppers 5000 --mix ordering --replica-cores 0.7 --headroom 40\n  \
    trestle-loadtest plan --shoppers 20000 --replica-cores 2 --vcpu-ratio 1.3    # see calibrate\n\n\
    It takes some seven minutes; nothing else should run meanwhile.\n\
    Exit code: 0 the prediction holds and nothing was lost; 1 else; 64 wrong arguments.")]
pub struct Args {
    /// So many shoppers at a time
    #[arg(long, value_name = "N")]
    pub(super) shoppers: u64,
    /// Which interactions come how often
    #[arg(long, value_enum, default_value_t = Mix::Shopping)]
    pub(super) mix: Mix,
    /// Mean think time in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 7.0)]
    pub(super) think: f64,
    /// Percent of the cores that are to stay free at this load
    #[arg(long, value_name = "PERCENT", default_value_t = 30.0)]
    pub(super) headroom: f64,
    /// Cores that a replica may use; vCPUs of the other machine with --vcpu-ratio
    #[arg(long, value_name = "CORES", default_value_t = 1.0)]
    pub(super) replica_cores: f64,
    /// Speed of one vCPU of the machines to be planned, by one core of this machine, as `calibrate --against` tells it there
    #[arg(long, value_name = "RATIO")]
    pub(super) vcpu_ratio: Option<f64>,
    /// Connections to the database that each replica may open [default: what the replicas say, else 16]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(4..=1000))]
    pub(super) pool: Option<u32>,
    /// One round of short loads; less sure
    #[arg(long)]
    pub(super) quick: bool,
    /// Do without the run of the mix at the end: nobody knows then whether the prediction holds
    #[arg(long)]
    pub(super) no_check: bool,
    #[command(flatten)]
    pub(super) stack: StackArgs,
    #[command(flatten)]
    pub(super) shop: ShopArgs,
    #[command(flatten)]
    pub(super) generator: GeneratorArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

impl Args {
    /// # Errors
    /// The flag that is wrong.
    pub(super) fn check(&self) -> Result<()> {
        let above_0 = |value: f64| value > 0.0 && value.is_finite();
        if self.shoppers == 0 {
            bail!(Usage("--shoppers must be at least 1".to_owned()));
        }
        if !above_0(self.think) {
            bail!(Usage("--think must be above 0".to_owned()));
        }
        if !(0.0..=90.0).contains(&self.headroom) {
            bail!(Usage("--headroom must be 0 to 90 percent".to_owned()));
        }
        if !above_0(self.replica_cores) {
            bail!(Usage("--replica-cores must be above 0".to_owned()));
        }
        if self.vcpu_ratio.is_some_and(|ratio| !above_0(ratio)) {
            bail!(Usage("--vcpu-ratio must be above 0".to_owned()));
        }
        Ok(())
    }

    pub(super) fn wanted(&self, pool: Option<u32>) -> Wanted {
        Wanted {
            shoppers: float(self.shoppers),
            think_s: self.think,
            headroom: self.headroom / 100.0,
            replica_cores: self.replica_cores,
            vcpu_ratio: self.vcpu_ratio,
            pool: self.pool.or(pool).unwrap_or(POOL),
        }
    }

    pub(super) fn times(&self) -> Times {
        Times {
            warm_up: 1.0,
            measured: if self.quick { 2.0 } else { 4.0 },
        }
    }

    pub(super) fn rounds(&self) -> usize {
        if self.quick { 1 } else { 3 }
    }

    pub(super) fn check_parts(&self) -> usize {
        if self.quick { 1 } else { 5 }
    }
}
