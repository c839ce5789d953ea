//! Colours, dashes and markers.

use plotters::style::RGBColor;

pub(super) const INK: RGBColor = RGBColor(27, 31, 36);
pub(super) const SOFT: RGBColor = RGBColor(89, 99, 110);
pub(super) const GRID: RGBColor = RGBColor(222, 227, 232);
pub(super) const LIMIT: RGBColor = RGBColor(150, 20, 40);

const BLUE: RGBColor = RGBColor(0, 114, 178);
const VERMILION: RGBColor = RGBColor(213, 94, 0);
const GREEN: RGBColor = RGBColor(0, 158, 115);
const PURPLE: RGBColor = RGBColor(170, 85, 140);
const ORANGE: RGBColor = RGBColor(200, 135, 0);
const SKY: RGBColor = RGBColor(60, 150, 205);

/// Lengths of line and gap in turn, px; empty for a whole line.
pub(super) type Dash = &'static [f64];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Circle,
    /// Open, so that what lies below can be seen.
    Ring,
    Square,
    Triangle,
    Diamond,
    Cross,
}

/// How one series is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub color: RGBColor,
    pub dash: Dash,
    /// Width of the line, px.
    pub width: f64,
    pub marker: Marker,
}

const LOOKS: [Look; 6] = [
    Look {
        color: BLUE,
        dash: &[],
        width: 2.0,
        marker: Marker::Circle,
    },
    Look {
        color: VERMILION,
        dash: &[8.0, 4.0],
        width: 2.0,
        marker: Marker::Diamond,
    },
    Look {
        color: GREEN,
        dash: &[2.5, 3.0],
        width: 2.5,
        marker: Marker::Triangle,
    },
    Look {
        color: PURPLE,
        dash: &[12.0, 3.0, 3.0, 3.0],
        width: 2.0,
        marker: Marker::Square,
    },
    Look {
        color: ORANGE,
        dash: &[16.0, 5.0],
        width: 2.0,
        marker: Marker::Cross,
    },
    Look {
        color: SKY,
        dash: &[5.0, 3.0, 1.5, 3.0],
        width: 2.5,
        marker: Marker::Circle,
    },
];

/// A comparison that is no measurement: the ideal.
pub(super) const REFERENCE: Look = Look {
    color: SOFT,
    dash: &[3.0, 4.0],
    width: 1.5,
    marker: Marker::Cross,
};

/// A limit or target.
pub(super) const BOUND: Look = Look {
    color: LIMIT,
    dash: &[10.0, 3.0, 2.0, 3.0],
    width: 1.5,
    marker: Marker::Cross,
};

/// Wide and pale: what should equal it can be seen upon it.
pub(super) fn backdrop(look: Look) -> Look {
    let RGBColor(red, green, blue) = look.color;
    let pale = |part: u8| part.midpoint(255).midpoint(part.max(200));
    Look {
        color: RGBColor(pale(red), pale(green), pale(blue)),
        dash: &[],
        width: 7.0,
        ..look
    }
}

/// The look of the series at this place; after the sixth they begin again.
pub(super) fn look(place: usize) -> Look {
    LOOKS.get(place % LOOKS.len()).copied().unwrap_or(REFERENCE)
}
