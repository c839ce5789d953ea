//! Trestle's API tier: a correct, fast and observable shop.
//!
//! Each feature is a folder that holds its routes, types, rules and SQL. What several share lies beside this file
//! and knows no feature. ARCHITECTURE.md is the map.

pub mod admission;
pub mod audit;
pub mod authorities;
pub mod backoffice;
pub mod browser;
pub mod burn;
pub mod cache;
pub mod cart;
pub mod catalog;
pub mod checkout;
pub mod client;
pub mod clock;
pub mod command;
pub mod config;
pub mod conventions;
pub mod copy;
pub mod coupons;
pub mod db;
pub mod error;
pub mod front;
pub mod health;
pub mod housekeeping;
pub mod identity;
pub mod import;
pub mod instance;
pub mod lifecycle;
pub mod metrics;
pub mod middleware;
pub mod openapi;
pub mod ops;
pub mod orders;
pub mod pace;
pub mod pictures;
pub mod request;
pub mod reviews;
pub mod router;
pub mod secrets;
pub mod seed;
pub mod serve;
pub mod state;
pub mod tally;
pub mod telemetry;
pub mod types;
pub mod writes;
