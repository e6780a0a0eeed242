//! Backends that implement `Backend` themselves, because they are not runtime values.

#![forbid(unsafe_code)]

mod backend;

pub use crate::backend::{Host, Owning, Scoped, Tokio, TokioLocal, TokioThread};
