//! A place whose bodies are wrapped before they start: in a span, a stopwatch, a name.

use core::fmt;

use super::{Attempt, Body, Brought, Place};
use crate::Loop;
use crate::workers::{BoxedWell, Crew};

/// Puts something around each body of a loop.
///
/// Implemented for a value that makes, of any body, another future with the same output; it is told which attempt at
/// which item the body is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot wrap `{B}`",
    label = "this wraps no bodies, or none of this kind"
)]
pub trait Wrap<B: Body> {
    /// The body in its wrapping.
    type Wrapped: Body<Returns = B::Returns>;

    /// Wraps a body. Called in the loop's own task, where the loop is polled.
    fn wrap(&self, attempt: Attempt, body: B) -> Self::Wrapped;
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
    /// use forloop::{Attempt, Body, Wrap};
    ///
    /// /// Tells of each body, and keeps it on the heap.
    /// struct Boxed;
    ///
    /// impl<B: Body> Wrap<B> for Boxed {
    ///     type Wrapped = std::pin::Pin<Box<B>>;
    ///
    ///     fn wrap(&self, attempt: Attempt, body: B) -> Self::Wrapped {
    ///         println!("attempt {} at item {}", attempt.attempt, attempt.index);
    ///         Box::pin(body)
    ///     }
    /// }
    ///
    /// let doubled = forloop::each([1, 2]).unbounded().wrap(Boxed).gather(async |n| n * 2).await;
    /// assert_eq!(doubled, [2, 4]);
    /// # });
    /// ```
    pub fn wrap<W>(self, wrap: W) -> Loop<S, Wrapped<P, W>, L, C> {
        self.map_place(|place| Wrapped { place, wrap })
    }
}

/// Somewhere bodies run, each in a wrapping.
#[derive(Clone)]
pub struct Wrapped<P, W> {
    place: P,
    wrap: W,
}

impl<B: Body, P: Place<W::Wrapped>, W: Wrap<B>> Place<B> for Wrapped<P, W> {
    type Job = P::Job;
    type Supply = Brought;

    fn start(&self, body: B) -> P::Job {
        self.start_attempt(Attempt::first(0), body)
    }

    fn start_attempt(&self, attempt: Attempt, body: B) -> P::Job {
        self.place.start_attempt(attempt, self.wrap.wrap(attempt, body))
    }

    fn crew(&self, _well: Option<BoxedWell<B>>) -> Option<Crew<P::Job>> {
        self.place.crew(None)
    }
}

impl<P: fmt::Debug, W> fmt::Debug for Wrapped<P, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wrapped").field("place", &self.place).finish_non_exhaustive()
    }
}
