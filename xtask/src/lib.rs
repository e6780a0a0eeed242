//! The project's own commands, behind `cargo xtask`.
//!
//! The package depends on no crate of the project and on no runtime: the code that judges outputs shares
//! no code with the programs that print them. It is a library so that the tests call the same code as the
//! command.

#![forbid(unsafe_code)]

pub mod bench;
pub mod compare;
mod compile_time;
mod diff;
pub mod hosts;
pub mod processes;
pub mod verify;
