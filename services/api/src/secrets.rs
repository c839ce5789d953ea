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
