//! A loop's source and its body's closure, as one source of bodies.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::Panic;
use crate::outcome::catch;

/// Bodies that were pulled and not started, each with its index.
pub(super) type Batch<B> = VecDeque<(usize, B)>;

/// A loop's source together with the closure that makes a body of each item.
pub trait BodySource<B> {
    /// The bounds on the number of bodies, as the source states them.
    fn size_hint(&self) -> (usize, Option<usize>);

    /// Adds up to `most` bodies to `bodies`. `next` is the index of the next item; it is advanced with
    /// each item that is pulled.
    #[doc(hidden)]
    fn pull_batch(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        next: &mut usize,
        most: usize,
        bodies: &mut VecDeque<(usize, B)>,
    ) -> BatchEnd;
}

/// A source of bodies whose type is erased.
pub type BoxedSource<B> = Pin<Box<dyn BodySource<B> + Send>>;

/// Why a batch has ended.
#[derive(Debug)]
pub enum BatchEnd {
    /// It has as many bodies as were asked for, or as a worker may have now.
    Full,
    /// There are no more bodies now. The waker is woken when there may be more; a worker only if it has
    /// pulled before it sleeps.
    Pending,
    /// No more bodies will come.
    Exhausted,
    /// The closure panicked with the item of this index. The bodies before it were pulled.
    BodyPanicked(usize, Panic),
    /// The source panicked, while it gave an item or was dropped.
    SourcePanicked(Panic),
}

pin_project! {
    /// The [`BodySource`] of a loop.
    pub(crate) struct SourceBodies<S: Stream, F, I> {
        #[pin]
        source: S,
        item_of: fn(S::Item) -> I,
        body: F,
    }
}

impl<S: Stream, F, I> SourceBodies<S, F, I> {
    pub(crate) fn new(source: S, item_of: fn(S::Item) -> I, body: F) -> Self {
        Self { source, item_of, body }
    }
}

impl<S: Stream, F: FnMut(I) -> B, I, B> BodySource<B> for SourceBodies<S, F, I> {
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }

    fn pull_batch(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        next: &mut usize,
        most: usize,
        bodies: &mut VecDeque<(usize, B)>,
    ) -> BatchEnd {
        let mut this = self.project();
        for _ in 0..most {
            let item = match catch(|| this.source.as_mut().poll_next(cx)) {
                Ok(Poll::Ready(Some(item))) => item,
                Ok(Poll::Ready(None)) => return BatchEnd::Exhausted,
                Ok(Poll::Pending) => return BatchEnd::Pending,
                Err(panic) => return BatchEnd::SourcePanicked(panic),
            };
            let index = *next;
            *next += 1;
            // A body may be large, so it is not passed on.
            let make = || bodies.push_back((index, (this.body)((this.item_of)(item))));
            if let Err(panic) = catch(make) {
                return BatchEnd::BodyPanicked(index, panic);
            }
        }
        BatchEnd::Full
    }
}
