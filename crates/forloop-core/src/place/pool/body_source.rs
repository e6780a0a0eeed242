//! A loop's source and its body's closure, as one source of bodies.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::worker_options::{TimeLimits, WorkerOptions};
use crate::Panic;
use crate::outcome::catch;

/// A loop's source together with the closure that makes a body of each item.
pub trait BodySource<B> {
    /// The bounds on the number of bodies, as the source states them.
    fn size_hint(&self) -> (usize, Option<usize>);

    /// The time limits of the bodies, if they have some.
    #[doc(hidden)]
    fn time_limits(&self) -> Option<Box<dyn TimeLimits + Send>>;

    /// Adds up to `most` bodies to `bodies`. `next` is the index of the next item; it is advanced with
    /// each item that is pulled. The batch ends at a panic, so its bodies have consecutive indices.
    #[doc(hidden)]
    fn pull_batch(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        next: &mut usize,
        most: usize,
        bodies: &mut VecDeque<B>,
    ) -> BatchEnd;
}

/// A source of bodies whose type is erased.
pub type BoxedSource<'env, B> = Pin<Box<dyn BodySource<B> + Send + 'env>>;

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
    W: WorkerOptions<S::Item>,
{
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }

    fn time_limits(&self) -> Option<Box<dyn TimeLimits + Send>> {
        self.options.time_limits()
    }

    fn pull_batch(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        next: &mut usize,
        most: usize,
        bodies: &mut VecDeque<B>,
    ) -> BatchEnd {
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
