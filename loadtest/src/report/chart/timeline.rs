//! Panels over one axis of time, with marks for what happened.

use anyhow::Result;

use super::Picture;
use super::canvas::{Anchor, Canvas, HEADING, SMALL, WIDTH, text_width};
use super::legend::{Legend, ROW, entries};
use super::look::{INK, Look, Marker};
use super::plot::{NAME, TICKS, axes, label_width, series};
use super::scale::Scale;
use super::series::{Level, Series};

pub(super) const MARGIN: f64 = 14.0;
const TITLE: f64 = 30.0;
const GAP: f64 = 14.0;
const EVENT: Look = Look {
    color: super::look::SOFT,
    dash: &[5.0, 3.0],
    width: 1.2,
    marker: Marker::Cross,
};

/// One plot of a [`Timeline`].
#[derive(Debug, Clone)]
pub struct Panel {
    /// What is drawn upwards, with its unit: `p99 (ms)`.
    pub name: String,
    pub series: Vec<Series>,
    /// Limits and targets.
    pub levels: Vec<Level>,
    /// Of the plot, px.
    pub height: f64,
    /// A value that the axis reaches at least: 100 for percent.
    pub reach: f64,
    /// Only whole numbers get a tick.
    pub whole: bool,
}

impl Panel {
    /// 120 px high, the axis from 0.
    pub fn new(name: impl Into<String>, series: Vec<Series>) -> Self {
        Self {
            name: name.into(),
            series,
            levels: Vec::new(),
            height: 120.0,
            reach: 0.0,
            whole: false,
        }
    }

    pub fn with_level(mut self, name: impl Into<String>, value: f64) -> Self {
        self.levels.push(Level {
            name: name.into(),
            value,
        });
        self
    }

    /// See [`Panel::height`].
    pub fn with_height(mut self, height: f64) -> Self {
        self.height = height;
        self
    }

    /// See [`Panel::reach`].
    pub fn reaching(mut self, value: f64) -> Self {
        self.reach = value;
        self
    }

    /// See [`Panel::whole`].
    pub fn of_whole_numbers(mut self) -> Self {
        self.whole = true;
        self
    }

    pub(super) fn scale(&self) -> Scale {
        let levels = self.levels.iter().map(|level| level.value);
        let values = self
            .series
            .iter()
            .flat_map(Series::ys)
            .chain(levels)
            .chain([self.reach]);
        let room = if self.whole { 21.0 } else { 34.0 };
        let wanted = (self.height / room).clamp(2.0, 8.0);
        let scale = Scale::from_zero(values, wanted, (0.0, 1.0));
        if self.whole { scale.whole() } else { scale }
    }
}

/// Something that happened: an upright line through all panels, named above them.
#[derive(Debug, Clone)]
pub struct Event {
    /// On the axis along the bottom.
    pub at: f64,
    pub label: String,
}

/// Panels over one common axis: a run second by second.
#[derive(Debug, Clone)]
pub struct Timeline {
    pub title: String,
    /// The axis along the bottom, with its unit: `Time (s)`.
    pub x: String,
    pub panels: Vec<Panel>,
    pub events: Vec<Event>,
}

impl Picture for Timeline {
    fn title(&self) -> &str {
        &self.title
    }

    fn svg(&self) -> Result<String> {
        let series_xs = self
            .panels
            .iter()
            .flat_map(|panel| panel.series.iter().flat_map(Series::xs));
        let xs = series_xs.chain(self.events.iter().map(|event| event.at));
        let scales: Vec<Scale> = self.panels.iter().map(Panel::scale).collect();
        let left = MARGIN + scales.iter().map(label_width).fold(0.0, f64::max);
        let right = WIDTH - MARGIN - 14.0;
        draw(
            &self.title,
            &self.x,
            &self.panels,
            &self.events,
            Scale::between(xs, 10.0, (left, right)),
            scales,
        )
    }
}

/// Lays out heading, names of events and panels from top to bottom.
pub(super) fn draw(
    title: &str,
    x_name: &str,
    panels: &[Panel],
    events: &[Event],
    x: Scale,
    scales: Vec<Scale>,
) -> Result<String> {
    let (_, right) = x.pixels();
    let legends: Vec<Legend> = panels
        .iter()
        .map(|panel| {
            Legend::new(
                &panel.name,
                entries(&panel.series, &panel.levels),
                (MARGIN, right),
            )
        })
        .collect();
    let named = name_events(events, &x);
    let names = f64::from(named.iter().map(|(row, ..)| row + 1).max().unwrap_or(0)) * ROW;
    let heights = legends
        .iter()
        .zip(panels)
        .map(|(legend, panel)| legend.height() + 6.0 + panel.height + GAP);
    let height = MARGIN + TITLE + names + heights.sum::<f64>() - GAP + TICKS + NAME + 6.0;
    let mut canvas = Canvas::new(height);
    canvas.bold((MARGIN, MARGIN + 9.0), title, HEADING);
    let names_top = MARGIN + TITLE;
    let mut top = names_top + names;
    let last = panels.len().saturating_sub(1);
    let mut lines = Vec::new();
    for (place, ((panel, legend), mut y)) in panels.iter().zip(&legends).zip(scales).enumerate() {
        legend.draw(&mut canvas, top);
        let plot_top = top + legend.height() + 6.0;
        let bottom = plot_top + panel.height;
        y.set_pixels((bottom, plot_top));
        axes(&mut canvas, &x, &y, (place == last).then_some(x_name));
        series(&mut canvas, &x, &y, &panel.series, &panel.levels);
        lines.push((plot_top, bottom));
        top = bottom + GAP;
    }
    for (row, at, anchor, label) in named {
        let middle = names_top + f64::from(row) * ROW + ROW / 2.0;
        // Through the plots only: between them it would cross the legends.
        for (from, to) in &lines {
            canvas.line(&[(at, *from), (at, *to)], EVENT);
        }
        canvas.path(vec![(at, middle - 7.0), (at, middle + 7.0)], EVENT.color, 2.0);
        let beside = if anchor == Anchor::End { -6.0 } else { 6.0 };
        canvas.text((at + beside, middle), label, SMALL, INK, anchor);
    }
    canvas.finish(title)
}

/// For each event a row in which its name covers no other's, its pixel and its name's side.
fn name_events<'a>(events: &'a [Event], x: &Scale) -> Vec<(u32, f64, Anchor, &'a str)> {
    let (_, right) = x.pixels();
    let mut ordered: Vec<&Event> = events.iter().collect();
    ordered.sort_by(|a, b| a.at.total_cmp(&b.at));
    let mut taken: Vec<Vec<(f64, f64)>> = Vec::new();
    ordered
        .into_iter()
        .map(|event| {
            let at = x.at(event.at);
            let width = text_width(&event.label, SMALL) + 14.0;
            let (anchor, span) = if at + width > right + 14.0 {
                (Anchor::End, (at - width, at + 4.0))
            } else {
                (Anchor::Start, (at - 4.0, at + width))
            };
            let free = |row: &Vec<(f64, f64)>| row.iter().all(|other| other.1 <= span.0 || span.1 <= other.0);
            let row = taken.iter().position(free).unwrap_or_else(|| {
                taken.push(Vec::new());
                taken.len() - 1
            });
            if let Some(spans) = taken.get_mut(row) {
                spans.push(span);
            }
            (
                u32::try_from(row).unwrap_or(u32::MAX),
                at,
                anchor,
                event.label.as_str(),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_events_cover_no_other() {
        let x = Scale::between([0.0, 60.0].into_iter(), 10.0, (60.0, 870.0));
        let event = |at, label: &str| Event {
            at,
            label: label.to_owned(),
        };
        let events = [
            event(20.0, "api-1 killed"),
            event(21.0, "api-1 serving"),
            event(40.0, "redis frozen"),
            event(59.0, "redis resumed again"),
        ];
        let named = name_events(&events, &x);
        let rows: Vec<u32> = named.iter().map(|(row, ..)| *row).collect();
        assert_eq!(rows, [0, 1, 0, 0]);
        assert_eq!(named.last().map(|last| last.2), Some(Anchor::End));
    }
}
