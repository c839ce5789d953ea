//! Runs and scales the tiers of Trestle as processes on this machine.

pub mod tls;
pub mod web;
