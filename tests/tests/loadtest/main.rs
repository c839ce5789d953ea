//! The load tests' own tests that need a shop: the k6 script, faults under load, and shops that were broken on purpose.

mod broken;
mod chaos;
mod k6;
mod script;
