//! The load tests' own tests that need a shop: the k6 script.

mod k6;
mod script;
