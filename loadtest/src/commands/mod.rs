//! The commands, one a file or folder.

pub mod chaos;
pub mod common;
pub mod compare;
pub mod merge;
pub mod run;
