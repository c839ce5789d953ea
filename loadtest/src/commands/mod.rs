//! The commands, one a file or folder.

pub mod autoscale;
pub mod calibrate;
pub mod chaos;
pub mod common;
pub mod compare;
pub mod merge;
pub mod plan;
pub mod run;
pub mod scale_out;
pub mod stub;
