//! Numbers as people read them: thousands set off, three digits that count, units with a space.

/// `1234567` as `1,234,567`.
pub fn count(value: u64) -> String {
    group(&value.to_string())
}

/// At least three significant digits: `12,345`, `123`, `12.3`, `1.23`, `0.0123`; `-` for what is no number.
pub fn quantity(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    let size = value.abs();
    let decimals = match size {
        0.0 => 0,
        s if s >= 99.95 => 0,
        s if s >= 9.995 => 1,
        s if s >= 0.9995 => 2,
        s if s >= 0.099_95 => 3,
        _ => 4,
    };
    fixed(value, decimals)
}

/// With so many decimals and the thousands set off; `-` for what is no number.
pub fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    let text = format!("{value:.decimals$}");
    let (sign, digits) = text.strip_prefix('-').map_or(("", &*text), |rest| ("-", rest));
    let (whole, rest) = digits.split_once('.').map_or((digits, ""), |(w, r)| (w, r));
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{rest}", group(whole))
}

/// A setting as it was given: at most three decimals, none that are 0.
pub fn plain(value: f64) -> String {
    let text = fixed(value, 3);
    match text.split_once('.') {
        Some((_, decimals)) if decimals.bytes().all(|digit| digit == b'0') => fixed(value, 0),
        Some(_) => text.trim_end_matches('0').to_owned(),
        None => text,
    }
}

/// A number that may be missing: `-` then.
pub fn maybe(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), quantity)
}

/// A part of a whole as percent: `0.1234` as `12.3 %`, `0.000123` as `0.0123 %`.
pub fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if !percent.is_finite() {
        "-".to_owned()
    } else if percent > 0.0 && percent < 1.0 {
        format!("{} %", quantity(percent))
    } else {
        format!("{} %", fixed(percent, 1))
    }
}

/// `part` of `whole` as percent; `-` of nothing.
pub fn percent_of(part: u64, whole: u64) -> String {
    percent(float(part) / float(whole))
}

/// Bytes in the largest unit that leaves a number of at least 1: `12.3 MiB`.
pub fn bytes(value: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if value < 1024 {
        return format!("{value} B");
    }
    let mut size = float(value) / 1024.0;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{} {}", quantity(size), UNITS.get(unit).unwrap_or(&"TiB"))
}

/// Seconds: `12.5 s`, `2 min 05 s`, `1 h 02 min`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 120.0 {
        return format!("{} s", plain((seconds * 10.0).round() / 10.0));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at least 120"
    )]
    let whole = seconds.round() as u64;
    if whole < 3_600 {
        format!("{} min {:02} s", whole / 60, whole % 60)
    } else {
        format!("{} h {:02} min", whole / 3_600, whole % 3_600 / 60)
    }
}

/// As a number to draw or divide; counts over 2^53 are rounded.
#[expect(clippy::cast_precision_loss, reason = "for reading")]
pub fn float(value: u64) -> f64 {
    value as f64
}

fn group(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_off() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(fixed(-12_345.678, 1), "-12,345.7");
    }

    #[test]
    fn digits_that_count_are_kept() {
        for (value, text) in [
            (0.0, "0"),
            (12_345.6, "12,346"),
            (99.96, "100"),
            (12.34, "12.3"),
            (9.999, "10.0"),
            (1.234, "1.23"),
            (0.1234, "0.123"),
            (0.012_34, "0.0123"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(quantity(value), text);
        }
    }

    #[test]
    fn units_are_chosen_by_size() {
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(1_536), "1.50 KiB");
        assert_eq!(bytes(450 * 1_048_576), "450 MiB");
        assert_eq!(duration(12.5), "12.5 s");
        assert_eq!(duration(125.0), "2 min 05 s");
        assert_eq!(duration(3_720.0), "1 h 02 min");
        assert_eq!(percent_of(5, 48_611), "0.0103 %");
        assert_eq!(percent(0.0), "0.0 %");
        assert_eq!(plain(7.0), "7");
        assert_eq!(plain(0.25), "0.25");
        assert_eq!(plain(1_200.0), "1,200");
        assert_eq!(percent_of(1, 8), "12.5 %");
        assert_eq!(percent_of(0, 0), "-");
    }
}
