//! Refresh tokens: 32 random bytes that mean nothing by themselves. Only their SHA-256 is stored, so that who
//! reads the database cannot use them.

use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Error, Result};

const BYTES: usize = 32;
/// 32 bytes in base64 without padding.
const TEXT_BYTES: usize = 43;

pub struct RefreshToken([u8; BYTES]);

impl RefreshToken {
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate() -> Result<Self> {
        let mut bytes = [0; BYTES];
        rand::fill(&mut bytes).map_err(|_| Error::Internal("the system gives no random bytes".into()))?;
        Ok(Self(bytes))
    }

    /// Reads what a client sent.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != TEXT_BYTES {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// What the client gets.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What is stored.
    pub fn hash(&self) -> Vec<u8> {
        digest::digest(&digest::SHA256, &self.0).as_ref().to_vec()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_as_it_was_and_no_two_are_alike() {
        let token = RefreshToken::generate().unwrap();
        assert_eq!(token.text().len(), TEXT_BYTES);
        assert_eq!(RefreshToken::parse(&token.text()).unwrap().hash(), token.hash());
        assert_eq!(token.hash().len(), 32);
        assert_ne!(RefreshToken::generate().unwrap().hash(), token.hash());
    }

    #[test]
    fn spoilt_text_is_no_token() {
        let zeros = "A".repeat(TEXT_BYTES);
        assert!(RefreshToken::parse(&zeros).is_some());
        // The last character has two bits to spare: only one spelling of a token is taken.
        for text in [
            "",
            &zeros[1..],
            &format!("{}B", &zeros[1..]),
            &"!".repeat(TEXT_BYTES),
        ] {
            assert!(RefreshToken::parse(text).is_none(), "{text}");
        }
        assert!(RefreshToken::parse(&"A".repeat(60_000)).is_none());
    }
}
