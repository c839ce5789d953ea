//! Checks on text that a person typed: trimmed, of a bounded length, without control characters.

use crate::error::FieldError;

/// Collects what is wrong with a request, so that one answer names every field at fault.
#[derive(Debug, Default)]
pub struct Checks(Vec<FieldError>);

impl Checks {
    pub fn fail(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(FieldError {
            field: field.into(),
            message: message.into(),
        });
    }

    /// Text that must be there: 1 to `max` characters after trimming.
    pub fn required(&mut self, field: &str, text: &str, max: usize) -> String {
        let text = self.optional(field, text, max);
        if text.is_empty() {
            self.fail(field, "must not be empty");
        }
        text
    }

    /// Text that may be empty: at most `max` characters after trimming.
    pub fn optional(&mut self, field: &str, text: &str, max: usize) -> String {
        let text = text.trim();
        if text.chars().count() > max {
            self.fail(field, format!("must have at most {max} characters"));
        } else if text.chars().any(char::is_control) {
            self.fail(field, "must not contain control characters");
        }
        text.to_owned()
    }

    /// Text of several lines that may be empty: at most `max` characters after trimming. Line ends become `\n`; no
    /// other control character may be in it.
    pub fn lines(&mut self, field: &str, text: &str, max: usize) -> String {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text = text.trim();
        if text.chars().count() > max {
            self.fail(field, format!("must have at most {max} characters"));
        } else if text.chars().any(|c| c.is_control() && c != '\n') {
            self.fail(field, "must not contain control characters except line ends");
        }
        text.to_owned()
    }

    /// # Errors
    /// 422 `validation_failed` with every failure named, if there is one.
    pub fn done(self) -> Result<(), crate::error::Error> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(crate::error::Error::Validation(self.0))
        }
    }
}
