//! CSV records with the physical line each begins in, in bounded memory.
//!
//! All three line endings are read as one, so that a line number is the one an editor shows, and a break inside
//! quotes is stored the same whatever system the file comes from.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

/// The most that one record may hold. Without a limit, a quotation mark that is never closed would take the whole
/// file into memory.
pub const RECORD_BYTES: u64 = 1024 * 1024;
/// The CSV reader takes this much at a time, so it may be ahead of the record by as much.
const AHEAD: usize = 64 * 1024;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// One record and the line it begins in.
pub struct Record {
    pub line: u64,
    pub fields: csv::ByteRecord,
}

pub struct Records<R> {
    reader: csv::Reader<Lines<R>>,
    /// Where the record under way begins, in bytes given to the CSV reader.
    begins: Rc<Cell<u64>>,
    /// Bytes taken from the file.
    taken: Rc<Cell<u64>>,
}

/// Why reading cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(
        "line {line}: the record that begins here is larger than 1 MiB (is a quotation mark never closed?); \
         what follows cannot be read"
    )]
    TooLarge { line: u64 },
    #[error("the file cannot be read: {0}")]
    Io(io::Error),
}

#[derive(Debug, thiserror::Error)]
#[error("a record is too large")]
struct RecordTooLarge;

impl<R: BufRead> Records<R> {
    pub fn new(source: R) -> Self {
        let (begins, taken) = (Rc::default(), Rc::default());
        let lines = Lines {
            source,
            given: 0,
            begins: Rc::clone(&begins),
            taken: Rc::clone(&taken),
            after_return: false,
            last: b'\n',
        };
        Self {
            reader: csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .buffer_capacity(AHEAD)
                .from_reader(lines),
            begins,
            taken,
        }
    }

    /// Bytes of the file that were read.
    pub fn bytes(&self) -> u64 {
        self.taken.get()
    }

    /// The next record; None at the end of the file.
    ///
    /// # Errors
    /// When the file cannot be read on.
    pub fn next(&mut self) -> Result<Option<Record>, ReadError> {
        self.begins.set(self.reader.position().byte());
        let line_before = self.reader.position().line();
        let mut fields = csv::ByteRecord::new();
        match self.reader.read_byte_record(&mut fields) {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(error) => return Err(explain(error, line_before)),
        }
        // The reader stands behind the break that ends the record; those inside of it are in its fields. (What the
        // reader says of a record's own position is wrong after empty lines.)
        let within: u64 = fields
            .iter()
            .map(|field| field.split(|byte| *byte == b'\n').count() as u64 - 1)
            .sum();
        let line = self.reader.position().line().saturating_sub(1 + within);
        // Small records are read in one go with others, so the check while reading is not exact.
        if fields.as_slice().len() as u64 > RECORD_BYTES {
            return Err(ReadError::TooLarge { line });
        }
        Ok(Some(Record { line, fields }))
    }
}

fn explain(error: csv::Error, line: u64) -> ReadError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) if error.get_ref().is_some_and(|e| e.is::<RecordTooLarge>()) => {
            ReadError::TooLarge { line }
        }
        csv::ErrorKind::Io(error) => ReadError::Io(error),
        other => ReadError::Io(io::Error::other(format!("{other:?}"))),
    }
}

/// Bytes with every line ending as `\n`, one at the very end, no byte order mark, and a limit to a record.
struct Lines<R> {
    source: R,
    given: u64,
    begins: Rc<Cell<u64>>,
    taken: Rc<Cell<u64>>,
    /// The byte before was `\r`, and its `\n` was given already.
    after_return: bool,
    last: u8,
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given - self.begins.get() > RECORD_BYTES + AHEAD as u64 {
            return Err(io::Error::other(RecordTooLarge));
        }
        loop {
            let mut input = self.source.fill_buf()?;
            let whole = input.len();
            if whole == 0 {
                if self.last == b'\n' || out.is_empty() {
                    return Ok(0);
                }
                out[0] = b'\n';
                self.last = b'\n';
                self.given += 1;
                return Ok(1);
            }
            if self.taken.get() == 0 {
                input = input.strip_prefix(BOM).unwrap_or(input);
            }
            let skipped = whole - input.len();
            let (mut used, mut written) = (0, 0);
            for &byte in input {
                if written == out.len() {
                    break;
                }
                used += 1;
                let second_half = self.after_return && byte == b'\n';
                self.after_return = byte == b'\r';
                if !second_half {
                    out[written] = if byte == b'\r' { b'\n' } else { byte };
                    self.last = out[written];
                    written += 1;
                }
            }
            self.source.consume(skipped + used);
            self.taken.set(self.taken.get() + (skipped + used) as u64);
            if written > 0 || out.is_empty() {
                self.given += written as u64;
                return Ok(written);
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u64, Vec<String>)> {
        let mut records = Records::new(text.as_bytes());
        let mut all = vec![];
        while let Some(record) = records.next().unwrap() {
            let fields = record
                .fields
                .iter()
                .map(|field| String::from_utf8(field.to_vec()).unwrap())
                .collect();
            all.push((record.line, fields));
        }
        all
    }

    #[test]
    fn a_record_knows_the_line_it_begins_in_whatever_the_line_ending() {
        let unix = "a,b\n\n\n1,\"x\ny\nz\"\n2,\"q \"\"r\"\"\"\n\n3,4";
        let expected = [(1, "b"), (4, "x\ny\nz"), (7, "q \"r\""), (9, "4")];
        for text in [
            unix.to_owned(),
            unix.replace('\n', "\r\n"),
            unix.replace('\n', "\r"),
            format!("\u{FEFF}{unix}"),
            format!("{unix}\n"),
        ] {
            let all = read(&text);
            let found: Vec<_> = all.iter().map(|(line, f)| (*line, f[1].as_str())).collect();
            assert_eq!(found, expected, "{text:?}");
            assert_eq!(all[0].1[0], "a");
        }
    }

    #[test]
    fn a_record_without_an_end_is_given_up_at_the_limit() {
        let mut file = io::BufReader::new(b"a,b\n1,2\n3,\"".chain(io::repeat(b'x').take(1 << 40)));
        let mut records = Records::new(&mut file);
        assert_eq!(records.next().unwrap().unwrap().line, 1);
        assert_eq!(records.next().unwrap().unwrap().line, 2);
        let error = records.next().map(|_| ()).unwrap_err();
        assert!(matches!(error, ReadError::TooLarge { line: 3 }), "{error}");
        assert!(records.bytes() < 2 * RECORD_BYTES);
    }

    #[test]
    fn nothing_is_no_record() {
        assert_eq!(read("").len(), 0);
        assert_eq!(read("\u{FEFF}").len(), 0);
        assert_eq!(read("\r\n\r\n").len(), 0);
    }
}
