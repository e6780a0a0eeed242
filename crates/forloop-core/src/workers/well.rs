//! A source and a body's closure, as one source of bodies.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::Panic;
use crate::panic::catch;

/// Bodies on their way, each with its index.
pub(super) type Buckets<B> = VecDeque<(usize, B)>;

/// A source and the closure that makes a body of each item, whatever they are.
pub trait Well<B> {
    /// How many bodies there will be.
    fn size_hint(&self) -> (usize, Option<usize>);

    /// Makes up to `most` bodies, the first of them with the index `next`, and takes note of the next
    /// index then.
    #[doc(hidden)]
    fn draw(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        next: &mut usize,
        most: usize,
        bodies: &mut VecDeque<(usize, B)>,
    ) -> Drawn;
}

/// A well, behind its kind.
pub(crate) type BoxedWell<B> = Pin<Box<dyn Well<B> + Send>>;

/// Why no more bodies came.
#[derive(Debug)]
pub enum Drawn {
    /// These were as many as were wanted.
    Enough,
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
    pub(crate) struct Spring<S: Stream, F, I> {
        #[pin]
        source: S,
        admit: fn(S::Item) -> I,
        body: F,
    }
}

impl<S: Stream, F, I> Spring<S, F, I> {
    pub(crate) fn new(source: S, admit: fn(S::Item) -> I, body: F) -> Self {
        Self { source, admit, body }
    }
}

impl<S: Stream, F: FnMut(I) -> B, I, B> Well<B> for Spring<S, F, I> {
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }

    fn draw(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        next: &mut usize,
        most: usize,
        bodies: &mut VecDeque<(usize, B)>,
    ) -> Drawn {
        let mut this = self.project();
        for _ in 0..most {
            let given = match catch(|| this.source.as_mut().poll_next(cx)) {
                Ok(Poll::Ready(Some(given))) => given,
                Ok(Poll::Ready(None)) => return Drawn::Dry,
                Ok(Poll::Pending) => return Drawn::NoItem,
                Err(panic) => return Drawn::SourcePanicked(panic),
            };
            let index = *next;
            *next += 1;
            match catch(|| (this.body)((this.admit)(given))) {
                Ok(body) => bodies.push_back((index, body)),
                Err(panic) => return Drawn::BodyPanicked(index, panic),
            }
        }
        Drawn::Enough
    }
}
