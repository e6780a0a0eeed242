//! How bodies get to their place: the loop's task pushes them, or workers pull them.

use alloc::boxed::Box;
use core::convert::Infallible;
use core::marker::PhantomData;

use futures_core::Stream;

use super::pool::{BoxedSource, SourceBodies};

/// The caller's task pulls the items, calls the body's closure, and pushes each body to its place.
#[derive(Debug, Clone, Copy)]
pub struct Push;

/// Workers pull the items and call the body's closure themselves, each on its own thread. Both may borrow for `'env`.
#[derive(Debug, Clone, Copy)]
pub struct Pull<'env>(PhantomData<fn() -> &'env ()>);

/// What the workers of a place pull bodies from.
///
/// Implemented by [`Push`] and [`Pull`].
pub trait Sources {
    /// A source of bodies `B`.
    #[doc(hidden)]
    type Source<B>;
}

impl Sources for Push {
    type Source<B> = Infallible;
}

impl<'env> Sources for Pull<'env> {
    type Source<B> = BoxedSource<'env, B>;
}

/// Whether the caller's task pushes the bodies to their place, or workers pull the items from `S` and call
/// the closure `F`.
///
/// Implemented by [`Push`] and [`Pull`]. The [`Place`](crate::Place) says which of them it needs; `Pull`
/// asks more of items and closure.
#[diagnostic::on_unimplemented(
    message = "the source or the closure of this loop cannot be sent to a worker pool",
    label = "the workers pull items and call the closure on other threads",
    note = "the source and the closure must be `Send` and own what they use (`'static`): put `move` before the \
            closure, and clone what it uses",
    note = "for a source or a closure that is not, use `.on(runtime)`, or \
            `.at(WorkerPool::new(runtime).push_dispatch())`: the loop then calls the closure in the caller's task",
    note = "inside `forloop::parallel` they may borrow; if they are not `Send`, use `.on_scoped_tasks(cores)`"
)]
pub trait Dispatch<S: Stream, F, I>: Sources {
    /// Makes one source of bodies of source and closure, or returns both if the bodies are pushed.
    ///
    /// `item_of` converts an item of the source to the closure's argument. It is `None` if an option must see
    /// each body start: then the bodies are pushed also by [`Pull`].
    #[doc(hidden)]
    fn body_source<B>(
        source: S,
        body: F,
        item_of: Option<fn(S::Item) -> I>,
    ) -> Result<Self::Source<B>, (S, F)>
    where
        F: FnMut(I) -> B;
}

impl<S: Stream, F, I> Dispatch<S, F, I> for Push {
    fn body_source<B>(
        source: S,
        body: F,
        _item_of: Option<fn(S::Item) -> I>,
    ) -> Result<Infallible, (S, F)>
    where
        F: FnMut(I) -> B,
    {
        Err((source, body))
    }
}

impl<'env, S, F, I> Dispatch<S, F, I> for Pull<'env>
where
    S: Stream + Send + 'env,
    F: Send + 'env,
    I: 'env,
{
    fn body_source<B>(
        source: S,
        body: F,
        item_of: Option<fn(S::Item) -> I>,
    ) -> Result<BoxedSource<'env, B>, (S, F)>
    where
        F: FnMut(I) -> B,
    {
        match item_of {
            Some(item_of) => Ok(Box::pin(SourceBodies::new(source, item_of, body))),
            None => Err((source, body)),
        }
    }
}
