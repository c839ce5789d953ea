//! Broken lines: plotters' SVG knows only whole ones.

use super::canvas::Point;
use super::look::Dash;

/// The pieces of a line that are drawn.
pub(super) fn dashed(points: &[Point], dash: Dash) -> Vec<Vec<Point>> {
    if dash.is_empty() || points.len() < 2 {
        return vec![points.to_vec()];
    }
    let mut pieces = Vec::new();
    let mut turns = dash.iter().copied().cycle();
    let mut left = turns.next().unwrap_or(1.0).max(0.5);
    let mut drawing = true;
    let mut piece = vec![points.first().copied().unwrap_or_default()];
    for pair in points.windows(2) {
        let &[from, to] = pair else { continue };
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let share = done / length;
            let at = (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1));
            if drawing {
                piece.push(at);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![at];
            }
            drawing = !drawing;
            left = turns.next().unwrap_or(1.0).max(0.5);
        }
        left -= length - done;
        if drawing {
            piece.push(to);
        }
    }
    if drawing {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_follow_a_line_around_its_corners() {
        let pieces = dashed(&[(0.0, 0.0), (6.0, 0.0), (6.0, 14.0)], &[8.0, 4.0]);
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[0], [(0.0, 0.0), (6.0, 0.0), (6.0, 2.0)]);
        assert_eq!(pieces[1], [(6.0, 6.0), (6.0, 14.0)]);
    }
}
