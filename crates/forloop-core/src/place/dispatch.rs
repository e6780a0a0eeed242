//! How bodies come to where they run: pushed by the loop's task, or pulled by workers.

use alloc::boxed::Box;

use futures_core::Stream;

use super::pool::{BoxedSource, SourceBodies};

/// Bodies are brought by the caller's task: it pulls the items and calls the body's closure.
#[derive(Debug, Clone, Copy)]
pub struct Push;

/// Bodies are drawn by those who run them: they pull the items and call the body's closure, on whatever
/// thread they are.
#[derive(Debug, Clone, Copy)]
pub struct Pull;

/// How the bodies of a loop over `S` with the closure `F`, which takes an `I`, come to where they run.
///
/// [`Push`] and [`Pull`] are all there are; which of them is up to the [`Place`].
#[diagnostic::on_unimplemented(
    message = "the items or the closure of this loop cannot be shared by workers",
    label = "workers pull the items and call the closure on threads of the runtime",
    note = "items and closure own what they use (`'static`: put `move` before the closure and clone what \
            it needs) and are `Send`; if they must borrow, run each body `.on(runtime)`, or bring the \
            bodies to the workers: `.at(WorkerPool::new(runtime).push_dispatch())`"
)]
pub trait Dispatch<S: Stream, F, I> {
    /// The well from which bodies are drawn; or source and closure again, if they are brought.
    #[doc(hidden)]
    fn body_source<B>(source: S, body: F, admit: Option<fn(S::Item) -> I>) -> Dispatched<S, F, B>
    where
        F: FnMut(I) -> B;
}

/// What becomes of a loop's source and closure.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "a closure has none")]
pub enum Dispatched<S, F, B> {
    /// The loop's own task pulls and calls.
    Push(S, F),
    /// Whoever has this does.
    Pull(BoxedSource<B>),
}

impl<S: Stream, F, I> Dispatch<S, F, I> for Push {
    fn body_source<B>(source: S, body: F, _admit: Option<fn(S::Item) -> I>) -> Dispatched<S, F, B>
    where
        F: FnMut(I) -> B,
    {
        Dispatched::Push(source, body)
    }
}

impl<S, F, I> Dispatch<S, F, I> for Pull
where
    S: Stream + Send + 'static,
    F: Send + 'static,
    I: 'static,
{
    fn body_source<B>(source: S, body: F, admit: Option<fn(S::Item) -> I>) -> Dispatched<S, F, B>
    where
        F: FnMut(I) -> B,
    {
        match admit {
            Some(admit) => Dispatched::Pull(Box::pin(SourceBodies::new(source, admit, body))),
            None => Dispatched::Push(source, body),
        }
    }
}
