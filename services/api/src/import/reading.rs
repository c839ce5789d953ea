//! From the file to products, one at a time.

use std::io::BufRead;

use anyhow::bail;

use super::header::{Column, Header};
use super::product::{Draft, Group};
use super::records::{Record, Records};
use super::row::{Fields, Problem};
use crate::types::money::Currency;

pub struct Reading<R> {
    records: Records<R>,
    header: Header,
    currency: Currency,
    has_pictures: bool,
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
        let has_pictures = header.has(Column::ImageSrc) || header.has(Column::VariantImage);
        Ok(Self {
            records,
            header,
            has_pictures,
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

    /// Reads one record. Some(Some) is a product that is complete with it; None the end of the file.
    ///
    /// # Errors
    /// When the file cannot be read on.
    pub fn next(&mut self) -> anyhow::Result<Option<Option<Draft>>> {
        match self.records.next()? {
            Some(record) => Ok(Some(self.take(&record))),
            None => Ok(self.group.take().map(|group| group.end(self.has_pictures))),
        }
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
        let row = fields.row(handle.clone(), &mut self.warnings);
        match &mut self.group {
            Some(group) if group.handle() == handle => {
                group.add(line, row, &mut self.problems);
                None
            }
            group => {
                let next = Group::begin(line, handle, row, &mut self.problems);
                let has_pictures = self.has_pictures;
                group
                    .replace(next)
                    .and_then(|group| group.end(has_pictures))
            }
        }
    }
}
