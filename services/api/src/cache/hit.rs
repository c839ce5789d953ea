//! An answer with where it came from, and what is asked of MySQL when no layer has it.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::entry::Entry;
use crate::db::Deadline;
use crate::error::Result;

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Memory,
    Redis,
    Database,
}

/// An answer and where it came from.
#[derive(Debug, Clone)]
pub struct Hit {
    pub entry: Arc<Entry>,
    pub source: Source,
    /// Milliseconds since MySQL was read.
    pub age_ms: u64,
    /// Past its bound, served because MySQL cannot be read.
    pub stale: bool,
    pub asked: Asked,
    /// Whether it was waited for what another request had begun.
    pub joined: bool,
}

/// Which layers were looked into for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    pub memory: bool,
    pub redis: bool,
}

/// What a load from MySQL found.
pub struct Loaded {
    /// None: there is no such thing.
    pub body: Option<Bytes>,
    pub version: u64,
}

pub type Load = Box<dyn Fn(Deadline) -> BoxFuture<'static, Result<Loaded>> + Send + Sync>;
