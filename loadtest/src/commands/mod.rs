//! The commands, one a file or folder.

pub mod common;
pub mod run;
pub mod scale_out;
