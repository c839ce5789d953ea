//! The one password of all seeded customers.

use crate::config::ConfigError;
use crate::identity::password;
use crate::types::text::Checks;

/// # Errors
/// When nobody could register with such a password: it could not be typed in at login.
pub fn check(given: &str) -> Result<(), ConfigError> {
    let mut checks = Checks::default();
    password::check_new(&mut checks, given);
    checks.done().map_err(|_| ConfigError {
        variable: "TRESTLE_SEED_PASSWORD (--password)",
        reason: "must have 8 to 128 characters".into(),
    })
}
