//! A source and a body's closure, as one source of bodies.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::Panic;
use crate::outcome::catch;

/// Bodies on their way, each with its index.
pub(super) type Batch<B> = VecDeque<(usize, B)>;

/// A source and the closure that makes a body of each item, whatever they are.
pub trait BodySource<B> {
    /// How many bodies there will be.
    fn size_hint(&self) -> (usize, Option<usize>);

    /// Makes up to `most` bodies, the first of them with the index `next`, and takes note of the next
    /// index then.
    #[doc(hidden)]
    fn pull_batch(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        next: &mut usize,
        most: usize,
        bodies: &mut VecDeque<(usize, B)>,
    ) -> Pulled;
}

/// A well, behind its kind.
pub(crate) type BoxedSource<B> = Pin<Box<dyn BodySource<B> + Send>>;

/// Why no more bodies came.
#[derive(Debug)]
pub enum Pulled {
    /// These were as many as were wanted.
    ConditionMet,
    /// The source has no item yet.
    NoItem,
    /// The source has run dry.
    Dry,
    /// The closure has panicked over the item of this index.
    BodyPanicked(usize, Panic),
    /// The source has panicked.
    SourcePanicked(Panic),
}

pin_project! {
    /// The well of a loop.
    pub(crate) struct SourceBodies<S: Stream, F, I> {
        #[pin]
        source: S,
        admit: fn(S::Item) -> I,
        body: F,
    }
}

impl<S: Stream, F, I> SourceBodies<S, F, I> {
    pub(crate) fn new(source: S, admit: fn(S::Item) -> I, body: F) -> Self {
        Self { source, admit, body }
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
    ) -> Pulled {
        let mut this = self.project();
        for _ in 0..most {
            let given = match catch(|| this.source.as_mut().poll_next(cx)) {
                Ok(Poll::Ready(Some(given))) => given,
                Ok(Poll::Ready(None)) => return Pulled::Dry,
                Ok(Poll::Pending) => return Pulled::NoItem,
                Err(panic) => return Pulled::SourcePanicked(panic),
            };
            let index = *next;
            *next += 1;
            match catch(|| (this.body)((this.admit)(given))) {
                Ok(body) => bodies.push_back((index, body)),
                Err(panic) => return Pulled::BodyPanicked(index, panic),
            }
        }
        Pulled::ConditionMet
    }
}
