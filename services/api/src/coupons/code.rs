//! The code of a coupon: 3 to 32 of A-Z, 0-9 and -. Lower case is read as upper case.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

/// What is wrong with a code that is none.
pub const RULE: &str = "must be 3 to 32 letters A-Z, digits and hyphens";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, min_length = 3, max_length = 32, pattern = "^[A-Z0-9-]{3,32}$", examples("WELCOME-10"))]
pub struct Code(String);

impl Code {
    /// None when the text cannot be a code.
    pub fn parse(text: &str) -> Option<Self> {
        let good = (3..=32).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        good.then(|| Self(text.to_ascii_uppercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_upper_case_and_of_few_characters() {
        assert_eq!(Code::parse("welcome-10").unwrap().as_str(), "WELCOME-10");
        assert!(Code::parse(&"A".repeat(32)).is_some());
        for bad in [
            "",
            "AB",
            "A B",
            " ABC",
            "ABC ",
            "ÄBC",
            "A_BC",
            "ABC\0",
            &"A".repeat(33),
        ] {
            assert_eq!(Code::parse(bad), None, "{bad:?}");
        }
    }
}
