//! Pictures as SVG, drawn with plotters: 900 px wide, on white, no text under 12 px.
//!
//! Series differ by colour (Okabe and Ito's palette, which colour-blind people tell apart) and by dash, marker or hatching too,
//! so that a picture printed in black and white can be read. Legends lie above the data, never on it.

mod bars;
mod canvas;
mod dash;
mod legend;
mod line;
mod look;
mod plot;
mod ranges;
mod scale;
mod scatter;
mod series;
mod timeline;

use anyhow::Result;

pub use bars::{Bar, Bars, Group};
pub use line::LineChart;
pub use ranges::{Ranges, Row};
pub use scatter::{Fit, Scatter};
pub use series::{Level, Series};
pub use timeline::{Event, Panel, Timeline};

/// Something to look at.
pub trait Picture {
    /// What it shows: its heading, and its name for those who do not see it. One line holds 80 letters.
    fn title(&self) -> &str;

    /// One `<svg>` element, complete in itself.
    ///
    /// # Errors
    /// When plotters cannot draw it.
    fn svg(&self) -> Result<String>;
}
