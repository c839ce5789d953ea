//! The load tests' own tests that need a server: the generator against one with fixed answers, each command on a small shop, faults under
//! load, shops that were broken on purpose, the k6 script.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends by panicking"
)]

mod broken;
mod chaos;
mod cross_check;
mod generator;
mod k6;
mod program;
mod run;
mod script;
mod steering;
