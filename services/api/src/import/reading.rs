//! From the file to products, one at a time.

use std::io::BufRead;

use anyhow::bail;

use super::header::{Column, Header};
use super::product::{Draft, Group, Has};
use super::records::{Record, Records};
use super::row::{Fields, Problem};
use crate::types::money::Currency;

/// What reading one record came to.
pub enum Step {
    /// A product is complete: the record belongs to the next one.
    Product(Box<Draft>),
    Row,
    End,
}

pub struct Reading<R> {
    records: Records<R>,
    header: Header,
    currency: Currency,
    has: Has,
    group: Option<Group>,
    /// Rows that were refused and not yet told.
    pub problems: Vec<Problem>,
    pub warnings: Vec<Problem>,
}

impl<R: BufRead> Reading<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// When the file has none, or one without a required column.
    pub fn begin(source: R, currency: Currency) -> anyhow::Result<Self> {
        let mut records = Records::new(source);
        let Some(first) = records.next()? else {
            bail!("the file is empty: a header with Handle, Title and Variant Price is needed");
        };
        let header = match Header::read(&first.fields) {
            Ok(header) => header,
            Err(reason) => bail!("line {}: {reason}", first.line),
        };
        let has = Has {
            pictures: header.has(Column::ImageSrc) || header.has(Column::VariantImage),
            skus: header.has(Column::Sku),
        };
        Ok(Self {
            records,
            header,
            has,
            currency,
            group: None,
            problems: vec![],
            warnings: vec![],
        })
    }

    /// Bytes of the file that were read.
    pub fn bytes(&self) -> u64 {
        self.records.bytes()
    }

    /// Reads one record.
    ///
    /// # Errors
    /// When the file cannot be read on.
    pub fn next(&mut self) -> anyhow::Result<Step> {
        let (draft, ended) = match self.records.next()? {
            Some(record) => (self.take(&record), false),
            None => (self.finish(), true),
        };
        Ok(match draft {
            Some(draft) => Step::Product(Box::new(draft)),
            None if ended => Step::End,
            None => Step::Row,
        })
    }

    /// The product that was under way at the end of what can be read.
    pub fn finish(&mut self) -> Option<Draft> {
        self.group.take().and_then(|group| group.end(self.has))
    }

    fn take(&mut self, record: &Record) -> Option<Draft> {
        let line = record.line;
        let fields = Fields {
            header: &self.header,
            record: &record.fields,
            line,
            currency: self.currency,
        };
        let handle = match fields.handle() {
            Ok(handle) => handle,
            // Nobody knows whose row it is.
            Err(problem) => {
                self.problems.push(problem);
                return None;
            }
        };
        let row = fields.row(&mut self.warnings);
        match &mut self.group {
            Some(group) if group.handle() == handle => {
                group.add(line, row, &mut self.problems);
                None
            }
            group => {
                let next = Group::begin(line, handle, row, &mut self.problems);
                let has = self.has;
                group.replace(next).and_then(|group| group.end(has))
            }
        }
    }
}
