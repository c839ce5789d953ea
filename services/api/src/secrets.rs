//! The keys that sign access tokens and cart cookies. Two can be live, so that a key is replaced without logging
//! anyone out: the first signs, all verify.

use std::fmt;

use aws_lc_rs::hmac;
use jsonwebtoken::{DecodingKey, EncodingKey};

/// One signing key and the name that tokens carry for it.
struct Key {
    kid: String,
    /// Cookies: a MAC key of its own, derived, so that no cookie can pass for a token.
    cookie: hmac::Key,
    /// Tokens: another derived key, in the forms that jsonwebtoken takes.
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// The configured keys; the first signs.
pub struct Keys(Vec<Key>);

impl Keys {
    /// Reads `KID:KEY[,KID:KEY]`.
    ///
    /// # Errors
    /// A sentence that says what is wrong, without the key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut keys: Vec<Key> = Vec::new();
        for part in text.split(',') {
            let (kid, key) = part.split_once(':').ok_or("each key must be written KID:KEY")?;
            let named = !kid.is_empty()
                && kid.len() <= 32
                && kid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            if !named {
                return Err("a KID must be 1 to 32 letters, digits or '-'".into());
            }
            if key.len() < 32 {
                return Err(format!(
                    "the key {kid} has {} bytes; 32 or more are needed",
                    key.len()
                ));
            }
            if keys.iter().any(|other| other.kid == kid) {
                return Err(format!("the KID {kid} is given twice"));
            }
            let master = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
            let derive = |purpose: &[u8]| hmac::sign(&master, purpose).as_ref().to_vec();
            let token = derive(b"trestle access token 1");
            keys.push(Key {
                kid: kid.to_owned(),
                cookie: hmac::Key::new(hmac::HMAC_SHA256, &derive(b"trestle cart cookie 1")),
                encoding: EncodingKey::from_secret(&token),
                decoding: DecodingKey::from_secret(&token),
            });
        }
        Ok(Self(keys))
    }

    /// As `parse`, and refuses keys that others can know: placeholders out of documentation, and what a person typed.
    ///
    /// # Errors
    /// As `parse`.
    pub fn configured(text: &str) -> Result<Self, String> {
        let keys = Self::parse(text)?;
        for (kid, key) in text.split(',').filter_map(|part| part.split_once(':')) {
            if is_guessable(key) {
                return Err(format!(
                    "the key {kid} can be guessed; make one with: openssl rand -hex 32"
                ));
            }
        }
        Ok(keys)
    }

    /// The KID and key that sign a token.
    pub fn signing_token_key(&self) -> Option<(&str, &EncodingKey)> {
        let key = self.0.first()?;
        Some((&key.kid, &key.encoding))
    }

    /// The key of a token that names `kid`.
    pub fn token_key(&self, kid: &str) -> Option<&DecodingKey> {
        self.0.iter().find(|key| key.kid == kid).map(|key| &key.decoding)
    }

    /// A MAC of a cookie's content with the first key.
    pub fn sign_cookie(&self, content: &[u8]) -> Vec<u8> {
        self.0
            .first()
            .map(|key| hmac::sign(&key.cookie, content).as_ref().to_vec())
            .unwrap_or_default()
    }

    /// Whether any live key made this MAC; compared in constant time.
    pub fn verify_cookie(&self, content: &[u8], mac: &[u8]) -> bool {
        self.0
            .iter()
            .any(|key| hmac::verify(&key.cookie, content, mac).is_ok())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.kid)).finish()
    }
}

/// Words of keys that stand in examples, waiting to be replaced.
const PLACEHOLDERS: [&str; 9] = [
    "change", "replace", "example", "secret", "default", "insecure", "password", "trestle", "your-key",
];
/// 32 random hexadecimal digits have fewer than this once in ten million times.
const FEWEST_DISTINCT: usize = 8;

/// Whether a key is a placeholder, has too few different bytes, or is a run (abcdef...) or a repeat of a shorter text.
fn is_guessable(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    let bytes = lower.as_bytes();
    let distinct = bytes.iter().collect::<std::collections::HashSet<_>>().len();
    let steps = bytes
        .windows(2)
        .filter(|pair| pair[0].abs_diff(pair[1]) <= 1)
        .count();
    let repeats = (1..=bytes.len() / 2).any(|period| {
        bytes
            .iter()
            .skip(period)
            .eq(bytes.iter().take(bytes.len() - period))
    });
    PLACEHOLDERS.iter().any(|word| lower.contains(word))
        || distinct < FEWEST_DISTINCT
        || steps > bytes.len() / 2
        || repeats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_others_can_know_are_refused() {
        for key in [
            "00000000000000000000000000000000",
            "0123456789abcdef0123456789abcdef",
            "abcdefghijklmnopqrstuvwxyz0123456789",
            "change-me-change-me-change-me-now",
            "ChangeMe-1f0c9a7d2b3e4f5a6978c0d1",
            "this-is-the-secret-key-of-my-shop",
            "0110100110010110100101100110100110",
        ] {
            assert!(Keys::configured(&format!("k1:{key}")).is_err(), "{key}");
            let second = format!("k2:7d1f0c9a52b3e4f5a6978c0d1e2f3a4b,k1:{key}");
            assert!(Keys::configured(&second).is_err(), "{key} as the second");
        }
    }

    #[test]
    fn random_keys_are_taken() {
        for _ in 0..1000 {
            let (one, two) = (rand::random::<u128>(), rand::random::<u128>());
            assert!(!is_guessable(&format!("{one:032x}")), "{one:032x}");
            assert!(!is_guessable(&format!("{one:032x}{two:032x}")));
        }
        assert!(Keys::configured("k1:mZ0rY1cS8v3kQpXn7uTtWb2eLd5aHfGj").is_ok());
    }
}
