//! One panel over any axis.

use anyhow::Result;

use super::Picture;
use super::canvas::WIDTH;
use super::plot::label_width;
use super::scale::Scale;
use super::series::Series;
use super::timeline::{MARGIN, Panel, draw};

/// Series over x, upwards from 0.
#[derive(Debug, Clone)]
pub struct LineChart {
    pub title: String,
    /// The axis along the bottom, with its unit.
    pub x: String,
    /// The axis along the bottom begins at 0 too and ends at a round number.
    pub x_from_zero: bool,
    /// The axis along the bottom counts whole things.
    pub x_whole: bool,
    pub panel: Panel,
}

impl LineChart {
    /// A plot of 300 px over an axis that ends where the points end. `y` names what is drawn upwards, with its unit.
    pub fn new(
        title: impl Into<String>,
        x: impl Into<String>,
        y: impl Into<String>,
        series: Vec<Series>,
    ) -> Self {
        let panel = Panel::new(y, series).with_height(300.0);
        Self {
            title: title.into(),
            x: x.into(),
            x_from_zero: false,
            x_whole: false,
            panel,
        }
    }
}

impl Picture for LineChart {
    fn title(&self) -> &str {
        &self.title
    }

    fn svg(&self) -> Result<String> {
        let y = self.panel.scale();
        let pixels = (MARGIN + label_width(&y), WIDTH - MARGIN - 14.0);
        let xs = self.panel.series.iter().flat_map(Series::xs);
        let x = if self.x_from_zero {
            Scale::from_zero(xs, 10.0, pixels)
        } else {
            Scale::between(xs, 10.0, pixels)
        };
        let x = if self.x_whole { x.whole() } else { x };
        draw(
            &self.title,
            &self.x,
            std::slice::from_ref(&self.panel),
            &[],
            x,
            vec![y],
        )
    }
}
