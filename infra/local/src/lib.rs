//! Runs and scales Trestle's tiers as processes on this machine: nginx, trestle-api's replicas, Redis, MariaDB or MySQL.
//!
//! [`Stack`] is what tests and load tests start; the `trestle` command is the same with a terminal. Both do the same with
//! tiers that run as containers ([`Compose`]). See README.md.

pub mod api;
mod builder;
mod cgroup;
mod changes;
pub mod compose;
pub mod control;
pub mod data;
pub mod database;
pub mod events;
mod guard;
pub mod leftover;
pub mod nginx;
pub mod options;
mod own;
pub mod ports;
pub mod probe;
pub mod process;
pub mod processes;
pub mod procfs;
pub mod programs;
pub mod redis;
pub mod stack;
mod start;
pub mod stress;
pub mod supervisor;
pub mod table;
pub mod tls;
pub mod web;

pub use builder::StackBuilder;
pub use compose::Compose;
pub use nix::sys::signal::Signal;
pub use options::Options;
pub use processes::ProcessInfo;
pub use stack::{Replica, Stack};
pub use start::end_leftovers;
pub use supervisor::{Phase, Report};
