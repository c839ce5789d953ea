//! Latency histograms as results hold them: HDR, microseconds, V2 format in base64.

use anyhow::{Context as _, Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2Serializer};

/// Samples that have to lie beyond a percentile for it to be told.
pub const BEYOND: u64 = 10;

/// Reads a histogram of a result; an empty text is an empty histogram.
///
/// # Errors
/// When it is not one.
pub fn decode(text: &str) -> Result<Histogram<u64>> {
    if text.is_empty() {
        return Histogram::new(3).map_err(|error| anyhow!("{error}"));
    }
    let bytes = STANDARD.decode(text).context("a histogram is not base64")?;
    Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .map_err(|error| anyhow!("a histogram cannot be read: {error:?}"))
}

/// # Errors
/// When it holds counts that the format does not, above 2^63.
pub fn encode(histogram: &Histogram<u64>) -> Result<String> {
    let mut bytes = Vec::new();
    V2Serializer::new()
        .serialize(histogram, &mut bytes)
        .map_err(|error| anyhow!("a histogram cannot be written: {error:?}"))?;
    Ok(STANDARD.encode(bytes))
}

/// All values of both.
///
/// # Errors
/// When one holds values that the other cannot.
pub fn add(to: &mut Histogram<u64>, from: &Histogram<u64>) -> Result<()> {
    to.auto(true);
    to.add(from)
        .map_err(|error| anyhow!("histograms cannot be merged: {error}"))
}

/// A percentile in milliseconds, `quantile` from 0 to 1; none where fewer than [`BEYOND`] samples lie beyond it.
pub fn percentile_ms(histogram: &Histogram<u64>, quantile: f64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let (beyond, least) = (histogram.len() as f64 * (1.0 - quantile), BEYOND as f64);
    // A hair less, as 1,000 samples have 10 beyond p99 but 1 - 0.99 is not exactly 0.01.
    (beyond >= least - 1e-6).then(|| ms(histogram.value_at_quantile(quantile)))
}

/// The value of the sample with this rank, from 1, in milliseconds.
pub fn ranked_ms(histogram: &Histogram<u64>, rank: u64) -> f64 {
    let rank = rank.clamp(1, histogram.len().max(1));
    let mut before = 0;
    for step in histogram.iter_recorded() {
        before += step.count_since_last_iteration();
        if before >= rank {
            return ms(step.value_iterated_to());
        }
    }
    0.0
}

#[expect(clippy::cast_precision_loss, reason = "microseconds are far below 2^52")]
fn ms(us: u64) -> f64 {
    us as f64 / 1000.0
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram<u64> {
        let mut histogram = Histogram::new(3).unwrap();
        for value in values {
            histogram.record(value).unwrap();
        }
        histogram
    }

    #[test]
    fn what_was_written_is_read() {
        let histogram = of([1, 250, 90_000, 60_000_000]);
        assert_eq!(decode(&encode(&histogram).unwrap()).unwrap(), histogram);
        assert_eq!(decode("").unwrap().len(), 0);
        assert!(decode("not base64!").is_err());
        assert!(decode("AAAA").is_err());
    }

    #[test]
    fn merged_parts_are_the_whole() {
        let mut merged = of(1..500);
        add(&mut merged, &of(500..=40_000)).unwrap();
        let whole = of(1..=40_000);
        assert_eq!(merged.len(), whole.len());
        for quantile in [0.01, 0.5, 0.9, 0.99, 0.999] {
            assert_eq!(
                merged.value_at_quantile(quantile),
                whole.value_at_quantile(quantile)
            );
        }
    }

    #[test]
    fn a_percentile_needs_ten_samples_beyond_it() {
        assert_eq!(percentile_ms(&of(1..=999), 0.99), None);
        assert_eq!(percentile_ms(&of(1..=1000), 0.99), Some(0.99));
        assert_eq!(percentile_ms(&of(1..=1000), 0.999), None);
        assert_eq!(percentile_ms(&of([]), 0.5), None);
    }

    #[test]
    fn ranks_count_from_the_smallest() {
        let histogram = of([3000, 1000, 2000, 2000]);
        let ranked = [0, 1, 2, 3, 4, 9].map(|rank| format!("{:.0}", ranked_ms(&histogram, rank)));
        assert_eq!(ranked, ["1", "1", "2", "2", "3", "3"]);
    }
}
