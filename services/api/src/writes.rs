//! The write stop: while it is on, a replica changes nothing in MySQL. Writes are refused, reads go on, and the background
//! tasks that write (recovery of orders, purges) rest. For the time in which the shop's data is moved to another database.
//!
//! Invariant: once it is on and nothing is under way any more, nothing of this replica is written until it is off. So who
//! writes first says so and then asks (`begin`), and who stops first stops and then looks who is left (`under_way`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::error::{Error, Result};

#[derive(Debug)]
pub struct Writes {
    taken: AtomicBool,
    under_way: Arc<AtomicUsize>,
}

/// A request that writes, or a round of a background task, until dropped. A request keeps it in its tally, so that work which
/// outlives a client that hung up still counts.
#[derive(Debug)]
pub struct Writing(Arc<AtomicUsize>);

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Writes {
    pub fn new(taken: bool) -> Self {
        Self {
            taken: AtomicBool::new(taken),
            under_way: Arc::default(),
        }
    }

    pub fn are_taken(&self) -> bool {
        self.taken.load(Ordering::SeqCst)
    }

    pub fn switch(&self, taken: bool) {
        self.taken.store(taken, Ordering::SeqCst);
    }

    /// How many are under way.
    pub fn under_way(&self) -> usize {
        self.under_way.load(Ordering::SeqCst)
    }

    /// # Errors
    /// `Maintenance` while writes are stopped.
    pub fn begin(&self) -> Result<Writing> {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let writing = Writing(Arc::clone(&self.under_way));
        if self.are_taken() {
            Ok(writing)
        } else {
            Err(Error::Maintenance)
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_counts_until_its_end_and_what_is_refused_does_not() {
        let writes = Writes::new(true);
        let one = writes.begin().unwrap();
        writes.switch(false);
        assert!(matches!(writes.begin(), Err(Error::Maintenance)));
        assert_eq!(writes.under_way(), 1);
        drop(one);
        assert_eq!(writes.under_way(), 0);
        writes.switch(true);
        assert!(writes.begin().is_ok());
    }
}
