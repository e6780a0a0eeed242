//! A watched body, and its waker.

use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use pin_project_lite::pin_project;

use crate::event::EventKind;
use crate::log::{BodyId, Group, Log};

pin_project! {
    /// A watched body: a future that polls the body and records its events.
    ///
    /// It has the same output as the body, is `Send`, `Sync` and `Unpin` if the body is, and borrows what
    /// the body borrows. `V` decides which outputs are failures.
    #[derive(Debug)]
    #[must_use = "a future does nothing until it is awaited"]
    pub struct Watched<F, V = AnyOutput> {
        #[pin]
        future: F,
        waker: Weak<RecordingWaker>,
        classify: PhantomData<V>,
        // Dropped after the future: a cancelled body is recorded after its destructors have run.
        log: BodyLog,
    }
}

impl<F, V> Watched<F, V> {
    pub(crate) fn new(future: F, log: BodyLog) -> Self {
        Self { future, waker: Weak::new(), classify: PhantomData, log }
    }
}

impl<F: Future, V: Classify<F::Output>> Future for Watched<F, V> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // The body gets the same waker again as long as the caller's waker stays the same, so that
        // `will_wake` is true inside the body too.
        let cached = this.waker.upgrade().filter(|waker| waker.inner.will_wake(cx.waker()));
        let recording = cached.unwrap_or_else(|| {
            let recording = Arc::new(this.log.waker(cx.waker().clone()));
            *this.waker = Arc::downgrade(&recording);
            recording
        });
        let waker = Waker::from(recording);
        let future = this.future;
        this.log.begin_poll();
        let polled = this.log.record_panics(|| future.poll(&mut Context::from_waker(&waker)));
        match &polled {
            Poll::Pending => this.log.record(EventKind::Suspended),
            Poll::Ready(output) if V::is_failure(output) => this.log.complete(EventKind::Failed),
            Poll::Ready(_) => this.log.complete(EventKind::Completed),
        }
        polled
    }
}

/// Decides which outputs of a body are failures.
///
/// Implemented by [`AnyOutput`] and [`ResultOutput`], and sealed.
pub trait Classify<T>: sealed::Sealed {
    /// Whether `output` is a failure.
    fn is_failure(output: &T) -> bool;
}

/// No output is a failure.
#[derive(Debug, Clone, Copy)]
pub struct AnyOutput;

impl<T> Classify<T> for AnyOutput {
    fn is_failure(_output: &T) -> bool {
        false
    }
}

/// The body returns a `Result`, and an `Err` is a failure.
#[derive(Debug, Clone, Copy)]
pub struct ResultOutput;

impl<T, E> Classify<Result<T, E>> for ResultOutput {
    fn is_failure(output: &Result<T, E>) -> bool {
        output.is_err()
    }
}

mod sealed {
    #[expect(unnameable_types, reason = "it seals")]
    pub trait Sealed {}
    impl Sealed for super::AnyOutput {}
    impl Sealed for super::ResultOutput {}
}

/// The log of one body. Dropped before the body completed, it records a cancellation.
pub(crate) struct BodyLog {
    log: Arc<Log>,
    body: BodyId,
    has_started: bool,
    has_completed: bool,
}

impl BodyLog {
    /// Adds a body to a group.
    pub(crate) fn new(log: Arc<Log>, group: Group, index: usize) -> Self {
        let body = log.queue(group, index);
        Self { log, body, has_started: false, has_completed: false }
    }

    /// Adds a body that belongs to no loop.
    pub(crate) fn single(log: Arc<Log>, name: &str) -> Self {
        let body = log.queue_single(name);
        Self { log, body, has_started: false, has_completed: false }
    }

    /// Calls `f`, and records a panic of `f` as a panic of the body.
    pub(crate) fn record_panics<T>(&mut self, f: impl FnOnce() -> T) -> T {
        let guard = PanicGuard(self);
        let value = f();
        mem::forget(guard);
        value
    }

    fn waker(&self, inner: Waker) -> RecordingWaker {
        RecordingWaker { inner, log: self.log.clone(), body: self.body }
    }

    fn begin_poll(&mut self) {
        let kind = if self.has_started { EventKind::Resumed } else { EventKind::Started };
        self.has_started = true;
        self.record(kind);
    }

    fn record(&self, kind: EventKind) {
        // A poll after completion is not recorded; the body decides what it does.
        if !self.has_completed {
            self.log.record(self.body, kind);
        }
    }

    fn complete(&mut self, kind: EventKind) {
        self.record(kind);
        self.has_completed = true;
    }
}

impl Drop for BodyLog {
    fn drop(&mut self) {
        self.complete(EventKind::Cancelled);
    }
}

impl fmt::Debug for BodyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { body, has_started, has_completed, .. } = self;
        let mut log = f.debug_struct("BodyLog");
        log.field("body", &body.row()).field("has_started", has_started);
        log.field("has_completed", has_completed).finish_non_exhaustive()
    }
}

/// Records a panic when it is dropped; forgotten if there was none.
struct PanicGuard<'a>(&'a mut BodyLog);

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        self.0.complete(EventKind::Panicked);
    }
}

/// Records each wake of a body, and forwards it.
struct RecordingWaker {
    inner: Waker,
    log: Arc<Log>,
    body: BodyId,
}

impl Wake for RecordingWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Recorded first: another thread may poll the body as soon as it is woken.
        self.log.record(self.body, EventKind::Woken);
        self.inner.wake_by_ref();
    }
}

impl fmt::Debug for RecordingWaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingWaker").field("inner", &self.inner).finish_non_exhaustive()
    }
}
