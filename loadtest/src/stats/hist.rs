//! Latency histograms: microseconds with three significant digits (HDR histograms), and their text form in results.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};

/// The longest latency that is told apart, in microseconds: ten minutes. Longer ones count as this.
const LONGEST_US: u64 = 600_000_000;
/// A percentile needs so many samples beyond it.
const BEYOND: u64 = 10;

/// An empty one of 1 us to 10 min. `saturating_record` takes what is longer.
pub fn empty() -> Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, LONGEST_US, 3).context("a histogram of latencies")
}

/// V2 format, compressed, in base64: what `HdrHistogram` tools read.
pub fn encode(histogram: &Histogram<u64>) -> Result<String> {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(histogram, &mut bytes)
        .context("writing a histogram")?;
    Ok(STANDARD.encode(bytes))
}

/// What [`encode`] wrote; V2 without compression is read too.
pub fn decode(text: &str) -> Result<Histogram<u64>> {
    let bytes = STANDARD.decode(text).context("a histogram that is not base64")?;
    Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .context("a histogram that cannot be read")
}

/// All samples of all in one.
pub fn merge<'a>(parts: impl IntoIterator<Item = &'a Histogram<u64>>) -> Result<Histogram<u64>> {
    let mut whole = empty()?;
    whole.auto(true);
    for part in parts {
        whole.add(part).context("adding histograms up")?;
    }
    Ok(whole)
}

/// The quantile `q` (0.99 for p99) in milliseconds, if at least 10 samples lie beyond it.
pub fn percentile(histogram: &Histogram<u64>, q: f64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let rank = (q * histogram.len() as f64 - 1e-6).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "cut at 0 and at the count"
    )]
    let beyond = histogram.len().saturating_sub(rank.max(0.0) as u64);
    (beyond >= BEYOND).then(|| milliseconds(histogram.value_at_quantile(q)))
}

/// Microseconds as milliseconds.
pub fn milliseconds(microseconds: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 us")]
    let microseconds = microseconds as f64;
    microseconds / 1_000.0
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram<u64> {
        let mut histogram = empty().unwrap();
        values
            .into_iter()
            .for_each(|value| histogram.saturating_record(value));
        histogram
    }

    #[test]
    fn merged_is_the_union() {
        let (a, b) = (0..5_000)
            .map(|it| (it * it) % 90_007 + 1)
            .partition::<Vec<u64>, _>(|it| it % 3 == 0);
        let union = of(a.iter().chain(&b).copied());
        let merged = merge([&of(a), &of(b)]).unwrap();
        assert_eq!(merged, union);
        assert_eq!(merged.len(), 5_000);
        assert_eq!(merge([]).unwrap().len(), 0);
    }

    #[test]
    fn text_there_and_back() {
        let histogram = of((1..2_000).map(|it| it * 37).chain([LONGEST_US * 5]));
        let text = encode(&histogram).unwrap();
        let again = decode(&text).unwrap();
        assert_eq!(again, histogram);
        assert_eq!(merge([&again]).unwrap(), histogram);
        assert_eq!(decode(&encode(&empty().unwrap()).unwrap()).unwrap().len(), 0);
        assert!(text.starts_with("HIST"), "other tools know it by this: {text}");
    }

    #[test]
    fn what_is_none_is_refused() {
        assert!(decode("~").is_err());
        assert!(decode("").is_err());
        let text = encode(&of([5, 6])).unwrap();
        assert!(decode(&text[..text.len() / 2 / 4 * 4]).is_err());
    }

    #[test]
    fn a_percentile_needs_ten_samples_beyond() {
        let up_to = |count: u64| of((1..=count).map(|it| it * 1_000));
        assert_eq!(percentile(&up_to(19), 0.5), None);
        assert!(percentile(&up_to(20), 0.5).is_some());
        assert_eq!(percentile(&up_to(999), 0.99), None);
        let p99 = percentile(&up_to(1_000), 0.99).unwrap();
        assert!((p99 / 990.0 - 1.0).abs() < 0.001, "{p99}");
        assert_eq!(percentile(&up_to(9_999), 0.999), None);
        assert!(percentile(&up_to(10_000), 0.999).is_some());
        assert_eq!(percentile(&up_to(0), 0.5), None);
    }
}
