//! Axes, grid and series within one rectangle.

use super::canvas::{Anchor, Canvas, Point, SMALL, TEXT, text_width};
use super::legend::{DOT, MEDIAN, SHADE};
use super::look::{GRID, INK, Look, SOFT};
use super::scale::Scale;
use super::series::{Kind, Level, Series};

/// Room below a plot for its ticks' labels, px.
pub(super) const TICKS: f64 = 22.0;
/// And for the axis' name.
pub(super) const NAME: f64 = 20.0;

/// Room that the labels of an upright axis need, px.
pub(super) fn label_width(scale: &Scale) -> f64 {
    let widths = scale.ticks.iter().map(|(_, label)| text_width(label, SMALL));
    widths.fold(20.0, f64::max) + 12.0
}

/// Grid, ticks and labels. Without a name, the axis along the bottom has no labels either.
pub(super) fn axes(canvas: &mut Canvas, x: &Scale, y: &Scale, x_name: Option<&str>) {
    let (left, right) = x.pixels();
    let (bottom, top) = y.pixels();
    for (value, label) in &y.ticks {
        let height = y.at(*value);
        canvas.path(vec![(left, height), (right, height)], GRID, 1.0);
        canvas.text((left - 8.0, height), label, SMALL, INK, Anchor::End);
    }
    for (value, label) in &x.ticks {
        let at = x.at(*value);
        canvas.path(vec![(at, top), (at, bottom)], GRID, 1.0);
        if x_name.is_some() {
            canvas.path(vec![(at, bottom), (at, bottom + 5.0)], SOFT, 1.0);
            canvas.text((at, bottom + 14.0), label, SMALL, INK, Anchor::Middle);
        }
    }
    canvas.path(vec![(left, top), (left, bottom), (right, bottom)], SOFT, 1.2);
    if let Some(name) = x_name {
        let at = (f64::midpoint(left, right), bottom + TICKS + 11.0);
        canvas.text(at, name, TEXT, INK, Anchor::Middle);
    }
}

/// Bands below all lines, levels above, then lines, marks on top.
pub(super) fn series(canvas: &mut Canvas, x: &Scale, y: &Scale, all: &[Series], levels: &[Level]) {
    for (place, one) in all.iter().enumerate() {
        if one.band.len() > 1 {
            let upper = one.band.iter().map(|(at, _, high)| (x.at(*at), y.at(*high)));
            let lower = one.band.iter().rev().map(|(at, low, _)| (x.at(*at), y.at(*low)));
            canvas.area(upper.chain(lower).collect(), one.look(place).color, SHADE);
        }
    }
    for level in levels {
        let height = y.at(level.value);
        let (left, right) = x.pixels();
        canvas.line(&[(left, height), (right, height)], Level::LOOK);
    }
    for (place, one) in all.iter().enumerate() {
        let look = one.look(place);
        for run in runs(&one.points) {
            let run: Vec<Point> = run.iter().map(|(at, value)| (x.at(*at), y.at(*value))).collect();
            one_run(canvas, &run, one.kind, look);
        }
    }
}

fn one_run(canvas: &mut Canvas, run: &[Point], kind: Kind, look: Look) {
    match (kind, run) {
        (Kind::Dots, _) => run.iter().for_each(|at| canvas.marker(*at, look, DOT)),
        (Kind::Medians, _) => run.iter().for_each(|at| canvas.marker(*at, look, MEDIAN)),
        // A line through one point is none: seen only as a dot.
        (_, [alone]) => canvas.marker(*alone, look, DOT),
        (Kind::Line, _) => canvas.line(run, look),
        (Kind::Steps, _) => canvas.line(&steps(run), look),
    }
}

fn steps(run: &[Point]) -> Vec<Point> {
    let mut path: Vec<Point> = run.first().copied().into_iter().collect();
    for pair in run.windows(2) {
        if let [from, to] = pair {
            path.extend([(to.0, from.1), *to]);
        }
    }
    path
}

/// The points between gaps.
fn runs(points: &[Point]) -> impl Iterator<Item = &[Point]> {
    points
        .split(|(x, y)| !(x.is_finite() && y.is_finite()))
        .filter(|run| !run.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_break_a_line() {
        let points = [(0.0, 1.0), (1.0, 2.0), (2.0, f64::NAN), (3.0, 1.0)];
        let runs: Vec<_> = runs(&points).map(<[Point]>::len).collect();
        assert_eq!(runs, [2, 1]);
    }

    #[test]
    fn steps_hold_until_the_next() {
        let path = steps(&[(0.0, 1.0), (5.0, 3.0), (7.0, 3.0)]);
        assert_eq!(path, [(0.0, 1.0), (5.0, 1.0), (5.0, 3.0), (7.0, 3.0), (7.0, 3.0)]);
    }
}
