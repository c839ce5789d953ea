//! Log lines on their way to standard output. One that follows closely on another is collected, with those after it: under
//! load a system call for each was a fourth of what a line costs. A quiet process writes each line at once.

use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a line is kept back at most, and the time between two writes of collected lines. Who is killed loses as much.
const HELD: Duration = Duration::from_millis(5);
/// Bytes that are not collected beyond: nginx's buffer has the same.
const ROOM: usize = 32 * 1024;

static COLLECTED: Collected = Collected {
    lines: Mutex::new(Lines {
        text: Vec::new(),
        written: None,
        awaited: false,
    }),
    came: Condvar::new(),
};

struct Collected {
    lines: Mutex<Lines>,
    /// Told of the first line that is kept back.
    came: Condvar,
}

struct Lines {
    text: Vec<u8>,
    /// When there was a write last; none before the first.
    written: Option<Instant>,
    /// Whether the writer of what was kept back knows that there is something.
    awaited: bool,
}

impl Lines {
    fn add(&mut self, line: &[u8], now: Instant, to: &mut impl Write) -> io::Result<()> {
        self.text.extend_from_slice(line);
        let is_quiet = self.written.is_none_or(|written| now - written >= HELD);
        if is_quiet || self.text.len() >= ROOM {
            self.write(now, to)?;
        }
        Ok(())
    }

    /// Writes what was collected. What cannot be written is dropped: a log that fails must not grow.
    fn write(&mut self, now: Instant, to: &mut impl Write) -> io::Result<()> {
        self.written = Some(now);
        let written = to.write_all(&self.text).and_then(|()| to.flush());
        self.text.clear();
        written
    }
}

impl Collected {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts to write what is kept back.
pub fn start() {
    thread::Builder::new()
        .name("log".to_owned())
        .spawn(write_kept_back)
        .ok();
}

fn write_kept_back() {
    loop {
        let mut lines = COLLECTED.lines();
        while lines.text.is_empty() {
            lines.awaited = false;
            lines = COLLECTED.came.wait(lines).unwrap_or_else(PoisonError::into_inner);
        }
        drop(lines);
        thread::sleep(HELD);
        flush();
    }
}

/// Writes what is kept back now: before the process ends.
pub fn flush() {
    let mut lines = COLLECTED.lines();
    if !lines.text.is_empty() {
        // There is nobody left to tell.
        lines.write(Instant::now(), &mut io::stdout()).ok();
    }
}

/// Takes whole lines.
pub struct Output;

impl Write for Output {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut lines = COLLECTED.lines();
        lines.add(line, Instant::now(), &mut io::stdout())?;
        if !lines.text.is_empty() && !lines.awaited {
            lines.awaited = true;
            COLLECTED.came.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    /// Counts its writes.
    #[derive(Default)]
    struct Sink {
        writes: Vec<String>,
        fails: bool,
    }

    impl Write for Sink {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            if self.fails {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.writes.push(String::from_utf8(text.to_vec()).unwrap());
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines() -> Lines {
        Lines {
            text: Vec::new(),
            written: None,
            awaited: false,
        }
    }

    #[test]
    fn a_line_after_a_pause_is_written_at_once_and_those_that_follow_closely_together() {
        let (mut lines, mut sink) = (lines(), Sink::default());
        let began = Instant::now();
        for (line, after_ms) in [("a\n", 0), ("b\n", 1), ("c\n", 4), ("d\n", 5), ("e\n", 20)] {
            let now = began + Duration::from_millis(after_ms);
            lines.add(line.as_bytes(), now, &mut sink).unwrap();
        }
        assert_eq!(sink.writes, ["a\n", "b\nc\nd\n", "e\n"]);
    }

    #[test]
    fn no_more_is_collected_than_there_is_room_for() {
        let (mut lines, mut sink) = (lines(), Sink::default());
        let began = Instant::now();
        let line = "x".repeat(1024);
        for _ in 0..=32 {
            lines.add(line.as_bytes(), began, &mut sink).unwrap();
        }
        let sizes: Vec<usize> = sink.writes.iter().map(String::len).collect();
        assert_eq!(sizes, [1024, ROOM]);
    }

    #[test]
    fn what_cannot_be_written_is_told_and_dropped() {
        let (mut lines, mut sink) = (
            lines(),
            Sink {
                fails: true,
                ..Sink::default()
            },
        );
        let began = Instant::now();
        assert!(lines.add(b"lost\n", began, &mut sink).is_err());
        sink.fails = false;
        lines.add(b"kept\n", began + HELD, &mut sink).unwrap();
        assert_eq!(sink.writes, ["kept\n"]);
    }
}
