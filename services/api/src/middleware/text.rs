//! The two texts that every answer brings, written without the formatting machinery: it took 4 % of a read from memory.

use std::time::Duration;

use http::HeaderValue;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A request's id: the process's start and a count, in 16 hexadecimal digits; a count beyond 32 bits begins anew.
pub fn request_id(start: u32, count: u64) -> HeaderValue {
    let number = u64::from(start) << 32 | (count & 0xffff_ffff);
    let mut text = [0; 16];
    for (place, digit) in text.iter_mut().enumerate() {
        let nibble = number >> (60 - 4 * place) & 0xf;
        *digit = HEX[usize::from(nibble as u8)];
    }
    HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("0"))
}

/// `app;dur=1.234`, in milliseconds (Server-Timing).
pub fn timing(took: Duration) -> Option<HeaderValue> {
    const NAME: &[u8] = b"app;dur=";
    // 20 digits hold any number of microseconds.
    let mut text = [0; NAME.len() + 21];
    let mut place = text.len();
    let mut put = |byte: u8| {
        place -= 1;
        text[place] = byte;
    };
    let mut rest = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let mut digits = 0;
    while digits < 4 || rest > 0 {
        if digits == 3 {
            put(b'.');
        }
        put(b'0' + (rest % 10) as u8);
        rest /= 10;
        digits += 1;
    }
    NAME.iter().rev().for_each(|byte| put(*byte));
    HeaderValue::from_bytes(&text[place..]).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_start_and_count() {
        assert_eq!(request_id(0x5f0c_1d7e, 0xa42), "5f0c1d7e00000a42");
        assert_eq!(request_id(1, u64::MAX), "00000001ffffffff");
    }

    #[test]
    fn a_time_is_told_in_milliseconds() {
        for (micros, text) in [
            (0, "app;dur=0.000"),
            (7, "app;dur=0.007"),
            (1_234, "app;dur=1.234"),
            (8_000_000, "app;dur=8000.000"),
            (u64::MAX, "app;dur=18446744073709551.615"),
        ] {
            assert_eq!(timing(Duration::from_micros(micros)).unwrap(), text);
        }
    }
}
