//! A body that is watched.

use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use pin_project_lite::pin_project;

use crate::EventKind;
use crate::log::{BodyId, Group, Log};

pin_project! {
    /// A body that is watched: the same future, and its recorder hears of it.
    ///
    /// It has the output of the future in it, is `Send`, `Sync` and `Unpin` if that is, and borrows what
    /// that borrows. `V` says which outputs are failures.
    #[derive(Debug)]
    #[must_use = "a future does nothing until it is awaited"]
    pub struct Watched<F, V = AnyOutput> {
        #[pin]
        future: F,
        bell: Weak<Bell>,
        verdict: PhantomData<V>,
        // Dropped behind the future: what is cancelled is gone when that is recorded.
        life: Life,
    }
}

impl<F, V> Watched<F, V> {
    pub(crate) fn new(future: F, life: Life) -> Self {
        Self { future, bell: Weak::new(), verdict: PhantomData, life }
    }
}

impl<F: Future, V: Verdict<F::Output>> Future for Watched<F, V> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // The body's own wakers are ours as long as it is polled with the same one.
        let kept = this.bell.upgrade().filter(|bell| bell.of.will_wake(cx.waker()));
        let bell = kept.unwrap_or_else(|| {
            let bell = Arc::new(this.life.bell(cx.waker().clone()));
            *this.bell = Arc::downgrade(&bell);
            bell
        });
        let waker = Waker::from(bell);
        let future = this.future;
        this.life.begin();
        let polled = this.life.or_panicked(|| future.poll(&mut Context::from_waker(&waker)));
        match &polled {
            Poll::Pending => this.life.record(EventKind::Suspended),
            Poll::Ready(output) if V::is_failure(output) => this.life.end(EventKind::Failed),
            Poll::Ready(_) => this.life.end(EventKind::Done),
        }
        polled
    }
}

/// Says which outputs of a body are failures.
///
/// [`AnyOutput`] and [`ResultOutput`] are all there are.
pub trait Verdict<T>: sealed::Sealed {
    /// Whether a body with this output has failed.
    fn is_failure(output: &T) -> bool;
}

/// A body may return anything, and that is no failure.
#[derive(Debug, Clone, Copy)]
pub struct AnyOutput;

impl<T> Verdict<T> for AnyOutput {
    fn is_failure(_output: &T) -> bool {
        false
    }
}

/// A body returns a `Result`, of which an `Err` is a failure.
#[derive(Debug, Clone, Copy)]
pub struct ResultOutput;

impl<T, E> Verdict<Result<T, E>> for ResultOutput {
    fn is_failure(output: &Result<T, E>) -> bool {
        output.is_err()
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::AnyOutput {}
    impl Sealed for super::ResultOutput {}
}

/// A body's own part in the log. It ends with the body, if not before.
pub(crate) struct Life {
    log: Arc<Log>,
    body: BodyId,
    has_begun: bool,
    has_ended: bool,
}

impl Life {
    /// The life of a body that is made now.
    pub(crate) fn new(log: Arc<Log>, group: Group, index: usize) -> Self {
        let body = log.queue(group, index);
        Self { log, body, has_begun: false, has_ended: false }
    }

    /// The life of a body that is in no loop.
    pub(crate) fn single(log: Arc<Log>, name: &str) -> Self {
        let body = log.queue_single(name);
        Self { log, body, has_begun: false, has_ended: false }
    }

    /// Calls `f`, and if it panics, so has the body.
    pub(crate) fn or_panicked<T>(&mut self, f: impl FnOnce() -> T) -> T {
        let panicked = Panicked(self);
        let value = f();
        mem::forget(panicked);
        value
    }

    fn bell(&self, of: Waker) -> Bell {
        Bell { of, log: self.log.clone(), body: self.body }
    }

    fn begin(&mut self) {
        let kind = if self.has_begun { EventKind::Resumed } else { EventKind::JobHandle };
        self.has_begun = true;
        self.record(kind);
    }

    fn record(&self, kind: EventKind) {
        // Whoever polls a body that has ended hears of it from the body.
        if !self.has_ended {
            self.log.record(self.body, kind);
        }
    }

    fn end(&mut self, kind: EventKind) {
        self.record(kind);
        self.has_ended = true;
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.end(EventKind::Cancelled);
    }
}

impl fmt::Debug for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { body, has_begun, has_ended, .. } = self;
        let mut life = f.debug_struct("Life");
        life.field("body", &body.row()).field("has_begun", has_begun);
        life.field("has_ended", has_ended).finish_non_exhaustive()
    }
}

/// A body is being polled or made. Dropped by a panic only.
struct Panicked<'a>(&'a mut Life);

impl Drop for Panicked<'_> {
    fn drop(&mut self) {
        self.0.end(EventKind::Panicked);
    }
}

/// What wakes a body, and tells the log.
struct Bell {
    of: Waker,
    log: Arc<Log>,
    body: BodyId,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // First: whoever is woken may be quicker.
        self.log.record(self.body, EventKind::Woken);
        self.of.wake_by_ref();
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bell").field("of", &self.of).finish_non_exhaustive()
    }
}
