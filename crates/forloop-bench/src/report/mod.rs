//! The reports: a table, targets, JSON, and a chart.

mod chart;
mod json;
pub(crate) mod machine;
mod table;
mod targets;

pub(crate) use chart::chart;
pub(crate) use json::json;
pub(crate) use machine::paragraph;
pub(crate) use table::table;
pub(crate) use targets::targets;
