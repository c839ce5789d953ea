//! E-mail addresses as the database keys them: trimmed, lower case, checked before any SQL.

/// The longest address that mail can reach, and the width of the column, in bytes.
const MAX_BYTES: usize = 254;
const MAX_LOCAL_BYTES: usize = 64;

/// Answers the normalised address, or what is wrong with it. The check is sane and not complete: only a mail that
/// arrives proves an address.
///
/// # Errors
/// A sentence for the field's error.
pub fn normalise(text: &str) -> Result<String, String> {
    // Long text is not worth the work of lower casing it, which can lengthen but hardly shorten it.
    if text.trim().len() > 2 * MAX_BYTES {
        return Err(too_long());
    }
    let email = text.trim().to_lowercase();
    if email.len() > MAX_BYTES {
        return Err(too_long());
    }
    let is_sane = email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && local.len() <= MAX_LOCAL_BYTES && is_domain(domain)
    }) && !email
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"".contains(c));
    if is_sane {
        Ok(email)
    } else {
        Err("must be an e-mail address, such as name@example.com".to_owned())
    }
}

fn too_long() -> String {
    format!("must have at most {MAX_BYTES} bytes")
}

/// Two or more labels, none of them empty.
fn is_domain(domain: &str) -> bool {
    domain.contains('.')
        && !domain.contains('@')
        && domain
            .split('.')
            .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn one_person_is_one_key_however_they_type_it() {
        for text in ["ann@example.com", "  Ann@Example.COM\t", "ANN@EXAMPLE.COM\n"] {
            assert_eq!(normalise(text), Ok("ann@example.com".to_owned()));
        }
        assert_eq!(
            normalise("Ünal+shop@Bücher.example"),
            Ok("ünal+shop@bücher.example".to_owned())
        );
    }

    #[test]
    fn what_no_mail_can_reach_is_refused() {
        let texts = [
            "",
            "@",
            "ann",
            "ann@",
            "@example.com",
            "ann@localhost",
            "ann@example..com",
            "ann@.example.com",
            "ann@example.com.",
            "ann@-example.com",
            "a@b@example.com",
            "ann smith@example.com",
            "ann\0@example.com",
            "Ann <ann@example.com>",
            "ann@example.com,bob@example.com",
        ];
        for text in texts {
            assert!(normalise(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn length_is_bounded_in_bytes_after_lower_casing() {
        let domain = |n: usize| format!("a@{}.example", "b".repeat(n));
        assert_eq!(domain(244).len(), 254);
        assert!(normalise(&domain(244)).is_ok());
        assert!(normalise(&domain(245)).is_err());
        // Lower case of this letter is one byte longer than the letter.
        let grows = format!("a@{}.example", "İ".repeat(122));
        assert!(grows.len() <= 254 && normalise(&grows).is_err());
        assert!(normalise(&"a".repeat(1_000_000)).is_err());
        assert!(normalise(&format!("{}@example.com", "a".repeat(65))).is_err());
    }
}
