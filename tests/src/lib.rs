//! What the system tests share: a shopper who talks to the shop through its proxy, and its answers.
//!
//! Tests read like the shop. They go through HTTP, against real tiers, and wait for conditions, never for time.

pub mod browser;
mod crowd;
mod goods;
pub mod pypi;
mod shop;
mod shopper;
mod wait;

pub use crowd::{Crowd, Told};
pub use goods::{Good, good, order, withdraw};
pub use shop::{first_product, is_in_containers, shop, sql};
pub use shopper::{Answer, PASSWORD, Shopper, address, money};
pub use wait::{eventually, within};

/// How often a test of a race is repeated: 3 times, or what `TRESTLE_REPEAT` says (`make soak`: 20).
pub fn repetitions() -> usize {
    std::env::var("TRESTLE_REPEAT")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(3)
}
