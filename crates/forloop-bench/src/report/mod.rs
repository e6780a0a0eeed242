//! What is made of the figures.

mod table;

pub(crate) use table::table;
