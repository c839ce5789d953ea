//! Several marks a row on a logarithmic axis: percentiles of things that differ by orders of magnitude, each with its limit.

use anyhow::Result;

use super::Picture;
use super::bars::grid;
use super::canvas::{Anchor, Canvas, HEADING, TEXT, WIDTH, text_width};
use super::legend::{Key, Legend};
use super::look::{BOUND, INK, SOFT, look};
use super::plot::{NAME, TICKS};
use super::scale::Scale;

const MARGIN: f64 = 14.0;
const ROW: f64 = 24.0;
const TOP: f64 = 34.0;
const MARK: f64 = 4.6;

/// One thing's marks.
#[derive(Debug, Clone)]
pub struct Row {
    pub name: String,
    /// In the order of [`Ranges::series`]; none where it is not known.
    pub values: Vec<Option<f64>>,
    pub limit: Option<f64>,
}

/// A row for each thing.
#[derive(Debug, Clone)]
pub struct Ranges {
    pub title: String,
    /// What is measured, with its unit.
    pub axis: String,
    /// Names of the marks.
    pub series: Vec<String>,
    /// The limits' name.
    pub limit: String,
    pub rows: Vec<Row>,
}

impl Ranges {
    fn values(&self) -> impl Iterator<Item = f64> {
        self.rows
            .iter()
            .flat_map(|row| row.values.iter().copied().chain([row.limit]).flatten())
    }

    fn legend(&self) -> Legend {
        let marks = self.series.iter().cloned().enumerate();
        let mut entries: Vec<_> = marks
            .map(|(place, name)| (Key::Dot(look(place), MARK), name))
            .collect();
        if self.rows.iter().any(|row| row.limit.is_some()) {
            entries.push((Key::Upright(BOUND), self.limit.clone()));
        }
        Legend::new("", entries, (MARGIN, WIDTH - MARGIN))
    }
}

impl Picture for Ranges {
    fn title(&self) -> &str {
        &self.title
    }

    fn svg(&self) -> Result<String> {
        let names = self.rows.iter().map(|row| text_width(&row.name, TEXT));
        let left = (MARGIN + names.fold(40.0, f64::max) + 12.0).min(WIDTH / 2.0);
        let x = Scale::powers(self.values(), (left, WIDTH - MARGIN - 26.0));
        let legend = self.legend();
        let top = MARGIN + TOP + legend.height();
        let bottom = self.rows.iter().fold(top, |bottom, _| bottom + ROW);
        let mut canvas = Canvas::new(bottom + TICKS + NAME + 6.0);
        canvas.bold((MARGIN, MARGIN + 9.0), &self.title, HEADING);
        legend.draw(&mut canvas, MARGIN + TOP - 6.0);
        grid(&mut canvas, &x, (top, bottom), &self.axis);
        let mut y = top + ROW / 2.0;
        for row in &self.rows {
            canvas.text((left - 10.0, y), &row.name, TEXT, INK, Anchor::End);
            draw_row(&mut canvas, &x, row, y);
            y += ROW;
        }
        canvas.path(vec![(left, top), (left, bottom)], SOFT, 1.2);
        canvas.finish(&self.title)
    }
}

fn draw_row(canvas: &mut Canvas, x: &Scale, row: &Row, y: f64) {
    let known = || row.values.iter().flatten().map(|value| x.at(*value));
    let (least, most) = (known().fold(f64::INFINITY, f64::min), known().fold(0.0, f64::max));
    if least < most {
        canvas.path(vec![(least, y), (most, y)], SOFT, 1.4);
    }
    if let Some(limit) = row.limit {
        let at = x.at(limit);
        canvas.path(vec![(at, y - 9.0), (at, y + 9.0)], BOUND.color, 3.0);
    }
    for (place, value) in row.values.iter().enumerate() {
        if let Some(value) = value {
            canvas.marker((x.at(*value), y), look(place), MARK);
        }
    }
}
