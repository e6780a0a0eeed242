//! A cancellation token.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll};

use event_listener::{Event, EventListener};

/// A cancellation token. Any clone may cancel it, and every clone is notified.
///
/// A loop takes a token through [`cancel_on`](crate::Loop::cancel_on), a group through its own
/// `cancel_on`. A body that holds a clone may check [`is_cancelled`](Self::is_cancelled) between steps, or
/// await [`cancelled`](Self::cancelled). A token can be awaited itself.
///
/// A [`child`](Self::child) is cancelled with its parent, and may be cancelled without it.
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
#[doc(alias = "CancellationToken")]
#[doc(alias = "AbortController")]
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
        // A loop and not a recursion: a long chain of tokens must not overflow the stack.
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

    /// Makes a token that is cancelled when this one is, and may be cancelled on its own.
    pub fn child(&self) -> Self {
        let (cancelled, event) = (AtomicBool::new(false), Event::new());
        Self { node: Arc::new(Node { cancelled, event, parent: Some(self.clone()) }) }
    }

    /// Cancels this token, its clones and its children. A second call has no effect.
    pub fn cancel(&self) {
        if !self.node.cancelled.swap(true, Ordering::SeqCst) {
            self.node.event.notify(usize::MAX);
        }
    }

    /// Whether this token or one of its ancestors was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.ancestry().any(|token| token.node.cancelled.load(Ordering::SeqCst))
    }

    /// Returns a future that is ready once the token is cancelled.
    ///
    /// When it is first pending, it allocates once for the token and once for each of its ancestors.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped and requested again.
    pub fn cancelled(&self) -> Cancellation {
        Cancellation { token: self.clone(), listeners: Vec::new() }
    }

    /// Returns a guard that cancels the token when it is dropped, as that of tokio-util does: at the end of a scope, at
    /// a `?` and in a panic.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use forloop::CancelToken;
    ///
    /// let token = CancelToken::new();
    /// {
    ///     let _guard = token.clone().drop_guard();
    ///     assert!(!token.is_cancelled());
    /// }
    /// assert!(token.is_cancelled());
    /// ```
    pub fn drop_guard(self) -> DropGuard {
        DropGuard { token: Some(self) }
    }

    /// The token, its parent, and so on.
    fn ancestry(&self) -> impl Iterator<Item = &Self> {
        core::iter::successors(Some(self), |token| token.node.parent.as_ref())
    }
}

/// Two tokens are equal if one is a clone of the other.
impl PartialEq for CancelToken {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.node, &other.node)
    }
}

impl Eq for CancelToken {}

/// Cancels its [`CancelToken`] when it is dropped.
#[derive(Debug)]
#[must_use = "dropping the guard cancels its token; keep it, or call `disarm`"]
pub struct DropGuard {
    /// `None` once it was disarmed.
    token: Option<CancelToken>,
}

impl DropGuard {
    /// Returns the token without cancelling it.
    pub fn disarm(mut self) -> CancelToken {
        self.token.take().expect("a guard is disarmed once")
    }
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        if let Some(token) = self.token.take() {
            token.cancel();
        }
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
    /// One for the token and one for each of its ancestors, once it was pending.
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
            // A listener that is kept would wake the task once more: when an ancestor is cancelled, too.
            *listeners = Vec::new();
            return Poll::Ready(());
        }
        if listeners.is_empty() {
            listeners.extend(token.ancestry().map(|token| token.node.event.listen()));
        }
        let is_notified = |listener: &mut EventListener| Pin::new(listener).poll(cx).is_ready();
        // A cancellation before the listeners were registered notifies none of them.
        if token.is_cancelled() || listeners.iter_mut().any(is_notified) {
            *listeners = Vec::new();
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::CancelToken;

    #[test]
    fn a_guard_cancels_its_token_unless_it_is_disarmed() {
        let token = CancelToken::new();
        let disarmed = token.clone().drop_guard().disarm();
        assert!(disarmed == token && !token.is_cancelled());
        let guard = token.child().drop_guard();
        drop(guard);
        assert!(!token.is_cancelled());
        drop(token.clone().drop_guard());
        assert!(token.is_cancelled());
    }

    #[test]
    fn only_clones_of_a_token_are_equal() {
        let token = CancelToken::new();
        assert_eq!(token, token.clone());
        assert_ne!(token, token.child());
        assert_ne!(CancelToken::new(), token);
    }
}
