//! What is drawn over an axis.

use super::look::{BOUND, Look, Marker, REFERENCE, backdrop, look};

/// Points in the order of x that belong together. A point whose y is not finite is a gap.
#[derive(Debug, Clone)]
pub struct Series {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
    pub(super) kind: Kind,
    /// x, lower and upper bound.
    pub(super) band: Vec<(f64, f64, f64)>,
    pub(super) manner: Manner,
    pub(super) place: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Plain,
    Backdrop,
    Reference,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Line,
    Steps,
    Dots,
    Medians,
}

impl Series {
    /// Straight from point to point.
    pub fn line(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self {
            name: name.into(),
            points: points.into_iter().collect(),
            kind: Kind::Line,
            band: Vec::new(),
            manner: Manner::Plain,
            place: None,
        }
    }

    /// Each value holds until the next point: counts of replicas.
    pub fn steps(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self {
            kind: Kind::Steps,
            ..Self::line(name, points)
        }
    }

    /// A small mark at each point and no line: single measurements.
    pub fn dots(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self {
            kind: Kind::Dots,
            ..Self::line(name, points)
        }
    }

    /// A large mark at each point and no line: what single measurements come to.
    pub fn medians(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self {
            kind: Kind::Medians,
            ..Self::line(name, points)
        }
    }

    /// A shaded band around it: x, lower and upper bound.
    pub fn with_band(mut self, band: impl IntoIterator<Item = (f64, f64, f64)>) -> Self {
        self.band = band.into_iter().collect();
        self
    }

    /// Not measured, only to compare with: grey and thin.
    pub fn as_reference(mut self) -> Self {
        self.manner = Manner::Reference;
        self
    }

    /// What others should come up to (what was offered, how many replicas are wanted): wide and pale behind them.
    pub fn as_backdrop(mut self) -> Self {
        self.manner = Manner::Backdrop;
        self
    }

    /// Drawn as the series at this place (from 0) usually is, so that one thing looks alike in several panels.
    pub fn looking_like(mut self, place: usize) -> Self {
        self.place = Some(place);
        self
    }

    pub(super) fn look(&self, place: usize) -> Look {
        let look = look(self.place.unwrap_or(place));
        match self.manner {
            Manner::Plain if self.kind == Kind::Medians => Look {
                marker: Marker::Ring,
                ..look
            },
            Manner::Plain => look,
            Manner::Backdrop => backdrop(look),
            Manner::Reference => REFERENCE,
        }
    }

    pub(super) fn xs(&self) -> impl Iterator<Item = f64> {
        self.points
            .iter()
            .map(|point| point.0)
            .chain(self.band.iter().map(|point| point.0))
    }

    pub(super) fn ys(&self) -> impl Iterator<Item = f64> {
        let band = self.band.iter().flat_map(|(_, low, high)| [*low, *high]);
        self.points.iter().map(|point| point.1).chain(band)
    }
}

/// A height with a name that is drawn across a panel: a limit, a target.
#[derive(Debug, Clone)]
pub struct Level {
    pub name: String,
    pub value: f64,
}

impl Level {
    pub(super) const LOOK: Look = BOUND;
}
