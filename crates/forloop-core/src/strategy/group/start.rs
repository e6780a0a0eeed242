//! `Group::start`: waits until a child is ready.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::error::Error;
use core::fmt;
use core::pin::Pin;
use core::sync::atomic::{AtomicU8, Ordering};
use core::task::{Context, Poll};

use atomic_waker::AtomicWaker;
use pin_project_lite::pin_project;

use super::child::Child;
use crate::outcome::{catch, unboxed, write_with_source};
use crate::single::Single;
use crate::{BoxError, Closed, Panic};

/// Signals that a child is ready: see [`Group::start`](crate::Group::start).
///
/// It is sent once. If it is dropped unsent, the child will never be ready, and is cancelled unless
/// it has completed.
#[must_use = "dropping the signal unsent cancels the child"]
#[doc(alias = "task_status")]
pub struct ReadySignal<V> {
    channel: Arc<Oneshot<V>>,
}

impl<V> ReadySignal<V> {
    /// Signals that the child is ready, and sends `value` to the task that has started it.
    pub fn send(self, value: V) {
        self.channel.send(value);
    }
}

impl<V> Drop for ReadySignal<V> {
    fn drop(&mut self) {
        if self.channel.close() {
            self.channel.child.wake();
        }
    }
}

impl<V> fmt::Debug for ReadySignal<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadySignal").finish_non_exhaustive()
    }
}

/// Why a child did not become ready: see [`Group::start`](crate::Group::start).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError<E> {
    /// The child failed before it was ready.
    Failed(E),
    /// The child completed, or dropped its [`ReadySignal`], without sending it.
    NotReady,
    /// The child was cancelled before it was ready: its group was cancelled or has failed, or its
    /// runtime was shut down.
    Cancelled,
    /// The group is closed and accepts no more children.
    Closed,
}

impl<E> StartError<E> {
    /// Makes the child's error a [`BoxError`], so that `?` accepts it everywhere: as
    /// [`LoopError::boxed`](crate::LoopError::boxed).
    pub fn boxed(self) -> StartError<BoxError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        match self {
            Self::Failed(error) => StartError::Failed(BoxError(error.into())),
            Self::NotReady => StartError::NotReady,
            Self::Cancelled => StartError::Cancelled,
            Self::Closed => StartError::Closed,
        }
    }
}

impl<E: fmt::Display> fmt::Display for StartError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => {
                write_with_source(f, format_args!("the child failed before it was ready"), error)
            }
            Self::NotReady => f.write_str("the child did not signal that it was ready"),
            Self::Cancelled => f.write_str("the child was cancelled before it was ready"),
            Self::Closed => Closed.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for StartError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => Some(unboxed(error)),
            Self::NotReady | Self::Cancelled | Self::Closed => None,
        }
    }
}

/// Whether the signal was sent. It leaves `Open` once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SignalState {
    /// The child may still send it.
    Open,
    /// The child has sent it.
    Ready,
    /// It will not be sent, or nothing would receive it.
    Closed,
}

/// The channel on which a child signals that it is ready.
struct Oneshot<V> {
    /// A [`SignalState`].
    state: AtomicU8,
    value: Single<V>,
    /// The task that waits for the signal.
    starter: AtomicWaker,
    /// The child, until it is ready: it is cancelled when the channel closes.
    child: AtomicWaker,
}

impl<V> Oneshot<V> {
    fn new() -> Self {
        Self {
            state: AtomicU8::new(SignalState::Open as u8),
            value: Single::empty(),
            starter: AtomicWaker::new(),
            child: AtomicWaker::new(),
        }
    }

    fn send(&self, value: V) {
        // The value comes before the state, so that a task which sees `Ready` finds it.
        let is_first = self.value.put(value).is_ok();
        debug_assert!(is_first, "`ReadySignal::send` takes the signal by value");
        if self.leave_open(SignalState::Ready) {
            self.starter.wake();
        } else {
            drop(self.value.take());
        }
    }

    /// Closes the channel unless the signal was sent; `true` if it was open.
    fn close(&self) -> bool {
        self.leave_open(SignalState::Closed)
    }

    fn leave_open(&self, state: SignalState) -> bool {
        let (open, state) = (SignalState::Open as u8, state as u8);
        self.state.compare_exchange(open, state, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    fn is(&self, state: SignalState) -> bool {
        self.state.load(Ordering::SeqCst) == state as u8
    }
}

/// How a child has completed before it was ready, for the task that has started it.
enum EarlyCompletion<E> {
    Failed(E),
    Panicked(Panic),
    /// It returned a value or dropped its signal.
    NotReady,
}

type EarlySlot<E> = Arc<Single<EarlyCompletion<E>>>;

pin_project! {
    /// The future of a child that signals when it is ready. Until then its completion goes to the task that has
    /// started it, and not to its group.
    pub(super) struct StartingChild<F, V, E> {
        #[pin]
        future: Option<F>,
        channel: Arc<Oneshot<V>>,
        early: EarlySlot<E>,
    }
}

impl<F, V, T, E> Future for StartingChild<F, V, E>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Option<Result<T, E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        if this.channel.is(SignalState::Ready) {
            return future.poll(cx).map(Some);
        }
        this.channel.child.register(cx.waker());
        let polled = catch(|| future.poll(cx));
        if let Ok(Poll::Pending) = polled
            && !this.channel.is(SignalState::Closed)
        {
            return Poll::Pending;
        }
        this.channel.close();
        if this.channel.is(SignalState::Ready) {
            return match polled {
                Ok(polled) => polled.map(Some),
                Err(panic) => panic.resume(),
            };
        }
        // The destructors run before the starting task is notified.
        let dropped = catch(|| this.future.set(None));
        let completion = match (polled, dropped) {
            (Err(panic), _) | (_, Err(panic)) => EarlyCompletion::Panicked(panic),
            (Ok(Poll::Ready(Err(error))), Ok(())) => EarlyCompletion::Failed(error),
            (Ok(Poll::Ready(Ok(_)) | Poll::Pending), Ok(())) => EarlyCompletion::NotReady,
        };
        let is_first = this.early.put(completion).is_ok();
        debug_assert!(is_first, "a child completes once");
        Poll::Ready(None)
    }
}

/// Starts a child, and waits until it is ready.
pub(super) struct Start<G, N, V, T, E> {
    /// What makes the child's future, and what adds the child to its group. Taken at the first poll.
    make_and_add: Option<(G, N)>,
    channel: Arc<Oneshot<V>>,
    early: EarlySlot<E>,
    /// Taken when it is returned.
    child: Option<Child<T>>,
}

// Nothing of it is pinned.
impl<G, N, V, T, E> Unpin for Start<G, N, V, T, E> {}

impl<G, N, V, T, E> Start<G, N, V, T, E> {
    pub(super) fn new<F>(body: G, add_child: N) -> Self
    where
        G: FnOnce(ReadySignal<V>) -> F,
        N: FnOnce(StartingChild<F, V, E>) -> Result<Child<T>, Closed>,
    {
        Self {
            make_and_add: Some((body, add_child)),
            channel: Arc::new(Oneshot::new()),
            early: Arc::new(Single::empty()),
            child: None,
        }
    }
}

impl<G, N, F, V, T, E> Future for Start<G, N, V, T, E>
where
    G: FnOnce(ReadySignal<V>) -> F,
    N: FnOnce(StartingChild<F, V, E>) -> Result<Child<T>, Closed>,
{
    type Output = Result<(Child<T>, V), StartError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some((body, add_child)) = self.make_and_add.take() {
            let future = body(ReadySignal { channel: self.channel.clone() });
            let (channel, early) = (self.channel.clone(), self.early.clone());
            match add_child(StartingChild { future: Some(future), channel, early }) {
                Ok(child) => self.child = Some(child),
                Err(Closed) => return Poll::Ready(Err(StartError::Closed)),
            }
        }
        self.channel.starter.register(cx.waker());
        let child =
            self.child.as_ref().expect("a start is not polled again after it has completed");
        // Polled first: a child that completes after this line may have been ready before it.
        let has_completed = child.poll_completed(cx).is_ready();
        if self.channel.is(SignalState::Ready)
            && let Some(value) = self.channel.value.take()
            && let Some(child) = self.child.take()
        {
            return Poll::Ready(Ok((child, value)));
        }
        if !has_completed {
            return Poll::Pending;
        }
        self.child = None;
        Poll::Ready(Err(match self.early.take() {
            Some(EarlyCompletion::Failed(error)) => StartError::Failed(error),
            Some(EarlyCompletion::Panicked(panic)) => panic.resume(),
            Some(EarlyCompletion::NotReady) => StartError::NotReady,
            None => StartError::Cancelled,
        }))
    }
}

impl<G, N, V, T, E> Drop for Start<G, N, V, T, E> {
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            // Nothing would receive its signal or its error.
            self.channel.close();
            child.cancel();
        }
    }
}
