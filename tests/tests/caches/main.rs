//! The caches: watched, switched, flushed, overrun, and with Redis broken in every way. Answers stay right.

mod bounds;
mod burst;
mod fixture;
mod random;
mod redis_faults;
mod switches;
