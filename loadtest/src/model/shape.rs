//! The load over time: factors at points in time, their text form, and the area below the line.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, Result, bail, ensure};

use crate::load::Shape;

impl Shape {
    /// Says what is wrong with a shape, if anything is. What is read from text is checked already.
    pub fn check(&self) -> Result<()> {
        ensure!(!self.0.is_empty(), "a shape needs at least one point, as in 0:1");
        for &(at, factor) in &self.0 {
            ensure!(
                at.is_finite() && at >= 0.0,
                "time {at} of a shape: seconds from 0 on are wanted"
            );
            ensure!(
                factor.is_finite() && factor >= 0.0,
                "factor {factor} at {at} s: 0 or above is wanted"
            );
        }
        for pair in self.0.windows(2) {
            ensure!(
                pair[0].0 <= pair[1].0,
                "times of a shape must ascend: {} after {}",
                pair[1].0,
                pair[0].0
            );
        }
        for three in self.0.windows(3) {
            ensure!(
                three[0].0 < three[2].0,
                "more than two points of a shape at {} s",
                three[0].0
            );
        }
        ensure!(
            self.0.iter().any(|&(_, factor)| factor > 0.0),
            "a shape needs one factor above 0"
        );
        Ok(())
    }

    /// The factor `at` seconds. Before the first point it is the first one's, at a step the later one's.
    pub fn value(&self, at: f64) -> f64 {
        let after = self.0.partition_point(|&(time, _)| time <= at);
        let (left, right) = (
            after.checked_sub(1).and_then(|it| self.0.get(it)),
            self.0.get(after),
        );
        match (left, right) {
            (Some(&(from, low)), Some(&(to, high))) => low + (high - low) * (at - from) / (to - from),
            (Some(&(_, factor)), None) | (None, Some(&(_, factor))) => factor,
            (None, None) => 0.0,
        }
    }

    /// The largest factor.
    pub fn peak(&self) -> f64 {
        self.0.iter().map(|&(_, factor)| factor).fold(0.0, f64::max)
    }
}

/// `0:0.2,60:1,120:1,120:3,150:1`: seconds and factor of each point.
impl FromStr for Shape {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut points = Vec::new();
        for point in text.split(',') {
            let Some((at, factor)) = point.split_once(':') else {
                bail!("{point:?} of a shape: SECONDS:FACTOR is wanted, as in 60:1.5");
            };
            let number = |what: &str, text: &str| {
                text.trim()
                    .parse::<f64>()
                    .with_context(|| format!("{what} {text:?} in {point:?} of a shape"))
            };
            points.push((number("seconds", at)?, number("factor", factor)?));
        }
        let shape = Self(points);
        shape.check()?;
        Ok(shape)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (at, factor)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{at}:{factor}")?;
        }
        Ok(())
    }
}

/// The area below a shape's line from 0 on, in seconds at factor 1, both ways.
#[derive(Debug, Clone)]
pub struct Cumulated(Vec<Piece>);

/// A straight piece.
#[derive(Debug, Clone, Copy)]
struct Piece {
    from: f64,
    factor: f64,
    /// Change of the factor in a second.
    slope: f64,
    /// Areas before and up to its end; no end for the last.
    before: f64,
    end: f64,
}

impl Cumulated {
    pub fn new(shape: &Shape) -> Self {
        let mut pieces = Vec::with_capacity(shape.0.len() + 1);
        let mut area = 0.0;
        let last = shape.0.last().copied().unwrap_or((0.0, 0.0));
        let ends = std::iter::once((0.0, shape.value(0.0))).chain(shape.0.iter().copied());
        for ((from, factor), (to, next)) in ends.zip(shape.0.iter().copied()) {
            if to > from {
                let end = area + (to - from) * f64::midpoint(factor, next);
                pieces.push(Piece {
                    from,
                    factor,
                    slope: (next - factor) / (to - from),
                    before: area,
                    end,
                });
                area = end;
            }
        }
        let end = if last.1 > 0.0 { f64::INFINITY } else { area };
        pieces.push(Piece {
            from: last.0,
            factor: last.1,
            slope: 0.0,
            before: area,
            end,
        });
        Self(pieces)
    }

    /// The area up to `at` seconds.
    pub fn until(&self, at: f64) -> f64 {
        let after = self.0.partition_point(|piece| piece.from <= at).max(1);
        self.0.get(after - 1).map_or(0.0, |piece| {
            let inside = (at - piece.from).max(0.0);
            piece.before + inside * (piece.factor + piece.slope * inside / 2.0)
        })
    }

    /// After how many seconds the area passes `area`; none if it never does.
    pub fn when(&self, area: f64) -> Option<f64> {
        let piece = self.0.get(self.0.partition_point(|piece| piece.end <= area))?;
        let inside = (area - piece.before).max(0.0);
        if inside == 0.0 {
            return Some(piece.from);
        }
        // The root of factor x + slope x^2 / 2 = inside in the form that loses no digits for a small slope.
        let root = (piece.factor * piece.factor + 2.0 * piece.slope * inside)
            .max(0.0)
            .sqrt();
        Some(piece.from + 2.0 * inside / (piece.factor + root))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]
    #![expect(clippy::float_cmp, reason = "values that are exact")]

    use super::*;

    const STEPS: &str = "0:0.2,60:1,120:1,120:3,150:1";

    #[test]
    fn values_between_at_and_after_points() {
        let shape: Shape = STEPS.parse().unwrap();
        for (at, wanted) in [
            (-5.0, 0.2),
            (0.0, 0.2),
            (30.0, 0.6),
            (60.0, 1.0),
            (119.0, 1.0),
            (120.0, 3.0),
            (135.0, 2.0),
            (900.0, 1.0),
        ] {
            assert!(
                (shape.value(at) - wanted).abs() < 1e-12,
                "{at}: {}",
                shape.value(at)
            );
        }
        assert_eq!(shape.peak(), 3.0);
        assert_eq!(Shape::default().value(17.0), 1.0);
    }

    #[test]
    fn text_there_and_back() {
        let shape: Shape = STEPS.parse().unwrap();
        assert_eq!(shape.to_string(), STEPS);
        assert_eq!(
            " 0:1 , 5: 2 ".parse::<Shape>().unwrap(),
            Shape(vec![(0.0, 1.0), (5.0, 2.0)])
        );
        assert_eq!(Shape::default().to_string(), "0:1");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, wanted) in [
            ("", "SECONDS:FACTOR"),
            ("5", "SECONDS:FACTOR"),
            ("0:1,x:2", "seconds \"x\""),
            ("0:y", "factor \"y\""),
            ("0:1,5:-1", "factor -1 at 5 s"),
            ("0:inf", "factor inf"),
            ("0:NaN", "factor NaN"),
            ("-1:1", "time -1"),
            ("0:1,10:1,5:1", "must ascend: 5 after 10"),
            ("0:1,5:1,5:2,5:3", "more than two points"),
            ("0:0,5:0", "above 0"),
        ] {
            let error = format!("{:#}", text.parse::<Shape>().unwrap_err());
            assert!(error.contains(wanted), "{text:?}: {error}");
        }
        assert!(Shape(Vec::new()).check().is_err());
    }

    #[test]
    fn areas_and_back() {
        let shape: Shape = STEPS.parse().unwrap();
        let cumulated = Cumulated::new(&shape);
        for (at, area) in [
            (0.0, 0.0),
            (30.0, 12.0),
            (60.0, 36.0),
            (120.0, 96.0),
            (150.0, 156.0),
            (250.0, 256.0),
        ] {
            assert!(
                (cumulated.until(at) - area).abs() < 1e-9,
                "{at}: {}",
                cumulated.until(at)
            );
            assert!(
                (cumulated.when(area).unwrap() - at).abs() < 1e-9,
                "{area}: {:?}",
                cumulated.when(area)
            );
        }
        for step in 0..2_000 {
            let at = f64::from(step) / 10.0;
            assert!(
                (cumulated.when(cumulated.until(at)).unwrap() - at).abs() < 1e-6,
                "{at}"
            );
        }
    }

    #[test]
    fn nothing_comes_while_the_factor_is_0_and_after_it_stays_so() {
        let cumulated = Cumulated::new(&"0:1,10:1,10:0,20:0,20:1,30:0".parse().unwrap());
        assert!(cumulated.when(9.999).unwrap() < 10.0);
        assert!(cumulated.when(10.001).unwrap() > 20.0);
        assert!(cumulated.when(14.999).unwrap() <= 30.0);
        assert_eq!(cumulated.when(15.0), None);
        let late = Cumulated::new(&"5:2".parse().unwrap());
        assert_eq!((late.until(5.0), late.when(10.0)), (10.0, Some(5.0)));
        let rising = Cumulated::new(&"0:0,10:1".parse().unwrap());
        assert_eq!((rising.when(0.0), rising.when(5.0)), (Some(0.0), Some(10.0)));
    }
}
