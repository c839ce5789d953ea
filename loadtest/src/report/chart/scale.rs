//! From values to pixels, and which values get a tick.

use crate::report::number;

/// One axis.
#[derive(Debug, Clone)]
pub(super) struct Scale {
    from: f64,
    to: f64,
    logarithmic: bool,
    pixels: (f64, f64),
    /// Values with their labels.
    pub ticks: Vec<(f64, String)>,
}

impl Scale {
    /// An axis from 0 (or the least value, if that is below) to a round number that holds all values.
    pub fn from_zero(values: impl Iterator<Item = f64>, wanted: f64, pixels: (f64, f64)) -> Self {
        let (least, most) = extent(values).unwrap_or((0.0, 1.0));
        let (least, most) = (least.min(0.0), if most > 0.0 { most } else { 1.0 });
        let step = step((most - least) / wanted);
        let from = (least / step).floor() * step;
        let to = (most / step - 1e-6).ceil() * step;
        Self::linear(from, to, step, pixels)
    }

    /// An axis that ends where the values end.
    pub fn between(values: impl Iterator<Item = f64>, wanted: f64, pixels: (f64, f64)) -> Self {
        let (from, to) = extent(values).unwrap_or((0.0, 1.0));
        let to = if to > from { to } else { from + 1.0 };
        Self::linear(from, to, step((to - from) / wanted), pixels)
    }

    fn linear(from: f64, to: f64, step: f64, pixels: (f64, f64)) -> Self {
        let decimals = decimals(step);
        let first = (from / step - 1e-6).ceil();
        let ticks = (0_u32..200)
            .map(|place| (first + f64::from(place)) * step)
            .take_while(|value| *value <= to + step * 1e-6)
            .map(|value| (value, number::fixed(value + 0.0, decimals)))
            .collect();
        Self {
            from,
            to,
            logarithmic: false,
            pixels,
            ticks,
        }
    }

    /// A logarithmic axis over whole powers of ten. Values that are not above 0 lie at its beginning.
    pub fn powers(values: impl Iterator<Item = f64>, pixels: (f64, f64)) -> Self {
        let (least, most) = extent(values.filter(|value| *value > 0.0)).unwrap_or((1.0, 10.0));
        let first = least.log10().floor();
        let last = most.log10().ceil().max(first + 1.0);
        let ticks = (0_u32..24)
            .map(|place| first + f64::from(place))
            .take_while(|power| *power <= last)
            .map(|power| {
                let decimals = if power < 0.0 {
                    decimals(10_f64.powf(power))
                } else {
                    0
                };
                (10_f64.powf(power), number::fixed(10_f64.powf(power), decimals))
            })
            .collect();
        Self {
            from: 10_f64.powf(first),
            to: 10_f64.powf(last),
            logarithmic: true,
            pixels,
            ticks,
        }
    }

    /// Only whole numbers get a tick: there is no half a replica.
    pub fn whole(mut self) -> Self {
        self.ticks
            .retain(|(value, _)| (value - value.round()).abs() < 1e-6);
        for (value, label) in &mut self.ticks {
            *label = number::fixed(value.round(), 0);
        }
        self
    }

    /// Where a value lies; values beyond the ends lie at them.
    pub fn at(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value.max(self.from) / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        };
        self.pixels.0 + share.clamp(0.0, 1.0) * (self.pixels.1 - self.pixels.0)
    }

    /// Pixels at both ends.
    pub fn pixels(&self) -> (f64, f64) {
        self.pixels
    }

    pub fn set_pixels(&mut self, pixels: (f64, f64)) {
        self.pixels = pixels;
    }
}

fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values
        .filter(|value| value.is_finite())
        .fold(None, |extent, value| match extent {
            None => Some((value, value)),
            Some((least, most)) => Some((value.min(least), value.max(most))),
        })
}

/// The next of 1, 2, 2.5, 5 times a power of ten.
fn step(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(1e-12).log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0]
        .into_iter()
        .find(|factor| factor * power >= least * 0.999);
    factor.unwrap_or(10.0) * power
}

fn decimals(step: f64) -> usize {
    (0..12_u8)
        .find(|places| {
            let shifted = step * 10_f64.powi(i32::from(*places));
            (shifted - shifted.round()).abs() < 1e-6 * shifted.max(1.0) && shifted >= 0.999
        })
        .map_or(0, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale) -> Vec<&str> {
        scale.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn axes_begin_at_zero_and_end_round() {
        let scale = Scale::from_zero([730.0, 1_130.0].into_iter(), 5.0, (0.0, 100.0));
        assert_eq!(labels(&scale), ["0", "250", "500", "750", "1,000", "1,250"]);
        assert!((scale.at(625.0) - 50.0).abs() < 1e-9);
        let small = Scale::from_zero([0.37].into_iter(), 4.0, (100.0, 0.0));
        assert_eq!(labels(&small), ["0.0", "0.1", "0.2", "0.3", "0.4"]);
        assert!((small.at(0.4) - 0.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_and_zero_have_an_axis_too() {
        for values in [vec![], vec![0.0, 0.0], vec![f64::NAN]] {
            let scale = Scale::from_zero(values.into_iter(), 4.0, (0.0, 1.0));
            assert_eq!(labels(&scale).first(), Some(&"0.00"), "{scale:?}");
            assert!(scale.at(0.0).abs() < 1e-9);
        }
    }

    #[test]
    fn whole_axes_have_no_halves() {
        let scale = Scale::from_zero([2.0].into_iter(), 4.0, (0.0, 1.0)).whole();
        assert_eq!(labels(&scale), ["0", "1", "2"]);
    }

    #[test]
    fn powers_of_ten_are_as_far_apart() {
        let scale = Scale::powers([0.4, 730.0, 0.0].into_iter(), (0.0, 400.0));
        assert_eq!(labels(&scale), ["0.1", "1", "10", "100", "1,000"]);
        assert!((scale.at(1.0) - 100.0).abs() < 1e-9);
        assert!((scale.at(100.0) - 300.0).abs() < 1e-9);
        assert!(scale.at(0.0).abs() < 1e-9);
    }
}
