//! A review as it is written and as it is read.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::error::Result;
use crate::types::id::ReviewId;
use crate::types::text::Checks;

pub const MAX_TEXT_CHARS: usize = 2000;

/// A customer's review of a product.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Review {
    pub id: ReviewId,
    /// Stars
    #[schema(minimum = 1, maximum = 5, example = 4)]
    pub rating: i8,
    /// Plain text, possibly of several lines; may be empty
    #[schema(max_length = 2000, example = "Sturdy, and lighter than it looks.")]
    pub text: String,
    /// First name and initial of the customer
    #[schema(example = "Ada L.")]
    pub author: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// What a customer says of a product.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Opinion {
    /// Stars
    #[schema(minimum = 1, maximum = 5, example = 4)]
    pub rating: i8,
    /// Plain text; no control characters but line ends
    #[serde(default)]
    #[schema(
        max_length = 2000,
        pattern = r"^[^\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f]*$",
        example = "Sturdy, and lighter than it looks."
    )]
    pub text: String,
}

impl Opinion {
    /// # Errors
    /// 422 that names every field at fault.
    pub fn check(self) -> Result<Self> {
        let mut checks = Checks::default();
        if !(1..=5).contains(&self.rating) {
            checks.fail("rating", "must be from 1 to 5");
        }
        let text = checks.lines("text", &self.text, MAX_TEXT_CHARS);
        checks.done()?;
        Ok(Self { text, ..self })
    }
}

/// How a customer is named to others: first name and initial. Whoever gave an e-mail address as a name is not named by
/// it.
pub fn author(name: &str) -> String {
    let mut words = name.split_whitespace().filter(|word| !word.contains('@'));
    let Some(first) = words.next() else {
        return "A customer".to_owned();
    };
    match words.next_back().and_then(|last| last.chars().next()) {
        Some(initial) => format!("{first} {}.", initial.to_uppercase()),
        None => first.to_owned(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn an_author_is_a_first_name_and_an_initial_and_never_an_address() {
        for (name, shown) in [
            ("Ada Lovelace", "Ada L."),
            ("Ada King Lovelace", "Ada L."),
            ("  Ada  ", "Ada"),
            ("ludwig van beethoven", "ludwig B."),
            ("김철수", "김철수"),
            ("ada@example.com", "A customer"),
            ("Ada ada@example.com", "Ada"),
            ("", "A customer"),
        ] {
            assert_eq!(author(name), shown, "{name}");
        }
    }

    #[test]
    fn text_is_trimmed_and_its_line_ends_are_one_kind() {
        let opinion = |text: &str| Opinion {
            rating: 5,
            text: text.into(),
        };
        assert_eq!(
            opinion(" one\r\ntwo\rthree\n ").check().unwrap().text,
            "one\ntwo\nthree"
        );
        assert_eq!(opinion("").check().unwrap().text, "");
        assert!(opinion(&"é".repeat(MAX_TEXT_CHARS)).check().is_ok());
        for bad in ["a\tb", "a\0", "\u{85}b c\u{9f}d", &"x".repeat(MAX_TEXT_CHARS + 1)] {
            assert!(opinion(bad).check().is_err(), "{bad:?}");
        }
    }
}
