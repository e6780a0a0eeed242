//! Models of the ready queue and of the set, checked by loom under every interleaving: no wake is lost or
//! taken twice, a sleeping loop is woken, cells are touched by one thread at a time, and what wakers point
//! to is freed once, after its last use.
//!
//! `RUSTFLAGS="--cfg forloop_loom" cargo test --release -p forloop-core --lib model`

#![allow(unsafe_code, reason = "cells that loom checks for data races")]

pub(crate) mod negative_controls;
mod queue;
mod set;
mod task_cells;

use alloc::sync::Arc;
use alloc::task::Wake;
use core::task::Waker;

use loom::sync::Notify;

/// Checks every interleaving with at most three preemptions. Each mutation is found with fewer,
/// and few enough interleavings remain to check them all.
pub(crate) fn model(test: impl Fn() + Send + Sync + 'static) {
    check(3, test);
}

/// Checks every interleaving with at most two preemptions. With three it would take minutes.
fn model_with_two_preemptions(test: impl Fn() + Send + Sync + 'static) {
    check(2, test);
}

fn check(preemptions: usize, test: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(test);
}

/// The task that polls the loop. It is parked until it is woken.
pub(crate) struct Parked(
    pub(crate) Notify,
    #[expect(dead_code, reason = "loom fails if it leaks")] loom::alloc::Track<()>,
);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

pub(crate) fn parked() -> (Arc<Parked>, Waker) {
    let parked = Arc::new(Parked(Notify::new(), loom::alloc::Track::new(())));
    (parked.clone(), Waker::from(parked))
}

/// Writes to a cell that loom checks.
fn write(cell: *mut usize, value: usize) {
    // SAFETY: loom passes the address of a live cell, and fails if another thread accesses it.
    unsafe { *cell = value }
}

/// Lends the waker of a poll to another thread.
fn lend(waker: &Waker) -> &'static Waker {
    // SAFETY: the bodies that call this join the thread before their poll returns.
    unsafe { &*core::ptr::from_ref(waker) }
}
