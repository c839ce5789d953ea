//! The one password of all seeded customers, hashed once.

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};

use crate::config::ConfigError;

/// What registration allows, too: a password outside of it could not be typed in at login.
const CHARS: std::ops::RangeInclusive<usize> = 8..=128;

/// # Errors
/// When no customer could register with such a password.
pub fn check(password: &str) -> Result<(), ConfigError> {
    if CHARS.contains(&password.chars().count()) {
        return Ok(());
    }
    Err(ConfigError {
        variable: "TRESTLE_SEED_PASSWORD (--password)",
        reason: format!("must have {} to {} characters", CHARS.start(), CHARS.end()),
    })
}

/// # Errors
/// When the system has no randomness or memory to give.
pub fn hash(password: &str) -> anyhow::Result<String> {
    let params = Params::new(19_456, 2, 1, None)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    Ok(argon2.hash_password(password.as_bytes())?.to_string())
}
