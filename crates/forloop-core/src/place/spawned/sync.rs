//! The atomics that tasks share with their loop; in the model check, loom's.

#[cfg(not(forloop_loom))]
pub(super) use atomic_waker::AtomicWaker;
#[cfg(not(forloop_loom))]
pub(super) use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

#[cfg(forloop_loom)]
pub(super) use crate::engine::AtomicWaker;
#[cfg(forloop_loom)]
pub(super) use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering};
