//! Emulated shoppers for any Trestle by URL, and the commands that show how it scales, fails and recovers.
//!
//! README.md says what each command is for.

#[cfg(feature = "bench")]
pub mod bench;
pub mod cli;
pub mod commands;
pub mod drive;
pub mod generator;
pub mod interaction;
pub mod journal;
pub mod lab;
pub mod load;
pub mod model;
pub mod own;
pub mod recorder;
pub mod report;
pub mod result;
pub mod shopper;
pub mod stack;
pub mod stats;
pub mod stub;
pub mod usage;
pub mod verdict;
pub mod verify;
