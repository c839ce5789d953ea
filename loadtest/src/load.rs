//! What load is put on a shop: who comes, how often, for how long. The words that commands, generator and results share.

use serde::{Deserialize, Serialize};

use crate::interaction::{Interaction, Mix};

/// One load, whole: what a generator is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Load {
    pub model: Model,
    pub mix: Mix,
    /// Only this interaction instead of a mix.
    #[serde(default)]
    pub only: Option<Interaction>,
    /// One interaction that comes on top of the mix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<More>,
    /// Only this product is looked at and bought instead of all by popularity.
    #[serde(default)]
    pub product: Option<u64>,
    /// What happened is told by tenths of a second, too: what recovery from a fault is read from.
    #[serde(default)]
    pub fine: bool,
    /// Mean think time in seconds (TPC-W: 7, cut at ten times the mean); 0 for a saturating probe.
    pub think_s: f64,
    /// Shoppers begin with valid sessions and keep them: no password is hashed.
    pub with_sessions: bool,
    /// Measured seconds, after the warm-up.
    pub seconds: f64,
    pub warm_up: WarmUp,
    /// Draws of shoppers, products, think times and arrivals follow from it.
    pub seed: u64,
}

/// So many of all interactions are this one; the others are the mix's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct More {
    pub interaction: Interaction,
    /// 0 to 1.
    pub share: f64,
}

/// Who comes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// So many shoppers, each with a think time between two interactions. The shape scales their number.
    Closed { shoppers: usize, shape: Shape },
    /// Arrivals that do not wait for answers. The shape scales the rate.
    Open {
        /// A second, at shape 1.
        rate: f64,
        arrivals: Arrivals,
        unit: Unit,
        shape: Shape,
    },
    /// A flash sale: buyers who all want one product at once.
    Flash { product: u64, buyers: usize },
}

/// How arrivals are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    Poisson,
    Constant,
}

/// What arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// One interaction, by whichever shopper is idle.
    Interactions,
    /// A shopper who stays for a session.
    Sessions,
}

/// The load over time: a factor from the beginning of the measured time on, straight between two points, constant after the last.
/// Two points at one moment are a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shape(pub Vec<(f64, f64)>);

impl Default for Shape {
    fn default() -> Self {
        Self(vec![(0.0, 1.0)])
    }
}

/// When measuring begins.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarmUp {
    /// Throughput and hit rate of three successive 2 s windows lie within 5 %; 5 s at least, 30 s at most.
    Settled,
    /// So many seconds.
    Seconds(f64),
}
