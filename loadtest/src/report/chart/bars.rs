//! Bars that lie: things compared by one number each, with their names beside them.

use anyhow::Result;

use super::Picture;
use super::canvas::{Anchor, Canvas, HEADING, Point, SMALL, TEXT, WIDTH, text_width};
use super::legend::{Key, Legend};
use super::look::{BOUND, GRID, INK, SOFT, look};
use super::plot::{NAME, TICKS};
use super::scale::Scale;
use crate::report::number;

const MARGIN: f64 = 14.0;
const BAR: f64 = 18.0;
const GAP: f64 = 14.0;
const TOP: f64 = 34.0;

/// One bar.
#[derive(Debug, Clone, Copy)]
pub struct Bar {
    pub value: f64,
    /// Bounds of its interval, drawn as a whisker.
    pub interval: Option<(f64, f64)>,
}

impl From<f64> for Bar {
    fn from(value: f64) -> Self {
        Self {
            value,
            interval: None,
        }
    }
}

/// Bars that belong together, one for each series; none where nothing was measured.
#[derive(Debug, Clone)]
pub struct Group {
    pub name: String,
    pub bars: Vec<Option<Bar>>,
    /// Drawn across the group, and said beside the first bar.
    pub target: Option<f64>,
}

impl Group {
    pub fn new(name: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        let bars = values.into_iter().map(|value| Some(value.into())).collect();
        Self {
            name: name.into(),
            bars,
            target: None,
        }
    }

    fn has_intervals(&self) -> bool {
        self.bars.iter().flatten().any(|bar| bar.interval.is_some())
    }
}

/// A bar chart, from 0.
#[derive(Debug, Clone)]
pub struct Bars {
    pub title: String,
    /// What is measured, with its unit.
    pub axis: String,
    /// Names of the bars in a group; with one, there is no legend for it.
    pub series: Vec<String>,
    pub groups: Vec<Group>,
}

impl Bars {
    fn says(bar: Bar, target: Option<f64>) -> String {
        let value = number::quantity(bar.value);
        match target {
            Some(target) => format!("{value} (target {})", number::plain(target)),
            None => value,
        }
    }

    /// What the bars' texts need beyond the last bar, px.
    fn text_room(&self) -> f64 {
        let bars = self.groups.iter().flat_map(|group| {
            group
                .bars
                .iter()
                .flatten()
                .map(|bar| text_width(&Self::says(*bar, group.target), SMALL))
        });
        bars.fold(0.0, f64::max) + 14.0
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        self.groups.iter().flat_map(|group| {
            let bars = group.bars.iter().flatten();
            let ends = bars.flat_map(|bar| [Some(bar.value), bar.interval.map(|(_, high)| high)]);
            ends.chain([group.target]).flatten()
        })
    }

    fn legend(&self, right: f64) -> Legend {
        let mut entries = Vec::new();
        if self.series.len() > 1 {
            entries.extend(
                self.series
                    .iter()
                    .cloned()
                    .enumerate()
                    .map(|(place, name)| (Key::Filling(place), name)),
            );
        }
        if self.groups.iter().any(|group| group.target.is_some()) {
            entries.push((Key::Upright(BOUND), "target".to_owned()));
        }
        if self.groups.iter().any(Group::has_intervals) {
            entries.push((Key::Whisker, "95 % interval".to_owned()));
        }
        Legend::new("", entries, (MARGIN, right))
    }
}

impl Picture for Bars {
    fn title(&self) -> &str {
        &self.title
    }

    fn svg(&self) -> Result<String> {
        let names = self.groups.iter().map(|group| text_width(&group.name, TEXT));
        let left = (MARGIN + names.fold(40.0, f64::max) + 12.0).min(WIDTH / 2.0);
        let right = WIDTH - MARGIN - self.text_room();
        let x = Scale::from_zero(self.values(), 6.0, (left, right));
        let legend = self.legend(WIDTH - MARGIN);
        let top = MARGIN + TOP + legend.height();
        let heights = self
            .groups
            .iter()
            .map(|group| BAR * count(group.bars.len()) + GAP);
        let bottom = top + heights.sum::<f64>();
        let mut canvas = Canvas::new(bottom + TICKS + NAME + 6.0);
        canvas.bold((MARGIN, MARGIN + 9.0), &self.title, HEADING);
        legend.draw(&mut canvas, MARGIN + TOP - 6.0);
        grid(&mut canvas, &x, (top, bottom), &self.axis);
        // Targets and whiskers may lie where a bar's number would: then numbers stand in a column beyond the axis.
        let marked = self
            .groups
            .iter()
            .any(|group| group.target.is_some() || group.has_intervals());
        let values_at = marked.then_some(right + 12.0);
        let mut y = top + GAP / 2.0;
        for group in &self.groups {
            let height = BAR * count(group.bars.len());
            canvas.text(
                (left - 10.0, y + height / 2.0),
                &group.name,
                TEXT,
                INK,
                Anchor::End,
            );
            draw_group(&mut canvas, &x, group, y, values_at);
            y += height + GAP;
        }
        canvas.path(vec![(left, top), (left, bottom)], SOFT, 1.2);
        canvas.finish(&self.title)
    }
}

fn draw_group(canvas: &mut Canvas, x: &Scale, group: &Group, top: f64, values_at: Option<f64>) {
    let left = x.pixels().0;
    let height = BAR * count(group.bars.len());
    for (place, bar) in group.bars.iter().enumerate() {
        let upper = top + BAR * count(place) + 1.0;
        let middle = upper + BAR / 2.0 - 1.0;
        let Some(bar) = bar else {
            canvas.text((left + 8.0, middle), "-", SMALL, SOFT, Anchor::Start);
            continue;
        };
        let end = x.at(bar.value);
        fill(canvas, place, (left, upper), (end, upper + BAR - 2.0));
        if let Some((low, high)) = bar.interval {
            whisker(canvas, x.at(low), x.at(high), middle);
        }
        let said = Bars::says(*bar, group.target.filter(|_| place == 0));
        let at = values_at.unwrap_or(end + 7.0);
        canvas.text((at, middle), &said, SMALL, INK, Anchor::Start);
    }
    if let Some(target) = group.target {
        let at = x.at(target);
        canvas.path(vec![(at, top - 4.0), (at, top + height + 4.0)], BOUND.color, 3.0);
    }
}

/// An interval's line with its ends.
pub(super) fn whisker(canvas: &mut Canvas, low: f64, high: f64, y: f64) {
    canvas.path(vec![(low, y), (high, y)], INK, 1.6);
    for end in [low, high] {
        canvas.path(vec![(end, y - 4.0), (end, y + 4.0)], INK, 1.6);
    }
}

/// Upright lines, ticks and the axis' name below.
pub(super) fn grid(canvas: &mut Canvas, x: &Scale, (top, bottom): (f64, f64), name: &str) {
    let (left, right) = x.pixels();
    for (value, label) in &x.ticks {
        let at = x.at(*value);
        canvas.path(vec![(at, top), (at, bottom)], GRID, 1.0);
        canvas.text((at, bottom + 14.0), label, SMALL, INK, Anchor::Middle);
    }
    let at = (f64::midpoint(left, right), bottom + TICKS + 11.0);
    canvas.text(at, name, TEXT, INK, Anchor::Middle);
}

/// A bar's filling: whole, hatched, empty, hatched the other way; told apart without colour.
pub(super) fn fill(canvas: &mut Canvas, place: usize, from: Point, to: Point) {
    let color = look(place).color;
    let alpha = match place % 4 {
        0 => 1.0,
        2 => 0.08,
        _ => 0.3,
    };
    canvas.rectangle(from, to, color, alpha);
    if to.0 - from.0 > 2.0 && !place.is_multiple_of(4) {
        if place % 2 == 1 {
            hatch(canvas, from, to, place % 4 == 3, color);
        }
        canvas.path(vec![from, (to.0, from.1), to, (from.0, to.1), from], color, 1.2);
    }
}

fn hatch(canvas: &mut Canvas, from: Point, to: Point, falling: bool, color: plotters::style::RGBColor) {
    let height = to.1 - from.1;
    let mut x = from.0 - height + 3.0;
    while x < to.0 {
        let (begin, end) = (x.max(from.0), (x + height).min(to.0));
        if end > begin {
            let (low, high) = (begin - x, end - x);
            let line = if falling {
                vec![(begin, from.1 + low), (end, from.1 + high)]
            } else {
                vec![(begin, to.1 - low), (end, to.1 - high)]
            };
            canvas.path(line, color, 1.0);
        }
        x += 7.0;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number of bars")]
fn count(bars: usize) -> f64 {
    bars as f64
}
