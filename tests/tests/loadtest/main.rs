//! The load tests' own tests that need a server: the generator against one with fixed answers, each command on a small shop, the k6
//! script.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test ends by panicking")]

mod generator;
//! The load tests' own tests that need a shop: the k6 script, faults under load, and shops that were broken on purpose.

mod broken;
mod chaos;
mod k6;
mod program;
mod run;
mod script;
mod steering;
