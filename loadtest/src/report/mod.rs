//! Reports: one HTML file with embedded pictures, that can be read on screen and printed.
//!
//! A report is a [`page::Page`] with tables and [`chart`]s; its [`folder::Folder`] holds it beside JSON and CSV.

pub mod chart;
pub mod csv;
pub mod folder;
pub mod number;
pub mod page;
pub mod run;
pub mod screen;
pub mod table;
