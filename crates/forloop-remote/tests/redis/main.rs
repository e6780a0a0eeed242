//! The engine on a real `redis-server`: its contract, and processes that die, freeze and come back. Each item has the
//! outcome of the local loop.
//!
//! Everything is ended by its process id. The processes are this test program itself, in the role that the environment says.
#![cfg(feature = "redis")]

#[path = "../engine/mod.rs"]
mod engine;

mod contract;
mod faults;
mod foreign;
mod processes;
mod server;
mod status;
#[cfg(feature = "redis-tls")]
mod tls;
