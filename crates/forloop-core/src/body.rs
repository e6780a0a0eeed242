//! Bodies: the futures that a loop runs, one for each item.

/// A body: the future that a loop's closure returns for an item.
///
/// Every future is a body. The trait exists for its error message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the body of a concurrent loop",
    label = "the closure returns this instead of a future",
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
    message = "this strategy is for bodies that may fail, and this one returns no `Result`",
    label = "needs bodies that return a `Result<T, E>`",
    note = "`gather`, `race`, `as_completed` and `stream` take bodies that return anything"
)]
pub trait TryBody<T, E>: Body<Returns = Result<T, E>> {}

#[diagnostic::do_not_recommend]
impl<B: Body<Returns = Result<T, E>>, T, E> TryBody<T, E> for B {}

/// A body that returns nothing.
#[diagnostic::on_unimplemented(
    message = "this strategy keeps nothing, and its body returns something",
    label = "needs bodies that return `()`",
    note = "`gather` keeps every output; a body that may fail is for `try_for_each` or `settle`"
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
    pub(crate) fn first(index: usize) -> Self {
        Self { index, attempt: 1 }
    }
}
