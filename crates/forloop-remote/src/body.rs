//! A named body, and a call of it.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::call_error::CallError;
use crate::job::BodyId;

/// The name and version of a body, with the types of its item, its value and its error.
///
/// Producer and workers agree on it. No code travels: a worker has registered the function with
/// [`Bodies::with`](crate::Bodies::with). Change the version when the meaning or the types change; a worker takes only the
/// versions that it has, so old and new ones may run side by side.
///
/// What runs elsewhere may fail for a reason of the way, so the error is made [from](From) a [`CallError`]. A body without errors of its
/// own has `CallError` itself.
///
/// # Examples
///
/// ```
/// use forloop_remote::{Body, CallError};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Serialize, Deserialize)]
/// enum FetchError {
///     Status(u16),
///     Call(CallError),
/// }
///
/// impl From<CallError> for FetchError {
///     fn from(error: CallError) -> Self {
///         Self::Call(error)
///     }
/// }
///
/// const FETCH: Body<String, usize, FetchError> = Body::named("crawl.fetch", 1);
/// ```
pub struct Body<I, T, E = CallError> {
    name: &'static str,
    version: u32,
    is_once: bool,
    types: PhantomData<fn(I) -> Result<T, E>>,
}

impl<I, T, E> Body<I, T, E> {
    /// Makes a body with this name and version.
    pub const fn named(name: &'static str, version: u32) -> Self {
        Self { name, version, is_once: false, types: PhantomData }
    }

    /// Marks each call before it begins, and never begins it a second time.
    ///
    /// If its worker dies after the mark, the outcome is [`Lost`](forloop_core::Outcome::Lost): the body may have run or not. A
    /// [retry](forloop_core::Loop::retry) of the loop is another call.
    ///
    /// # Costs
    ///
    /// One round trip to the broker for each call, before the body begins.
    #[must_use]
    pub const fn once(self) -> Self {
        Self { is_once: true, ..self }
    }

    /// Calls the body with an item. In a loop [`on_remote`](crate::OnRemote::on_remote) this is the loop's body.
    pub fn call(self, item: I) -> Call<I, T, E> {
        Call { body: self, item }
    }

    /// The name and version, as the broker has them.
    pub fn id(&self) -> BodyId {
        BodyId { name: self.name.to_owned(), version: self.version }
    }

    pub(crate) fn is_once(&self) -> bool {
        self.is_once
    }
}

impl<I, T, E> Clone for Body<I, T, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<I, T, E> Copy for Body<I, T, E> {}

impl<I, T, E> fmt::Debug for Body<I, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, version, is_once, types: _ } = self;
        let mut tuple = f.debug_struct("Body");
        tuple.field("name", name).field("version", version).field("is_once", is_once).finish()
    }
}

/// A call of a named body: the body of a loop that is [`on_remote`](crate::OnRemote::on_remote).
///
/// It is a future because bodies are. Only the place of a run can run it.
///
/// # Panics
///
/// If it is polled, which happens in a loop without `on_remote`.
#[must_use = "a call does nothing outside of a loop `.on_remote(&run)`"]
pub struct Call<I, T, E = CallError> {
    pub(crate) body: Body<I, T, E>,
    pub(crate) item: I,
}

impl<I, T, E> Future for Call<I, T, E> {
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Self::Output> {
        panic!("a call of the body {} runs in a loop `.on_remote(&run)` only", self.body.id());
    }
}

impl<I, T, E> fmt::Debug for Call<I, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("body", &self.body).finish_non_exhaustive()
    }
}
