//! Newtypes that every feature shares: ids, money, quantities, pages. Arithmetic on them is checked.

pub mod id;
pub mod money;
pub mod page;
pub mod text;
