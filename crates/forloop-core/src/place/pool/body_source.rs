//! A loop's source and its body's closure, as one source of bodies.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::delivery::DeliveryRule;
use super::worker_options::{TimeLimits, WorkerOptions};
use crate::Panic;
use crate::body::{Attempt, Body};
use crate::engine::Completion;
use crate::outcome::catch;

/// A loop's source together with the closure that makes a body of each item.
pub trait BodySource<B: Body> {
    /// The bounds on the number of bodies, as the source states them.
    fn size_hint(&self) -> (usize, Option<usize>);

    /// The time limits of the bodies, if they have some.
    #[doc(hidden)]
    fn time_limits(&self) -> Option<Box<dyn TimeLimits + Send>>;

    /// Whether there is a driver in the source that polls signals.
    #[doc(hidden)]
    fn has_signals(&self) -> bool {
        false
    }

    /// Begins the loop, before the first batch.
    #[doc(hidden)]
    fn begin(self: Pin<&mut Self>, _delivery: DeliveryRule<B::Returns>) {}

    /// Whether there are no more items. The source is polled only if its size hint says so, and a hint may be wrong. It is
    /// dropped next, so nothing needs to be woken for it.
    #[doc(hidden)]
    fn is_exhausted(self: Pin<&mut Self>) -> bool {
        false
    }

    /// Tells options in the source that the loop has stopped. It is dropped next.
    #[doc(hidden)]
    fn stop(self: Pin<&mut Self>) {}

    /// Pulls a batch. It ends at a panic.
    #[doc(hidden)]
    fn pull_batch(self: Pin<&mut Self>, cx: &mut Context<'_>, pull: Pulling<'_, B>) -> BatchEnd;
}

/// A source of bodies whose type is erased.
pub type BoxedSource<'env, B> = Pin<Box<dyn BodySource<B> + Send + 'env>>;

/// What a worker pulls from a source of bodies.
pub struct Pulling<'a, B: Body> {
    /// The number of items that were pulled: the index of the next one. It is advanced with each item.
    pub(crate) next: &'a mut usize,
    /// The number of bodies that the worker may have now.
    pub(crate) most: usize,
    /// Gets the bodies.
    pub(crate) bodies: &'a mut VecDeque<B>,
    /// Gets the attempt of each body, if there is a driver in the source. Otherwise, they have consecutive indices.
    pub(crate) attempts: &'a mut VecDeque<Attempt>,
    /// What the worker and such a driver tell each other.
    pub(crate) exchange: &'a mut Exchange<B::Returns>,
    /// The number of permits that were released. `None` where completions hold no permit.
    pub(crate) released: Option<usize>,
}

impl<B: Body> fmt::Debug for Pulling<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pulling").field("most", &self.most).finish_non_exhaustive()
    }
}

/// What a worker and the driver in a source tell each other.
pub(crate) struct Exchange<T> {
    /// Bodies that have completed on the worker, for the driver.
    pub(crate) reports: Vec<Completion<T>>,
    /// Items that have completed, for the loop.
    pub(crate) completed: Vec<Completion<T>>,
    /// Items that were waiting when the loop has stopped: they complete after that.
    pub(crate) leftovers: Vec<Completion<T>>,
}

impl<T> Exchange<T> {
    pub(crate) const fn new() -> Self {
        Self { reports: Vec::new(), completed: Vec::new(), leftovers: Vec::new() }
    }
}

/// Why a batch has ended.
#[derive(Debug)]
pub enum BatchEnd {
    /// It has as many bodies as were asked for, or as a worker may have now.
    Full,
    /// There are no more bodies now. The waker is woken when there may be more; a worker only if it has
    /// pulled before it sleeps.
    Pending,
    /// Another worker is about to take bodies, or to give some: nothing wakes the worker, so it tries again.
    Contended,
    /// No more bodies will come.
    Exhausted,
    /// The source has failed after this number of items. Its error is kept for the loop.
    SourceFailed(usize),
    /// A driver in the source has stopped the loop, for a completion that it has passed on.
    Stopped,
    /// A driver in the source has stopped the loop, and keeps the interruption for it.
    Interrupted,
    /// The closure panicked with the item of this index. The bodies before it were pulled.
    BodyPanicked(usize, Panic),
    /// The source panicked, while it gave an item or was dropped.
    SourcePanicked(Panic),
}

pin_project! {
    /// The [`BodySource`] of a loop.
    pub(crate) struct SourceBodies<S, F, W> {
        #[pin]
        source: S,
        body: F,
        options: W,
    }
}

impl<S, F, W> SourceBodies<S, F, W> {
    pub(crate) fn new(source: S, body: F, options: W) -> Self {
        Self { source, body, options }
    }
}

impl<S, F, B, W> BodySource<B> for SourceBodies<S, F, W>
where
    S: Stream,
    F: FnMut(W::Item) -> B,
    B: Body,
    W: WorkerOptions<S::Item>,
{
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }

    fn time_limits(&self) -> Option<Box<dyn TimeLimits + Send>> {
        self.options.time_limits()
    }

    fn is_exhausted(self: Pin<&mut Self>) -> bool {
        let cx = &mut Context::from_waker(Waker::noop());
        self.source.size_hint().1 == Some(0)
            && matches!(self.project().source.poll_next(cx), Poll::Ready(None))
    }

    fn pull_batch(self: Pin<&mut Self>, cx: &mut Context<'_>, pull: Pulling<'_, B>) -> BatchEnd {
        let Pulling { next, most, bodies, .. } = pull;
        let mut this = self.project();
        let mut is_in_body = false;
        // Once for the batch: a body may cost less than to catch its panic.
        let end = catch(|| {
            for _ in 0..most {
                is_in_body = false;
                let given = match this.source.as_mut().poll_next(cx) {
                    Poll::Ready(Some(given)) => given,
                    Poll::Ready(None) => return BatchEnd::Exhausted,
                    Poll::Pending => return BatchEnd::Pending,
                };
                let Some(item) = this.options.item_of(given) else {
                    return BatchEnd::SourceFailed(*next);
                };
                *next += 1;
                is_in_body = true;
                // A body may be large, so it is not passed on.
                bodies.push_back((this.body)(item));
            }
            BatchEnd::Full
        });
        end.unwrap_or_else(|panic| {
            if is_in_body {
                BatchEnd::BodyPanicked(*next - 1, panic)
            } else {
                BatchEnd::SourcePanicked(panic)
            }
        })
    }
}
