//! What the shop has acknowledged, on disk: one line for each write, with what came of it. `verify` holds the shop to it.
//!
//! Lines of one owner are in their order, because nobody writes for an owner from two places.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::result::JournalCounts;

/// One write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Whose cart or orders: the number of an account, or of a visitor.
    pub owner: Owner,
    pub write: Write,
    pub fate: Fate,
}

/// Who owns a cart and orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    Account(u32),
    /// A visitor, who has a cart by a cookie alone.
    Visitor(u32),
}

/// What came of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    Acknowledged,
    /// The shop said that nothing was done.
    Refused,
    /// No answer, or one that leaves it open.
    Unknown,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// A line of the cart is to have so many pieces; 0 takes it out. The visitor's cookie after it, so that the cart can be found.
    Cart {
        variant: u64,
        quantity: u32,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        cookie: Option<String>,
    },
    /// A visitor logged in: the visitor's cart went into the account's.
    Merge {
        from: u32,
    },
    Order(Order),
    /// An account, a session, an address, an edit: counted, not compared.
    Other {
        what: String,
    },
}

/// An order, as it was asked for and, when acknowledged, as it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub key: String,
    /// Variant and quantity.
    pub items: Vec<(u64, u32)>,
    /// As answered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub placed: Option<Placed>,
}

/// What an acknowledged order's answer said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    pub id: String,
    /// `paid`, or `pending` when the payment was still open.
    pub state: String,
    /// Minor units.
    pub total: i64,
    /// Variant, quantity, the line's total in minor units.
    pub lines: Vec<(u64, u32, i64)>,
}

/// The file, while it is written.
pub struct Journal {
    path: PathBuf,
    file: BufWriter<File>,
    counts: JournalCounts,
}

impl Journal {
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("the journal {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::with_capacity(1 << 16, file),
            counts: JournalCounts::default(),
        })
    }

    /// # Errors
    /// When the disk is full: a run without its journal proves nothing.
    pub fn write(&mut self, entry: &Entry) -> Result<()> {
        match entry.fate {
            Fate::Acknowledged => self.counts.acknowledged += 1,
            Fate::Refused => self.counts.refused += 1,
            Fate::Unknown => self.counts.unknown += 1,
        }
        serde_json::to_writer(&mut self.file, entry).context("writing the journal")?;
        self.file.write_all(b"\n").context("writing the journal")
    }

    pub fn counts(&self) -> JournalCounts {
        self.counts
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All that was written so far, in its order.
    ///
    /// # Errors
    /// When the file cannot be read, or a line of it is none.
    pub fn entries(&mut self) -> Result<Vec<Entry>> {
        self.file.flush().context("writing the journal")?;
        read(&self.path)
    }
}

/// Reads a journal.
///
/// # Errors
/// When the file cannot be read, or a line of it is none.
pub fn read(path: &Path) -> Result<Vec<Entry>> {
    let file = File::open(path).with_context(|| format!("the journal {}", path.display()))?;
    BufReader::new(file)
        .lines()
        .enumerate()
        .map(|(number, line)| {
            serde_json::from_str(&line?).with_context(|| format!("{} line {}", path.display(), number + 1))
        })
        .collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(&folder.path().join("journal.jsonl")).unwrap();
        let put = Entry {
            owner: Owner::Visitor(3),
            write: Write::Cart {
                variant: 7,
                quantity: 2,
                cookie: Some("c".to_owned()),
            },
            fate: Fate::Acknowledged,
        };
        let order = Entry {
            owner: Owner::Account(1),
            write: Write::Order(Order {
                key: "k".to_owned(),
                items: vec![(7, 2)],
                placed: None,
            }),
            fate: Fate::Unknown,
        };
        journal.write(&put).unwrap();
        journal.write(&order).unwrap();
        assert_eq!(journal.entries().unwrap(), [put, order]);
        assert_eq!((journal.counts().acknowledged, journal.counts().unknown), (1, 1));
    }
}
