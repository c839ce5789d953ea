//! The one password of all seeded customers.

use crate::config::ConfigError;
use crate::identity::password::{MAX_CHARS, MIN_CHARS};

/// # Errors
/// When it could not be typed in at login. Easy to guess it may be: these customers are made up.
pub fn check(given: &str) -> Result<(), ConfigError> {
    let chars = given.chars().take(MAX_CHARS + 1).count();
    if (MIN_CHARS..=MAX_CHARS).contains(&chars) {
        return Ok(());
    }
    Err(ConfigError {
        variable: "TRESTLE_SEED_PASSWORD (--password)",
        reason: format!("must have {MIN_CHARS} to {MAX_CHARS} characters"),
    })
}
