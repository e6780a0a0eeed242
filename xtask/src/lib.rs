//! The project's own commands, behind `cargo xtask`.
//!
//! It depends on no crate of the project and on no runtime: what judges the answers must not share
//! code with those who give them. It is a library so that its tests can drive the same code that the
//! command runs.

#![forbid(unsafe_code)]

pub mod bench;
pub mod compare;
mod diff;
pub mod hosts;
pub mod processes;
pub mod verify;
