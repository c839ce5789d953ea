//! What can be said of numbers that vary: medians, bootstrap intervals, the Universal Scalability Law.

pub mod bootstrap;
pub mod hist;
pub mod sample;
pub mod usl;
