//! A client's connection with nginx's patience: 10 s for the head of a request, 20 s without any progress of an answer, and a
//! close that does not throw away what the client has not read yet.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::refusal::{Bare, Refusals};

/// From the first byte of a request to the end of its head. Its body has a limit of its own (`request::read_body`).
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// Between two steps of an answer, not for all of it.
const STEP_WITHIN: Duration = Duration::from_secs(20);
/// How long a closed connection still takes what the client sends. A close with something unread would be a reset, at which
/// the client's system drops our last answer.
const LINGER: Duration = Duration::from_secs(1);

type Limit = Option<Pin<Box<Sleep>>>;

/// What the connection and whoever answers on it tell each other.
#[derive(Debug, Default)]
pub struct Exchange {
    /// Requests whose heads were read to their end.
    heads: AtomicU64,
    at_work: AtomicBool,
}

impl Exchange {
    pub fn begin(&self) {
        self.heads.fetch_add(1, Ordering::Relaxed);
        self.at_work.store(true, Ordering::Relaxed);
    }

    pub fn end(&self) {
        self.at_work.store(false, Ordering::Relaxed);
    }
}

/// The connection.
pub struct Guarded {
    stream: TcpStream,
    exchange: Arc<Exchange>,
    refusals: Arc<Refusals>,
    /// How many heads had been read when the limit for the next was set.
    heads: u64,
    head_by: Limit,
    step_by: Limit,
    instead: Option<Instead>,
    closed: bool,
    linger_until: Limit,
}

/// What is sent in the place of an answer that has no body.
struct Instead {
    answer: Vec<u8>,
    sent: usize,
    /// The bytes that it stands for.
    of: usize,
}

impl Guarded {
    pub fn new(stream: TcpStream, exchange: Arc<Exchange>, refusals: Arc<Refusals>) -> Self {
        Self {
            stream,
            exchange,
            refusals,
            heads: 0,
            head_by: None,
            step_by: None,
            instead: None,
            closed: false,
            linger_until: None,
        }
    }

    fn write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        bounded(&mut self.step_by, STEP_WITHIN, cx, outcome)
    }

    fn send_instead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while let Some(Instead { answer, sent, of }) = self.instead.take() {
            if sent == answer.len() {
                return Poll::Ready(Ok(of));
            }
            let outcome = self.write(cx, &answer[sent..]);
            let more = if let Poll::Ready(Ok(more)) = outcome {
                more
            } else {
                0
            };
            self.instead = Some(Instead {
                answer,
                sent: sent + more,
                of,
            });
            match ready!(outcome) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(0))
    }
}

/// Ends what has been pending for too long.
fn bounded<T>(
    by: &mut Limit,
    limit: Duration,
    cx: &mut Context<'_>,
    outcome: Poll<io::Result<T>>,
) -> Poll<io::Result<T>> {
    if outcome.is_ready() {
        *by = None;
        return outcome;
    }
    let by = by.get_or_insert_with(|| Box::pin(sleep(limit)));
    ready!(by.as_mut().poll(cx));
    Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
}

impl AsyncRead for Guarded {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let heads = this.exchange.heads.load(Ordering::Relaxed);
        if heads != this.heads {
            this.heads = heads;
            this.head_by = None;
        }
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut this.stream).poll_read(cx, buffer);
        match &mut this.head_by {
            Some(by) if outcome.is_pending() => {
                ready!(by.as_mut().poll(cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Some(_) => outcome,
            none => {
                let begun = buffer.filled().len() > before && !this.exchange.at_work.load(Ordering::Relaxed);
                *none = begun.then(|| Box::pin(sleep(HEAD_WITHIN)));
                outcome
            }
        }
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.instead.is_some() {
            return this.send_instead(cx);
        }
        match Bare::find(bytes) {
            None => this.write(cx, bytes),
            Some(Bare { at: 0, status }) => {
                this.instead = Some(Instead {
                    answer: this.refusals.answer(status),
                    sent: 0,
                    of: bytes.len(),
                });
                this.send_instead(cx)
            }
            // Another answer comes first.
            Some(Bare { at, .. }) => this.write(cx, &bytes[..at]),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut filled = parts.iter().filter(|part| !part.is_empty());
        let first = filled.next();
        let last = filled.next_back().or(first);
        if self.instead.is_some() || last.is_some_and(|last| Bare::find(last).is_some()) {
            return self.poll_write(cx, first.map_or(&[], |first| first));
        }
        let this = &mut *self;
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(cx, parts);
        bounded(&mut this.step_by, STEP_WITHIN, cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.closed {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            this.closed = true;
        }
        let until = this.linger_until.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        loop {
            if until.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut thrown_away = [0; 4096];
            let mut buffer = ReadBuf::new(&mut thrown_away);
            match ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                Ok(()) | Err(_) => return Poll::Ready(Ok(())),
            }
        }
    }
}
