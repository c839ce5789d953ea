//! What customers think of a product, as one number.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A product's rating: the mean of its reviews' stars, and how many they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Rating {
    /// From 1 to 5 with one decimal, rounded half up; none without a review
    #[schema(minimum = 1, maximum = 5, example = 4.3)]
    pub average: Option<f64>,
    #[schema(minimum = 0, example = 17)]
    pub count: u32,
}

impl Rating {
    /// From what the database keeps: the mean in tenths, and the count. A product without a row has neither.
    pub fn new(tenths: Option<i8>, count: Option<i32>) -> Self {
        Self {
            average: tenths.map(|tenths| f64::from(tenths) / 10.0),
            count: count.and_then(|count| count.try_into().ok()).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn every_average_is_written_with_one_decimal() {
        for tenths in 10..=50_i8 {
            let json = serde_json::to_string(&Rating::new(Some(tenths), Some(3))).unwrap();
            let expected = format!("{{\"average\":{}.{},\"count\":3}}", tenths / 10, tenths % 10);
            assert_eq!(json, expected);
        }
        let none = serde_json::to_string(&Rating::new(None, None)).unwrap();
        assert_eq!(none, "{\"average\":null,\"count\":0}");
    }
}
