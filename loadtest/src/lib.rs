//! Emulated shoppers for any Trestle by URL, and the commands that show how it scales, fails and recovers.
//!
//! README.md says what each command is for.

#[cfg(feature = "bench")]
pub mod bench;
pub mod compare;
pub mod histogram;
pub mod interaction;
pub mod load;
pub mod merge;
pub mod model;
pub mod report;
pub mod result;
pub mod stack;
pub mod stats;
pub mod stub;
