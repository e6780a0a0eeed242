//! The atomics of the engine: core's, or loom's where the protocol is model-checked.

#[cfg(not(forloop_loom))]
pub(super) use core::sync::atomic::{AtomicUsize, Ordering};
#[cfg(forloop_loom)]
pub(super) use loom::sync::atomic::{AtomicUsize, Ordering};
