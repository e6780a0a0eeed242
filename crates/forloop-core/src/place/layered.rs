//! A place whose bodies are wrapped before they start: in a span, a stopwatch, a name.

use core::fmt;

use super::{Attempt, Body, Place, Push};
use crate::Loop;
use crate::workers::{BoxedSource, PoolHandle};

/// Puts something around each body of a loop.
///
/// Implemented for a value that makes, of any body, another future with the same output; it is told which attempt at
/// which item the body is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot wrap `{B}`",
    label = "this wraps no bodies, or none of this kind"
)]
pub trait Layer<B: Body> {
    /// The body in its wrapping.
    type Layered: Body<Returns = B::Returns>;

    /// Wraps a body. Called in the loop's own task, where the loop is polled.
    fn layer(&self, attempt: Attempt, body: B) -> Self::Layered;
}

impl<S, P, L, C> Loop<S, P, L, C> {
    /// Puts something around each body, wherever it runs: for spans, stopwatches and the like.
    ///
    /// Say where the bodies run before this. On workers, the caller's task makes the bodies.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use forloop::{Attempt, Body, Layer};
    ///
    /// /// Tells of each body, and keeps it on the heap.
    /// struct Boxed;
    ///
    /// impl<B: Body> Layer<B> for Boxed {
    ///     type Layered = std::pin::Pin<Box<B>>;
    ///
    ///     fn layer(&self, attempt: Attempt, body: B) -> Self::Layered {
    ///         println!("attempt {} at item {}", attempt.attempt, attempt.index);
    ///         Box::pin(body)
    ///     }
    /// }
    ///
    /// let doubled = forloop::each([1, 2]).unbounded().layer(Boxed).gather(async |n| n * 2).await;
    /// assert_eq!(doubled, [2, 4]);
    /// # });
    /// ```
    pub fn layer<W>(self, layer: W) -> Loop<S, Layered<P, W>, L, C> {
        self.map_place(|place| Layered { place, layer })
    }
}

/// Somewhere bodies run, each in a wrapping.
#[derive(Clone)]
pub struct Layered<P, W> {
    place: P,
    layer: W,
}

impl<B: Body, P: Place<W::Layered>, W: Layer<B>> Place<B> for Layered<P, W> {
    type Job = P::Job;
    type Dispatch = Push;

    fn start(&self, body: B) -> P::Job {
        self.start_attempt(Attempt::first(0), body)
    }

    fn start_attempt(&self, attempt: Attempt, body: B) -> P::Job {
        self.place.start_attempt(attempt, self.layer.layer(attempt, body))
    }

    fn pool(&self, _well: Option<BoxedSource<B>>) -> Option<PoolHandle<P::Job>> {
        self.place.pool(None)
    }
}

impl<P: fmt::Debug, W> fmt::Debug for Layered<P, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wrapped").field("place", &self.place).finish_non_exhaustive()
    }
}
