//! The commands, one a file or folder.

pub mod calibrate;
pub mod common;
pub mod compare;
pub mod merge;
pub mod plan;
pub mod run;
