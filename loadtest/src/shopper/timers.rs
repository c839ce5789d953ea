//! Timers finer than the runtime's, which knows whole milliseconds: think times end and arrivals begin within some 50 us, or
//! every latency, counted from there, would be a millisecond too long.
//!
//! One timerfd, armed for the earliest; of one thread.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::future::poll_fn;
use std::os::fd::AsFd as _;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nix::sys::time::{TimeSpec, TimeValLike as _};
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The timers of a generator.
pub struct Timers {
    shared: Rc<Shared>,
    driver: tokio::task::JoinHandle<()>,
}

struct Shared {
    fd: AsyncFd<std::os::fd::OwnedFd>,
    timer: TimerFd,
    waiting: RefCell<Waiting>,
}

#[derive(Default)]
struct Waiting {
    due: BinaryHeap<Reverse<(Instant, u64)>>,
    wakers: BTreeMap<u64, Waker>,
    next: u64,
}

impl Timers {
    /// Within a `LocalSet`.
    ///
    /// # Errors
    /// When the kernel gives no timer.
    pub fn new() -> Result<Self> {
        let timer = TimerFd::new(
            ClockId::CLOCK_MONOTONIC,
            TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC,
        )
        .context("a timer")?;
        let fd = timer.as_fd().try_clone_to_owned().context("a timer")?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe, for types whose descriptor may change; an OwnedFd's does not"
        )]
        let fd = AsyncFd::with_interest(fd, Interest::READABLE).context("a timer")?;
        let shared = Rc::new(Shared {
            fd,
            timer,
            waiting: RefCell::default(),
        });
        let driver = tokio::task::spawn_local(Rc::clone(&shared).run());
        Ok(Self { shared, driver })
    }

    /// Returns at that moment, or at once when it has passed.
    pub async fn sleep_until(&self, moment: Instant) {
        if Instant::now() >= moment {
            return;
        }
        let number = self.shared.waiting.borrow_mut().enter(moment);
        let _leaving = Leaving(&self.shared, number);
        self.shared.arm();
        poll_fn(|context| {
            if Instant::now() >= moment {
                return Poll::Ready(());
            }
            let mut waiting = self.shared.waiting.borrow_mut();
            waiting.wakers.insert(number, context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Forgets the waker of whoever waits no more.
struct Leaving<'a>(&'a Shared, u64);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.waiting.borrow_mut().wakers.remove(&self.1);
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Waiting {
    fn enter(&mut self, moment: Instant) -> u64 {
        self.next += 1;
        self.due.push(Reverse((moment, self.next)));
        self.next
    }

    /// Those whose time has come.
    fn take_due(&mut self, now: Instant) -> Vec<Waker> {
        let mut ready = Vec::new();
        while let Some(Reverse((moment, number))) = self.due.peek().copied() {
            if moment > now {
                break;
            }
            self.due.pop();
            ready.extend(self.wakers.remove(&number));
        }
        ready
    }
}

impl Shared {
    fn arm(&self) {
        let Some(Reverse((moment, _))) = self.waiting.borrow().due.peek().copied() else {
            return;
        };
        let left = moment
            .saturating_duration_since(Instant::now())
            .max(Duration::from_micros(1));
        let nanos = i64::try_from(left.as_nanos()).unwrap_or(i64::MAX);
        // It can only fail for a time that is none.
        let _ = self.timer.set(
            Expiration::OneShot(TimeSpec::nanoseconds(nanos)),
            TimerSetTimeFlags::empty(),
        );
    }

    async fn run(self: Rc<Self>) {
        loop {
            let Ok(mut ready) = self.fd.readable().await else {
                return;
            };
            let mut count = [0; 8];
            let _ = nix::unistd::read(self.fd.get_ref(), &mut count);
            ready.clear_ready();
            let due = self.waiting.borrow_mut().take_due(Instant::now());
            for waker in due {
                waker.wake();
            }
            self.arm();
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[tokio::test(flavor = "local")]
    async fn they_end_in_their_order_and_never_early() {
        let timers = Rc::new(Timers::new().unwrap());
        let began = Instant::now();
        let ended = Rc::new(RefCell::new(Vec::new()));
        let mut tasks = Vec::new();
        for millis in [30_u64, 5, 20, 5, 0] {
            let (timers, ended) = (Rc::clone(&timers), Rc::clone(&ended));
            tasks.push(tokio::task::spawn_local(async move {
                let due = began + Duration::from_millis(millis);
                timers.sleep_until(due).await;
                assert!(Instant::now() >= due);
                ended.borrow_mut().push(millis);
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*ended.borrow(), [0, 5, 5, 20, 30]);
    }

    #[tokio::test(flavor = "local")]
    async fn who_waits_no_more_is_forgotten() {
        let timers = Timers::new().unwrap();
        let late = Instant::now() + Duration::from_secs(3600);
        let waited = tokio::time::timeout(Duration::from_millis(5), timers.sleep_until(late)).await;
        assert!(waited.is_err());
        assert!(timers.shared.waiting.borrow().wakers.is_empty());
    }
}
