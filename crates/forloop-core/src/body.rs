//! Bodies: the futures that a loop runs, one for each item.

/// A body: the future that a loop's closure returns for an item.
///
/// Every future is a body. The trait exists for its error message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the body of a concurrent loop",
    label = "the closure returns `{Self}`, which is not a future",
    note = "return an `async` block: `|item| async move {{ .. }}`, or call an `async fn`"
)]
pub trait Body: Future<Output = Self::Returns> {
    /// What the body returns: the future's output.
    type Returns;
}

/// A body that may fail: it returns a `Result`.
///
/// Every body that returns a `Result` implements it. The trait exists for its error message.
#[diagnostic::on_unimplemented(
    message = "this strategy needs a body that returns `Result<T, E>`",
    label = "the body returns something else",
    note = "return `Ok(..)` or `Err(..)`; `gather`, `race`, `as_completed` and `stream` accept any return type"
)]
pub trait TryBody<T, E>: Body<Returns = Result<T, E>> {}

#[diagnostic::do_not_recommend]
impl<B: Body<Returns = Result<T, E>>, T, E> TryBody<T, E> for B {}

/// A body that returns nothing.
#[diagnostic::on_unimplemented(
    message = "this strategy needs a body that returns `()`",
    label = "the body returns something else",
    note = "end the body with `;` to drop its output; `gather` returns the output of every body",
    note = "a body that may fail returns `Result<(), E>`: use `try_for_each`"
)]
pub trait UnitBody: Body<Returns = ()> {}

#[diagnostic::do_not_recommend]
impl<B: Body<Returns = ()>> UnitBody for B {}

#[diagnostic::do_not_recommend]
impl<F: Future + ?Sized> Body for F {
    type Returns = F::Output;
}

/// The item of a body, and the attempt number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The item's index in the input.
    pub index: usize,
    /// The attempt number, starting at 1.
    pub attempt: u32,
}

impl Attempt {
    /// The first attempt at the item with this index.
    #[must_use]
    pub fn first(index: usize) -> Self {
        Self { index, attempt: 1 }
    }
}
