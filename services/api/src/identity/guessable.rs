//! Passwords that are tried first: common words, walks over the keyboard, runs and repeats, and what everybody knows of
//! the customer or the shop. NIST SP 800-63B asks for such a list, and for no rules of composition.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Words that people take as passwords, in small letters.
static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// Rows of keyboards and of counting; walked in either direction and from any key.
const WALKS: [&str; 8] = [
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
];

/// Names the shop; with the customer's own they are the words that fit this account.
const SHOP: [&str; 2] = ["trestle", "trestleshop"];

/// Whether a password is among those tried first. The whole password is compared: a common word with others is fine, with
/// digits and signs around it is not.
pub fn is_guessable(password: &str, email: &str, name: &str) -> bool {
    let lower = password.to_lowercase();
    let shortest = unrepeated(&lower);
    if shortest.chars().count() < 4 || is_walk(shortest) {
        return true;
    }
    let known = known_of(email, name);
    let is_known = |text: &str| COMMON.contains(text) || known.iter().any(|word| word == text);
    [shortest, lower.as_str()].into_iter().any(|text| {
        let bare = bare(text);
        let unleet = bare_of(&unleet(text));
        // Digits around nothing, or around next to nothing.
        bare.chars().count() < 3 || is_known(text) || is_known(bare) || is_known(&unleet)
    })
}

/// What everybody knows of this customer and this shop.
fn known_of(email: &str, name: &str) -> Vec<String> {
    let (email, name) = (email.to_lowercase(), name.to_lowercase());
    let (local, domain) = email.split_once('@').unwrap_or((&email, ""));
    let mut known: Vec<_> = SHOP.map(str::to_owned).into();
    known.extend([email.clone(), local.to_owned(), domain.to_owned()]);
    known.extend([
        bare_of(local),
        bare_of(domain.split('.').next().unwrap_or_default()),
    ]);
    known.extend([name.clone(), name.split_whitespace().collect::<String>()]);
    known.extend(name.split_whitespace().map(str::to_owned));
    known.retain(|word| !word.is_empty());
    known
}

/// `abcabcabc` is `abc`.
fn unrepeated(text: &str) -> &str {
    let starts = text.char_indices().map(|(at, _)| at).skip(1);
    starts
        .filter(|at| text.len().is_multiple_of(*at))
        .find(|at| text.as_bytes()[*at..] == text.as_bytes()[..text.len() - at])
        .map_or(text, |at| &text[..at])
}

/// Whether it goes along one of the rows, forwards or backwards.
fn is_walk(text: &str) -> bool {
    let backwards: String = text.chars().rev().collect();
    WALKS
        .iter()
        .any(|row| row.contains(text) || row.contains(&backwards))
}

/// Without digits and signs at its ends.
fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphabetic())
}

fn bare_of(text: &str) -> String {
    bare(text).to_owned()
}

/// `p4ssw0rd` is `password`; only between letters, so that `admin1` stays a word with a digit after it.
fn unleet(text: &str) -> String {
    let plain = |c| match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    let end = text.trim_end_matches(|c: char| !c.is_alphabetic()).len();
    text.char_indices()
        .map(|(at, c)| if at < end { plain(c) } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessable(password: &str) -> bool {
        is_guessable(password, "ada.lovelace@example.com", "Ada Lovelace")
    }

    #[test]
    fn what_is_tried_first_is_known() {
        for password in [
            "password",
            "Password1",
            "PASSWORD123!",
            "p4ssw0rd",
            "P@ssw0rd2026",
            "passwordpassword",
            "12345678",
            "1234567890",
            "87654321",
            "00000000",
            "        ",
            "aaaaaaaaaa",
            "abcabcabc",
            "abcdefgh",
            "hgfedcba",
            "qwertyuiop",
            "asdfghjkl",
            "poiuytrewq",
            "1qaz2wsx",
            "qwerty123",
            "iloveyou2",
            "Summer2026!",
            "letmein99",
            "football1",
            "changeme",
            "2026-11-21",
            "11/21/2026",
            "helloworld",
            "welcome-1",
            "a1234567",
        ] {
            assert!(guessable(password), "{password}");
        }
    }

    #[test]
    fn what_everybody_knows_of_the_customer_and_the_shop_is_known() {
        for password in [
            "ada.lovelace@example.com",
            "ada.lovelace",
            "Ada Lovelace",
            "adalovelace",
            "lovelace1815",
            "L0velace!",
            "trestle1",
            "Trestle2026",
            "trestleshop",
            "example.com",
            "example1234",
        ] {
            assert!(guessable(password), "{password}");
        }
    }

    #[test]
    fn other_passwords_are_taken_whatever_they_are_made_of() {
        for password in [
            "correct horse battery",
            "secret-enough",
            "correct horse",
            "zu9 Kaffee im Regen",
            "kxhqvwtz",
            "비밀번호를정하자",
            "мойдомкрепость",
            "my password is long",
            "7hYq-22mm",
            "trestle bridge at dawn",
        ] {
            assert!(!guessable(password), "{password}");
        }
    }
}
