//! Single measurements, what they come to, and the curve that was fitted to them.

use anyhow::Result;

use super::Picture;
use super::line::LineChart;
use super::series::Series;

/// Capacity by number of replicas: each round a dot, medians, a fitted curve with its band, and the ideal.
#[derive(Debug, Clone)]
pub struct Scatter {
    pub title: String,
    /// The axis along the bottom: `Replicas`.
    pub x: String,
    /// What is drawn upwards, with its unit: `Throughput (interactions/s)`.
    pub y: String,
    /// Each round.
    pub rounds: Vec<(f64, f64)>,
    pub medians: Vec<(f64, f64)>,
    /// The curve's name, its points, and its band (x, lower, upper); without a fit, none.
    pub fit: Option<Fit>,
    /// The ideal's name and its points.
    pub ideal: Option<(String, Vec<(f64, f64)>)>,
    /// The axis along the bottom counts whole things.
    pub whole: bool,
}

/// What was fitted to the rounds.
#[derive(Debug, Clone)]
pub struct Fit {
    pub name: String,
    pub curve: Vec<(f64, f64)>,
    /// x, lower and upper bound of the 95 % interval; may be empty.
    pub band: Vec<(f64, f64, f64)>,
}

impl Picture for Scatter {
    fn title(&self) -> &str {
        &self.title
    }

    fn svg(&self) -> Result<String> {
        let mut series = Vec::new();
        if let Some((name, points)) = &self.ideal {
            series.push(Series::line(name, points.iter().copied()).as_reference());
        }
        if let Some(fit) = &self.fit {
            let curve = Series::line(&fit.name, fit.curve.iter().copied());
            series.push(curve.with_band(fit.band.iter().copied()).looking_like(0));
        }
        series.push(Series::dots("one round (side by side)", side_by_side(&self.rounds)).looking_like(0));
        series.push(Series::medians("median of the rounds", self.medians.iter().copied()).looking_like(1));
        let mut chart = LineChart::new(&self.title, &self.x, &self.y, series);
        chart.panel.height = 360.0;
        chart.x_from_zero = true;
        chart.x_whole = self.whole;
        chart.svg()
    }
}

/// Rounds of one count lie on each other: moved aside a little in turn, so that each can be seen.
fn side_by_side(rounds: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let most = rounds.iter().map(|round| round.0).fold(0.0, f64::max);
    let aside = [0.0, 1.0, -1.0, 2.0, -2.0].into_iter().cycle();
    rounds
        .iter()
        .zip(aside)
        .map(|((x, y), aside)| (x + aside * most / 160.0, *y))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_of_one_count_stay_near_it_and_keep_their_values() {
        let rounds: Vec<(f64, f64)> = (0..10_u32).map(|round| (4.0, f64::from(round))).collect();
        let moved = side_by_side(&rounds);
        assert_eq!(moved.len(), rounds.len());
        for (before, after) in rounds.iter().zip(&moved) {
            assert!((before.0 - after.0).abs() < 0.1 && (before.1 - after.1).abs() < 1e-12);
        }
        assert!(moved.iter().any(|round| (round.0 - 4.0).abs() > 0.01));
    }
}
