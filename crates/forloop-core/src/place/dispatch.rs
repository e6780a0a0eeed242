//! How bodies get to their place: the loop's task pushes them, or workers pull them.

use alloc::boxed::Box;
use core::convert::Infallible;
use core::marker::PhantomData;

use futures_core::Stream;

use super::pool::{BoxedSource, SourceBodies, WorkerOptions};

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
/// the closure `F`. `W` is what the workers have of the loop's options.
///
/// Implemented by [`Push`] and [`Pull`]. The [`Place`](crate::Place) says which of them it needs; `Pull`
/// asks more of items, closure and options.
#[diagnostic::on_unimplemented(
    message = "the source or the closure of this loop cannot be sent to a worker pool",
    label = "the workers pull items and call the closure on other threads",
    note = "the source and the closure must be `Send` and own what they use (`'static`): put `move` before the \
            closure, and clone what it uses",
    note = "the error of the source and the clock of `timeout` must be `Send`, too",
    note = "for a source or a closure that is not, use `.on(runtime)`, or \
            `.at(WorkerPool::new(runtime).push_dispatch())`: the loop then calls the closure in the caller's task",
    note = "inside `forloop::parallel` they may borrow; if they are not `Send`, use `.on_scoped_tasks(cores)`"
)]
pub trait Dispatch<S: Stream, F, I, W>: Sources {
    /// Makes one source of bodies of source and closure, or returns both if the bodies are pushed.
    ///
    /// `options` makes what the workers have of the options. It is `None` if one of them must see each body start: then the bodies are pushed also by [`Pull`].
    #[doc(hidden)]
    fn body_source<B>(
        source: S,
        body: F,
        options: Option<impl FnOnce() -> W>,
    ) -> Result<Self::Source<B>, (S, F)>
    where
        F: FnMut(I) -> B;
}

impl<S: Stream, F, I, W> Dispatch<S, F, I, W> for Push {
    fn body_source<B>(
        source: S,
        body: F,
        _options: Option<impl FnOnce() -> W>,
    ) -> Result<Infallible, (S, F)>
    where
        F: FnMut(I) -> B,
    {
        Err((source, body))
    }
}

impl<'env, S, F, I, W> Dispatch<S, F, I, W> for Pull<'env>
where
    S: Stream + Send + 'env,
    F: Send + 'env,
    W: WorkerOptions<S::Item, Item = I> + Send + 'env,
{
    fn body_source<B>(
        source: S,
        body: F,
        options: Option<impl FnOnce() -> W>,
    ) -> Result<BoxedSource<'env, B>, (S, F)>
    where
        F: FnMut(I) -> B,
    {
        match options {
            Some(options) => Ok(Box::pin(SourceBodies::new(source, body, options()))),
            None => Err((source, body)),
        }
    }
}
