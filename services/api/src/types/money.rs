//! Money: integer minor units (cents, won) with their currency. There is no floating point anywhere.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

/// The largest amount that one price or total may have, in minor units: far above any shop's, and small
/// enough that a full cart cannot overflow.
pub const MAX_AMOUNT: i64 = 1_000_000_000_000;

/// An ISO 4217 currency code.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    pub fn as_str(&self) -> &str {
        // Only FromStr makes one, and it accepts ASCII letters alone.
        str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many decimals an amount of this currency is written with (ISO 4217, minor unit).
    pub fn decimals(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF"
            | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }

    /// Reads a decimal price such as `19.99` into minor units.
    ///
    /// # Errors
    /// A sentence that says what is wrong: not a number, negative, too large, more decimals than the currency has.
    pub fn parse_amount(self, text: &str) -> Result<i64, String> {
        let text = text.trim();
        if text.starts_with('-') {
            return Err(format!("{text:?} is negative"));
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) {
            return Err(format!("{text:?} is not a price"));
        }
        let decimals = self.decimals() as usize;
        let significant = fraction.trim_end_matches('0');
        if significant.len() > decimals {
            return Err(format!("{text:?} has more decimals than {self} ({decimals})"));
        }
        let minor = format!("{whole}{significant:0<decimals$}");
        match minor.parse::<i64>() {
            Ok(amount) if amount <= MAX_AMOUNT => Ok(amount),
            _ => Err(format!("{text:?} is too large")),
        }
    }
}

impl FromStr for Currency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(format!(
                "{text:?} is not an ISO 4217 code of three capital letters"
            )),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// An amount in minor units of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"amount": 1999, "currency": "USD"})))]
pub struct Money {
    /// Minor units: cents, won
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub amount: i64,
    /// An ISO 4217 code
    #[schema(value_type = String, pattern = "^[A-Z]{3}$")]
    pub currency: Currency,
}

impl Money {
    pub fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }
}

/// Price times quantity; None on overflow.
pub fn line_total(price: i64, quantity: i32) -> Option<i64> {
    price.checked_mul(i64::from(quantity))
}

/// The sum of amounts; None on overflow.
pub fn sum(amounts: impl IntoIterator<Item = i64>) -> Option<i64> {
    amounts.into_iter().try_fold(0_i64, i64::checked_add)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_with_the_currencys_own_decimals() {
        let usd: Currency = "USD".parse().unwrap();
        let krw: Currency = "KRW".parse().unwrap();
        let kwd: Currency = "KWD".parse().unwrap();
        assert_eq!(usd.parse_amount("19.99"), Ok(1999));
        assert_eq!(usd.parse_amount(" 50 "), Ok(5000));
        assert_eq!(usd.parse_amount("0.5"), Ok(50));
        assert_eq!(usd.parse_amount("1.500"), Ok(150));
        assert_eq!(krw.parse_amount("19000"), Ok(19000));
        assert_eq!(krw.parse_amount("19000.00"), Ok(19000));
        assert_eq!(kwd.parse_amount("1.234"), Ok(1234));
    }

    #[test]
    fn a_bad_price_says_what_is_wrong() {
        let usd: Currency = "USD".parse().unwrap();
        for (text, word) in [
            ("abc", "not a price"),
            ("", "not a price"),
            (".5", "not a price"),
            ("-1", "negative"),
            ("1.999", "decimals"),
            ("1e5", "not a price"),
            ("99999999999999999999", "too large"),
        ] {
            let error = usd.parse_amount(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn sums_and_lines_do_not_wrap() {
        assert_eq!(line_total(i64::MAX, 2), None);
        assert_eq!(sum([i64::MAX, 1]), None);
        assert_eq!(sum([1, 2, 3]), Some(6));
    }
}
