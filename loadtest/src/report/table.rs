//! Tables of a report page.

use std::fmt::Write as _;

use super::page::escape;
use crate::result::Verdict;

/// What a cell says beside its text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    Good,
    Bad,
    /// Neither: not known, left out, only printed.
    Faint,
}

impl Tone {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Faint => "faint",
        }
    }
}

/// One cell. Text becomes a plain one with `into()`.
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self {
            text: text.into(),
            tone,
        }
    }

    /// Whether something holds, in words too: colour alone is lost in print.
    pub fn holds(holds: bool) -> Self {
        if holds {
            Self::new("yes", Tone::Good)
        } else {
            Self::new("NO", Tone::Bad)
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// A column's heading and how its cells are set.
#[derive(Debug, Clone)]
pub struct Column {
    heading: String,
    number: bool,
}

impl Column {
    pub fn text(heading: impl Into<String>) -> Self {
        Self {
            heading: heading.into(),
            number: false,
        }
    }

    /// Cells to the right, digits below digits. The heading names the unit.
    pub fn number(heading: impl Into<String>) -> Self {
        Self {
            heading: heading.into(),
            number: true,
        }
    }
}

/// A table with one row of headings. A row's first cell is its heading.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    /// A row for each thing that has to hold.
    pub fn of_verdicts(verdicts: &[Verdict]) -> Self {
        let mut table = Self::new([
            Column::text("What"),
            Column::number("Limit"),
            Column::number("Found"),
            Column::text("Holds"),
        ]);
        for verdict in verdicts {
            table.row([
                verdict.what.as_str().into(),
                verdict.limit.as_str().into(),
                verdict.found.as_str().into(),
                Cell::holds(verdict.holds),
            ]);
        }
        table
    }

    /// Adds a row. Cells beyond the columns are not shown; missing ones are empty.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) -> &mut Self {
        self.rows.push(cells.into_iter().collect());
        self
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn html(&self) -> String {
        let mut html = String::from("<div class=\"table\"><table>\n<thead><tr>");
        for column in &self.columns {
            let heading = escape(&column.heading);
            let _ = write!(
                html,
                "<th scope=\"col\"{}>{heading}</th>",
                class(column.number, Tone::Plain)
            );
        }
        html.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            html.push_str("<tr>");
            for (place, column) in self.columns.iter().enumerate() {
                let (text, tone) = row.get(place).map_or((String::new(), Tone::Plain), |cell| {
                    (escape(&cell.text), cell.tone)
                });
                let class = class(column.number, tone);
                let _ = if place == 0 {
                    write!(html, "<th scope=\"row\"{class}>{text}</th>")
                } else {
                    write!(html, "<td{class}>{text}</td>")
                };
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody></table></div>\n");
        html
    }
}

fn class(number: bool, tone: Tone) -> String {
    match (number, tone) {
        (false, Tone::Plain) => String::new(),
        (true, Tone::Plain) => " class=\"number\"".to_owned(),
        (false, tone) => format!(" class=\"{}\"", tone.class()),
        (true, tone) => format!(" class=\"number {}\"", tone.class()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_escaped_and_numbers_to_the_right() {
        let mut table = Table::new([Column::text("a<b"), Column::number("ms"), Column::text("ok")]);
        table.row(["<script>".into(), "12".into(), Cell::holds(false)]);
        table.row(["short".into()]);
        let html = table.html();
        assert!(
            html.contains("a&lt;b") && html.contains("&lt;script&gt;"),
            "{html}"
        );
        assert!(html.contains("<td class=\"number\">12</td>"), "{html}");
        assert!(html.contains("<td class=\"bad\">NO</td>"), "{html}");
        assert!(
            html.contains("<td class=\"number\"></td><td></td></tr>"),
            "{html}"
        );
    }
}
