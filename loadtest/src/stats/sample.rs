//! Mean, median and quantiles of a sample.

/// None of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "samples are far smaller than 2^52")]
    let size = values.len() as f64;
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / size)
}

pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The quantile `q`, 0 to 1, straight between two neighbours (Hyndman and Fan's type 7). None of nothing.
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    quantile_in_place(&mut sorted, q)
}

/// The same, where the order of the values need not be kept.
pub fn quantile_in_place(values: &mut [f64], q: f64) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    #[expect(clippy::cast_precision_loss, reason = "samples are far smaller than 2^52")]
    let place = q.clamp(0.0, 1.0) * last as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to the last place"
    )]
    let below = (place.floor() as usize).min(last);
    let above = (below + 1).min(last);
    Some(values[below] + (values[above] - values[below]) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(quantile(&[10.0, 20.0, 30.0, 40.0, 50.0], 0.1), Some(14.0));
        assert_eq!(quantile(&[10.0, 20.0], 0.0), Some(10.0));
        assert_eq!(quantile(&[10.0, 20.0], 1.0), Some(20.0));
        assert_eq!(mean(&[1.0, 2.0, 6.0]), Some(3.0));
        assert_eq!((mean(&[]), median(&[])), (None, None));
    }
}
