//! A child that is waited for until it is ready.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::error::Error;
use core::fmt;
use core::pin::Pin;
use core::sync::atomic::{AtomicU8, Ordering};
use core::task::{Context, Poll};

use atomic_waker::AtomicWaker;
use concurrent_queue::ConcurrentQueue;
use pin_project_lite::pin_project;

use super::child::Child;
use crate::outcome::catch;
use crate::{BoxError, Closed, Panic};

/// By this a child says that it is ready: see [`Group::start`](crate::Group::start).
///
/// It says so once. Dropped without a word, the child will never be ready, and is stopped if it has not
/// ended.
#[must_use = "dropped, it says that the child will never be ready"]
pub struct ReadySignal<V> {
    word: Arc<Oneshot<V>>,
}

impl<V> ReadySignal<V> {
    /// Says that the child is ready, and gives `value` to whoever has started it.
    pub fn send(self, value: V) {
        self.word.send(value);
    }
}

impl<V> Drop for ReadySignal<V> {
    fn drop(&mut self) {
        if self.word.close() {
            self.word.child.wake();
        }
    }
}

impl<V> fmt::Debug for ReadySignal<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness").finish_non_exhaustive()
    }
}

/// Why a child was not ready: see [`Group::start`](crate::Group::start).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError<E> {
    /// The child failed before it was ready.
    Failed(E),
    /// The child ended, or let go of its [`ReadySignal`], without having said that it is ready.
    NotReady,
    /// The child was stopped before it was ready: its group was cancelled or has failed, or its runtime
    /// was shut down.
    Cancelled,
    /// The group is closed and takes no more children.
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
            Self::Failed(error) => write!(f, "the child failed before it was ready: {error}"),
            Self::NotReady => f.write_str("the child did not say that it was ready"),
            Self::Cancelled => f.write_str("the child was cancelled before it was ready"),
            Self::Closed => Closed.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for StartError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => Some(error),
            _ => None,
        }
    }
}

/// The child may still say that it is ready.
const OPEN: u8 = 0;
/// It has said so.
const READY: u8 = 1;
/// It never will, or nobody would hear it.
const CLOSED: u8 = 2;

/// What a child has to say, and who wants to hear of it.
struct Oneshot<V> {
    state: AtomicU8,
    value: ConcurrentQueue<V>,
    /// Whoever waits for the word.
    starter: AtomicWaker,
    /// The child, until it is ready: it does not go on when the word is closed.
    child: AtomicWaker,
}

impl<V> Oneshot<V> {
    fn new() -> Self {
        Self {
            state: AtomicU8::new(OPEN),
            value: ConcurrentQueue::bounded(1),
            starter: AtomicWaker::new(),
            child: AtomicWaker::new(),
        }
    }

    fn send(&self, value: V) {
        // First the value, so that whoever sees that it was said finds it.
        let is_first = self.value.push(value).is_ok();
        debug_assert!(is_first, "a word is said once");
        if self.turn_to(READY) {
            self.starter.wake();
        } else {
            drop(self.value.pop());
        }
    }

    /// Closes the word, unless it was said; `true` if it was open.
    fn close(&self) -> bool {
        self.turn_to(CLOSED)
    }

    fn turn_to(&self, state: u8) -> bool {
        self.state.compare_exchange(OPEN, state, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    fn state(&self) -> u8 {
        self.state.load(Ordering::SeqCst)
    }
}

/// The end of a child that was not ready, for whoever has started it.
enum Premature<E> {
    Failed(E),
    Panicked(Panic),
    Silent,
}

type StartCompletions<E> = Arc<ConcurrentQueue<Premature<E>>>;

pin_project! {
    /// The future of a child that is to say that it is ready: until then its end is not its group's.
    pub(super) struct StartState<F, V, E> {
        #[pin]
        future: Option<F>,
        word: Arc<Oneshot<V>>,
        ends: StartCompletions<E>,
    }
}

impl<F, V, T, E> Future for StartState<F, V, E>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Option<Result<T, E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        if this.word.state() == READY {
            return future.poll(cx).map(Some);
        }
        this.word.child.register(cx.waker());
        let polled = catch(|| future.poll(cx));
        if let Ok(Poll::Pending) = polled
            && this.word.state() != CLOSED
        {
            return Poll::Pending;
        }
        this.word.close();
        if this.word.state() == READY {
            return match polled {
                Ok(polled) => polled.map(Some),
                Err(panic) => panic.resume(),
            };
        }
        // Its destructors run before anybody is told of its end.
        let dropped = catch(|| this.future.set(None));
        let end = match (polled, dropped) {
            (Err(panic), _) | (_, Err(panic)) => Premature::Panicked(panic),
            (Ok(Poll::Ready(Err(error))), Ok(())) => Premature::Failed(error),
            (Ok(Poll::Ready(Ok(_)) | Poll::Pending), Ok(())) => Premature::Silent,
        };
        let is_first = this.ends.push(end).is_ok();
        debug_assert!(is_first, "a child ends once");
        Poll::Ready(None)
    }
}

/// Starts a child, and waits until it is ready.
pub(super) struct Start<G, N, V, T, E> {
    /// What makes the child, and what has the group begin it: gone when it has begun.
    begin: Option<(G, N)>,
    word: Arc<Oneshot<V>>,
    ends: StartCompletions<E>,
    /// Gone when it has been given.
    child: Option<Child<T>>,
}

// Nothing of it is pinned.
impl<G, N, V, T, E> Unpin for Start<G, N, V, T, E> {}

impl<G, N, V, T, E> Start<G, N, V, T, E> {
    pub(super) fn new<F>(body: G, begin: N) -> Self
    where
        G: FnOnce(ReadySignal<V>) -> F,
        N: FnOnce(StartState<F, V, E>) -> Result<Child<T>, Closed>,
    {
        Self {
            begin: Some((body, begin)),
            word: Arc::new(Oneshot::new()),
            ends: Arc::new(ConcurrentQueue::bounded(1)),
            child: None,
        }
    }
}

impl<G, N, F, V, T, E> Future for Start<G, N, V, T, E>
where
    G: FnOnce(ReadySignal<V>) -> F,
    N: FnOnce(StartState<F, V, E>) -> Result<Child<T>, Closed>,
{
    type Output = Result<(Child<T>, V), StartError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some((body, begin)) = self.begin.take() {
            let future = body(ReadySignal { word: self.word.clone() });
            let (word, ends) = (self.word.clone(), self.ends.clone());
            match begin(StartState { future: Some(future), word, ends }) {
                Ok(child) => self.child = Some(child),
                Err(Closed) => return Poll::Ready(Err(StartError::Closed)),
            }
        }
        self.word.starter.register(cx.waker());
        let child = self.child.as_ref().expect("a start that is over is not polled again");
        // Looked at first: a child that has ended by the next line may have been ready before.
        let has_ended = child.poll_completed(cx).is_ready();
        if self.word.state() == READY
            && let Ok(value) = self.word.value.pop()
            && let Some(child) = self.child.take()
        {
            return Poll::Ready(Ok((child, value)));
        }
        if !has_ended {
            return Poll::Pending;
        }
        self.child = None;
        Poll::Ready(Err(match self.ends.pop() {
            Ok(Premature::Failed(error)) => StartError::Failed(error),
            Ok(Premature::Panicked(panic)) => panic.resume(),
            Ok(Premature::Silent) => StartError::NotReady,
            Err(_) => StartError::Cancelled,
        }))
    }
}

impl<G, N, V, T, E> Drop for Start<G, N, V, T, E> {
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            // Nobody would hear that it is ready, or that it has failed.
            self.word.close();
            child.cancel();
        }
    }
}
