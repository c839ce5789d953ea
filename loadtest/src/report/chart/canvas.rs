//! Shapes in pixels, collected and then drawn by plotters into an SVG.

use anyhow::{Context, Result};
use plotters::coord::Shift;
use plotters::prelude::{
    Circle, Color, DrawingArea, FontStyle, IntoDrawingArea, IntoFont, PathElement, Polygon, RGBColor,
    SVGBackend, ShapeStyle, Text, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::dash::dashed;
use super::look::{INK, Look, Marker};
use crate::report::page::escape;

/// All pictures are as wide, px: a column of the page, and the paper.
pub(super) const WIDTH: f64 = 900.0;
/// plotters rounds to whole units, so pictures are drawn larger than they are shown.
const UNITS: f64 = 4.0;
/// plotters divides a font's size by this when it writes SVG.
const FONT_FACTOR: f64 = 1.24;

pub(super) const TEXT: f64 = 13.0;
pub(super) const SMALL: f64 = 12.0;
pub(super) const HEADING: f64 = 16.0;

pub(super) type Point = (f64, f64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

enum Shape {
    Path {
        points: Vec<Point>,
        color: RGBColor,
        width: f64,
    },
    Area {
        points: Vec<Point>,
        color: RGBColor,
        alpha: f64,
    },
    Disc {
        center: Point,
        radius: f64,
        color: RGBColor,
    },
    Text {
        at: Point,
        text: String,
        size: f64,
        bold: bool,
        color: RGBColor,
        anchor: Anchor,
    },
}

/// Shapes in the order in which they cover each other.
pub(super) struct Canvas {
    height: f64,
    shapes: Vec<Shape>,
}

/// How wide a text is at most, px. There is no font to ask: viewers choose one, so this is the widest usual sans-serif.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    let em: f64 = text
        .chars()
        .map(|character| match character {
            'i' | 'j' | 'l' | '.' | ',' | ':' | ' ' | '|' | '\'' | '(' | ')' => 0.38,
            'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.98,
            'A'..='Z' => 0.73,
            _ => 0.635,
        })
        .sum();
    em * size
}

impl Canvas {
    pub fn new(height: f64) -> Self {
        Self {
            height,
            shapes: Vec::new(),
        }
    }

    pub fn path(&mut self, points: Vec<Point>, color: RGBColor, width: f64) {
        if points.len() > 1 {
            self.shapes.push(Shape::Path { points, color, width });
        }
    }

    pub fn area(&mut self, points: Vec<Point>, color: RGBColor, alpha: f64) {
        self.shapes.push(Shape::Area { points, color, alpha });
    }

    pub fn rectangle(&mut self, from: Point, to: Point, color: RGBColor, alpha: f64) {
        self.area(vec![from, (to.0, from.1), to, (from.0, to.1)], color, alpha);
    }

    /// A line in the look's dashes.
    pub fn line(&mut self, points: &[Point], look: Look) {
        for piece in dashed(points, look.dash) {
            self.path(piece, look.color, look.width);
        }
    }

    pub fn marker(&mut self, (x, y): Point, look: Look, radius: f64) {
        let color = look.color;
        let r = radius;
        match look.marker {
            Marker::Circle => self.shapes.push(Shape::Disc {
                center: (x, y),
                radius: r,
                color,
            }),
            Marker::Ring => {
                let turn = |part: u32| std::f64::consts::TAU * f64::from(part) / 32.0;
                let ring = (0..=32).map(|part| (x + r * turn(part).cos(), y + r * turn(part).sin()));
                self.path(ring.collect(), color, 2.2);
            }
            Marker::Square => {
                let r = r * 0.9;
                self.rectangle((x - r, y - r), (x + r, y + r), color, 1.0);
            }
            Marker::Triangle => {
                let r = r * 1.2;
                self.area(
                    vec![(x, y - r), (x + r, y + 0.8 * r), (x - r, y + 0.8 * r)],
                    color,
                    1.0,
                );
            }
            Marker::Diamond => {
                let r = r * 1.3;
                self.area(vec![(x, y - r), (x + r, y), (x, y + r), (x - r, y)], color, 1.0);
            }
            Marker::Cross => {
                self.path(vec![(x - r, y - r), (x + r, y + r)], color, 2.0);
                self.path(vec![(x - r, y + r), (x + r, y - r)], color, 2.0);
            }
        }
    }

    /// Text whose middle is at this height.
    pub fn text(&mut self, at: Point, text: &str, size: f64, color: RGBColor, anchor: Anchor) {
        let text = text.to_owned();
        self.shapes.push(Shape::Text {
            at,
            text,
            size,
            bold: false,
            color,
            anchor,
        });
    }

    pub fn bold(&mut self, at: Point, text: &str, size: f64) {
        let (text, anchor) = (text.to_owned(), Anchor::Start);
        self.shapes.push(Shape::Text {
            at,
            text,
            size,
            bold: true,
            color: INK,
            anchor,
        });
    }

    /// The SVG: white ground, a name for those who do not see it, no fixed size.
    pub fn finish(self, title: &str) -> Result<String> {
        let mut drawn = String::new();
        let size = (units(WIDTH).unsigned_abs(), units(self.height).unsigned_abs());
        {
            let area = SVGBackend::with_string(&mut drawn, size).into_drawing_area();
            area.fill(&RGBColor(255, 255, 255))?;
            for shape in &self.shapes {
                draw(&area, shape)?;
            }
            area.present()?;
        }
        let (_, inner) = drawn.split_once('>').context("plotters wrote no SVG")?;
        let title = escape(title);
        Ok(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{title}\" \
             stroke-linejoin=\"round\"><title>{title}</title>{inner}",
            size.0, size.1
        ))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "pixels of a picture")]
fn units(pixels: f64) -> i32 {
    (pixels * UNITS).round() as i32
}

fn unit_point((x, y): Point) -> (i32, i32) {
    (units(x), units(y))
}

fn draw(area: &DrawingArea<SVGBackend<'_>, Shift>, shape: &Shape) -> Result<()> {
    match shape {
        Shape::Path { points, color, width } => {
            let style = ShapeStyle::from(color).stroke_width(units(*width).unsigned_abs());
            let points: Vec<_> = points.iter().copied().map(unit_point).collect();
            area.draw(&PathElement::new(points, style))?;
        }
        Shape::Area { points, color, alpha } => {
            let points: Vec<_> = points.iter().copied().map(unit_point).collect();
            area.draw(&Polygon::new(points, color.mix(*alpha)))?;
        }
        Shape::Disc {
            center,
            radius,
            color,
        } => {
            let style = ShapeStyle::from(color).filled();
            area.draw(&Circle::new(unit_point(*center), units(*radius), style))?;
        }
        Shape::Text {
            at,
            text,
            size,
            bold,
            color,
            anchor,
        } => {
            let weight = if *bold { FontStyle::Bold } else { FontStyle::Normal };
            let font = ("sans-serif", size * UNITS * FONT_FACTOR)
                .into_font()
                .style(weight);
            let side = match anchor {
                Anchor::Start => HPos::Left,
                Anchor::Middle => HPos::Center,
                Anchor::End => HPos::Right,
            };
            let style = TextStyle::from(font)
                .color(color)
                .pos(Pos::new(side, VPos::Center));
            area.draw(&Text::new(text.as_str(), unit_point(*at), style))?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;
    use crate::report::chart::look::look;

    #[test]
    fn a_picture_names_itself_and_escapes() {
        let mut canvas = Canvas::new(100.0);
        canvas.text((10.0, 10.0), "a < b & c", TEXT, INK, Anchor::Start);
        canvas.line(&[(0.0, 0.0), (50.0, 50.0)], look(1));
        let svg = canvas.finish("x \"<y>").unwrap();
        assert!(svg.starts_with("<svg xmlns"), "{svg}");
        assert!(svg.contains("aria-label=\"x &quot;&lt;y&gt;\""), "{svg}");
        assert!(svg.contains("a &lt; b &amp; c"), "{svg}");
        assert_eq!(svg.matches("<svg").count(), 1);
        assert_eq!(svg.trim_end().rsplit('<').next(), Some("/svg>"));
    }
}
