//! How bodies get to their place: the loop's task pushes them, or workers pull them.

use core::convert::Infallible;
use core::marker::PhantomData;

use super::pool::BoxedSource;
use crate::body::Body;

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
    type Source<B: Body>;
}

impl Sources for Push {
    type Source<B: Body> = Infallible;
}

impl<'env> Sources for Pull<'env> {
    type Source<B: Body> = BoxedSource<'env, B>;
}

/// Whether the caller's task pushes the bodies to their place, or workers pull the items from `S` and call
/// the closure `F`, which makes `B`s. `W` is what the workers have of the loop's options.
///
/// Implemented by [`Push`] and [`Pull`]. The [`Place`](crate::place::Place) says which of them it needs; `Pull`
/// asks more of items, closure and options.
#[diagnostic::on_unimplemented(
    message = "the source or the closure of this loop cannot be sent to a worker pool",
    label = "the workers pull items and call the closure on other threads",
    note = "the source and the closure must be `Send` and own what they use (`'static`): put `move` before the \
            closure, and clone what it uses",
    note = "so must the error of a fallible source, the clock of `timeout`, and options that decide when bodies start, \
            with the items",
    note = "for a source or a closure that is not, use `.on(runtime)`, or \
            `.at(WorkerPool::new(runtime).push_dispatch())`: the loop then calls the closure in the caller's task",
    note = "inside `forloop::parallel` they may borrow; if they are not `Send`, use `.on_scoped_tasks(cores)`"
)]
pub trait Dispatch<S, F, B: Body, W>: Sources {
    /// Makes one source of bodies of source and closure, or returns both if the bodies are pushed. `options` makes what
    /// the workers have of the options.
    #[doc(hidden)]
    fn body_source(
        source: S,
        body: F,
        options: impl FnOnce() -> W,
    ) -> Result<Self::Source<B>, (S, F)>;
}

impl<S, F, B: Body, W> Dispatch<S, F, B, W> for Push {
    #[inline(always)] // so that what it returns is constructed in place
    fn body_source(source: S, body: F, _options: impl FnOnce() -> W) -> Result<Infallible, (S, F)> {
        Err((source, body))
    }
}

impl<'env, S, F, B, W> Dispatch<S, F, B, W> for Pull<'env>
where
    S: Send + 'env,
    F: Send + 'env,
    B: Body,
    W: IntoSource<'env, S, F, B>,
{
    fn body_source(
        source: S,
        body: F,
        options: impl FnOnce() -> W,
    ) -> Result<BoxedSource<'env, B>, (S, F)> {
        Ok(options().into_source(source, body))
    }
}

/// What workers have of a loop's options: it makes a source of bodies of a source `S` and a closure `F`.
#[doc(hidden)]
pub trait IntoSource<'env, S, F, B: Body> {
    /// Makes the source.
    fn into_source(self, source: S, body: F) -> BoxedSource<'env, B>;
}
