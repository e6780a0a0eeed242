//! The backends that are no runtime values of their own, and so are no backends by themselves.

#![forbid(unsafe_code)]

mod backend;

pub use crate::backend::{Host, Scoped, Tokio};
