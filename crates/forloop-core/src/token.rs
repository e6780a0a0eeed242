//! A cancellation token: one says stop, many hear it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll};

use event_listener::{Event, EventListener};

/// A cancellation token: whoever holds a clone may cancel, and everybody hears of it.
///
/// A loop takes one through [`cancel_on`](crate::Loop::cancel_on), a group through its own
/// `cancel_on`; a body that holds a clone may ask [`is_cancelled`](Self::is_cancelled) between steps,
/// or await [`cancelled`](Self::cancelled). It is a future when it is awaited.
///
/// A [`child`](Self::child) is cancelled with its parent, and can be cancelled without it.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// use forloop::CancelToken;
///
/// let program = CancelToken::new();
/// let request = program.child();
/// request.cancel();
/// assert!(request.is_cancelled() && !program.is_cancelled());
/// request.cancelled().await;
/// # });
/// ```
#[derive(Clone, Default)]
pub struct CancelToken {
    node: Arc<Node>,
}

#[derive(Default)]
struct Node {
    cancelled: AtomicBool,
    event: Event,
    parent: Option<CancelToken>,
}

impl Drop for Node {
    fn drop(&mut self) {
        // One by one: a long line of descent is no deep stack.
        let mut next = self.parent.take();
        while let Some(CancelToken { node }) = next {
            next = Arc::into_inner(node).and_then(|mut node| node.parent.take());
        }
    }
}

impl CancelToken {
    /// Makes a token that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a token that is cancelled with this one, and by itself.
    pub fn child(&self) -> Self {
        let (cancelled, event) = (AtomicBool::new(false), Event::new());
        Self { node: Arc::new(Node { cancelled, event, parent: Some(self.clone()) }) }
    }

    /// Cancels this token, its clones and its children. Cancelling twice is cancelling once.
    pub fn cancel(&self) {
        if !self.node.cancelled.swap(true, Ordering::SeqCst) {
            self.node.event.notify(usize::MAX);
        }
    }

    /// Whether this token or one it descends from was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.line().any(|token| token.node.cancelled.load(Ordering::SeqCst))
    }

    /// Returns a future that is ready once the token is cancelled.
    ///
    /// Costs an allocation for the token and one for each it descends from, when it first has to
    /// wait.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub fn cancelled(&self) -> Cancellation {
        Cancellation { token: self.clone(), listeners: Vec::new() }
    }

    /// The token, its parent, and so on.
    fn line(&self) -> impl Iterator<Item = &Self> {
        core::iter::successors(Some(self), |token| token.node.parent.as_ref())
    }
}

impl IntoFuture for CancelToken {
    type Output = ();
    type IntoFuture = Cancellation;

    fn into_future(self) -> Cancellation {
        Cancellation { token: self, listeners: Vec::new() }
    }
}

impl IntoFuture for &CancelToken {
    type Output = ();
    type IntoFuture = Cancellation;

    fn into_future(self) -> Cancellation {
        self.cancelled()
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken").field("cancelled", &self.is_cancelled()).finish()
    }
}

/// A future that is ready once its [`CancelToken`] is cancelled.
#[derive(Debug)]
#[must_use = "futures do nothing unless they are awaited"]
pub struct Cancellation {
    token: CancelToken,
    /// One for the token and one for each it descends from, once it has to wait.
    listeners: Vec<EventListener>,
}

impl Clone for Cancellation {
    fn clone(&self) -> Self {
        self.token.cancelled()
    }
}

impl Future for Cancellation {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { token, listeners } = &mut *self;
        if token.is_cancelled() {
            return Poll::Ready(());
        }
        if listeners.is_empty() {
            listeners.extend(token.line().map(|token| token.node.event.listen()));
            // What was cancelled before it was listened to is not told.
            if token.is_cancelled() {
                return Poll::Ready(());
            }
        }
        for listener in listeners {
            if Pin::new(listener).poll(cx).is_ready() {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}
