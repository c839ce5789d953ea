//! The heading of a panel: its axis' name, then what each line, mark and shade is.

use super::canvas::{Anchor, Canvas, SMALL, TEXT, text_width};
use super::look::{INK, Look};
use super::series::{Kind, Level, Series};

/// Height of one row, px.
pub(super) const ROW: f64 = 20.0;
const GAP: f64 = 18.0;

/// How an entry's key is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    Line(Look),
    Dot(Look, f64),
    Shade(Look),
    /// A bar's filling: the place of its series.
    Filling(usize),
    /// A short upright line.
    Upright(Look),
    /// An interval.
    Whisker,
}

/// A key with its name.
pub(super) type Entry = (Key, String);

/// A legend laid out between two edges.
pub(super) struct Legend {
    heading: String,
    left: f64,
    /// x, row, entry.
    entries: Vec<(f64, f64, Entry)>,
    rows: f64,
}

impl Key {
    /// px.
    fn width(self) -> f64 {
        match self {
            Self::Dot(..) | Self::Upright(_) => 14.0,
            _ => 30.0,
        }
    }
}

impl Legend {
    /// `heading` begins the first row; entries that do not fit go on below.
    pub fn new(heading: &str, entries: Vec<Entry>, (left, right): (f64, f64)) -> Self {
        let mut x = left;
        let mut row = 0.0;
        if !heading.is_empty() {
            x += text_width(heading, TEXT) * 1.06 + GAP;
        }
        // Without anything to say it takes no room.
        let rows = if heading.is_empty() && entries.is_empty() {
            0.0
        } else {
            1.0
        };
        let mut placed = Vec::with_capacity(entries.len());
        for entry in entries {
            let width = entry.0.width() + 6.0 + text_width(&entry.1, SMALL);
            if x + width > right && x > left {
                x = left;
                row += 1.0;
            }
            placed.push((x, row, entry));
            x += width + GAP;
        }
        Self {
            heading: heading.to_owned(),
            left,
            entries: placed,
            rows: row + rows,
        }
    }

    /// px.
    pub fn height(&self) -> f64 {
        self.rows * ROW
    }

    pub fn draw(&self, canvas: &mut Canvas, top: f64) {
        let middle = top + ROW / 2.0;
        canvas.bold((self.left, middle), &self.heading, TEXT);
        for (x, row, (key, name)) in &self.entries {
            let y = middle + row * ROW;
            draw_key(canvas, *key, *x, y);
            canvas.text((x + key.width() + 6.0, y), name, SMALL, INK, Anchor::Start);
        }
    }
}

fn draw_key(canvas: &mut Canvas, key: Key, x: f64, y: f64) {
    let end = x + key.width();
    let middle = (f64::midpoint(x, end), y);
    match key {
        Key::Line(look) => canvas.line(&[(x, y), (end, y)], look),
        Key::Dot(look, radius) => canvas.marker(middle, look, radius),
        Key::Shade(look) => canvas.rectangle((x + 2.0, y - 6.0), (end, y + 6.0), look.color, SHADE),
        Key::Filling(place) => super::bars::fill(canvas, place, (x + 4.0, y - 6.0), (end, y + 6.0)),
        Key::Upright(look) => canvas.path(vec![(middle.0, y - 8.0), (middle.0, y + 8.0)], look.color, 3.0),
        Key::Whisker => super::bars::whisker(canvas, x + 4.0, end - 2.0, y),
    }
}

/// How dense a band's shade is.
pub(super) const SHADE: f64 = 0.18;
pub(super) const DOT: f64 = 2.6;
pub(super) const MEDIAN: f64 = 6.0;

/// Entries for series, their bands and levels. Names that are empty get none.
pub(super) fn entries(series: &[Series], levels: &[Level]) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (place, one) in series.iter().enumerate() {
        let look = one.look(place);
        let key = match one.kind {
            Kind::Line | Kind::Steps => Key::Line(look),
            Kind::Dots => Key::Dot(look, DOT),
            Kind::Medians => Key::Dot(look, MEDIAN),
        };
        if !one.name.is_empty() {
            entries.push((key, one.name.clone()));
        }
        if !one.band.is_empty() {
            entries.push((Key::Shade(look), "95 % interval".to_owned()));
        }
    }
    for level in levels {
        entries.push((Key::Line(Level::LOOK), level.name.clone()));
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_do_not_fit_go_on_below() {
        let entry = |name: &str| (Key::Line(Level::LOOK), name.to_owned());
        let entries = vec![
            entry("a rather long name"),
            entry("another long name"),
            entry("c"),
        ];
        let wide = Legend::new("p99 (ms)", entries.clone(), (50.0, 880.0));
        assert!((wide.height() - ROW).abs() < 1e-9);
        let narrow = Legend::new("p99 (ms)", entries, (50.0, 300.0));
        assert!(narrow.height() > ROW);
        for pair in narrow.entries.windows(2) {
            let [(x, row, (_, name)), (next, below, _)] = pair else {
                continue;
            };
            assert!(below > row || next - x > text_width(name, SMALL), "{name}");
        }
    }
}
