//! The keys that sign access tokens and cart cookies. Two can be live, so that a key is replaced without logging
//! anyone out: the first signs, all verify.

use std::fmt;

use aws_lc_rs::hmac;

/// One signing key and the name that tokens carry for it.
struct Key {
    kid: String,
    /// Cookies: a MAC key of its own, derived, so that no cookie can pass for a token.
    cookie: hmac::Key,
    /// Tokens: the bytes that jsonwebtoken takes.
    token: Vec<u8>,
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
            keys.push(Key {
                kid: kid.to_owned(),
                cookie: hmac::Key::new(hmac::HMAC_SHA256, &derive(b"trestle cart cookie 1")),
                token: derive(b"trestle access token 1"),
            });
        }
        Ok(Self(keys))
    }

    /// The KID and secret that sign a token.
    pub fn signing_token_key(&self) -> (&str, &[u8]) {
        // parse never makes an empty list.
        self.0
            .first()
            .map_or(("", &[]), |key| (key.kid.as_str(), key.token.as_slice()))
    }

    /// The secret of a token that names `kid`.
    pub fn token_key(&self, kid: &str) -> Option<&[u8]> {
        self.0
            .iter()
            .find(|key| key.kid == kid)
            .map(|key| key.token.as_slice())
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
