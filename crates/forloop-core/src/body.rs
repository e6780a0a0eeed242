//! Bodies: the futures that a loop runs, one for each item.
//!
//! `for_each` has the bounds `B: UnitBody<Body = B>` and `P: Place<B::Body, Set = J>`, and the strategies that need a
//! [`TryBody`] have the same. The second bound could say `B`. But then, for a body of another kind, the compiler would
//! know the type of the loop's future even so, and would check the bounds again wherever the future is used: one
//! mistake would be three errors. For such a body it does not know `B::Body`, and so neither `J` nor the future.

/// A body: the future that a loop's closure returns for an item.
///
/// Every future is a body. The trait exists for its error message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the body of a concurrent loop",
    label = "the closure returns `{Self}`, which is not a future",
    note = "return an `async` block: `|item| async move {{ .. }}`, or call an `async fn`",
    note = "for a closure that blocks, use `.on_blocking(runtime)` and wrap the closure: `forloop::sync_body(|item| ..)`"
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
pub trait TryBody: Body<Returns = Result<Self::Ok, Self::Error>> {
    /// What a body that succeeds returns.
    type Ok;

    /// What a body that fails returns.
    type Error;

    /// The body itself.
    type Body;
}

// With `impl<B: Body<Returns = Result<T, E>>, T, E>` the compiler would know `Body` of any body.
#[diagnostic::do_not_recommend]
impl<B> TryBody for B
where
    B: ReturnsResult,
    B: Body<Returns = Result<<B as ReturnsResult>::Ok, <B as ReturnsResult>::Error>>,
{
    type Ok = <B as ReturnsResult>::Ok;
    type Error = <B as ReturnsResult>::Error;
    type Body = B;
}

/// A body that returns some `Result`.
pub trait ReturnsResult: Body<Returns: IsResult> {
    /// What a body that succeeds returns.
    type Ok;

    /// What a body that fails returns.
    type Error;
}

impl<B: Body<Returns: IsResult>> ReturnsResult for B {
    type Ok = <B::Returns as IsResult>::Ok;
    type Error = <B::Returns as IsResult>::Error;
}

/// A `Result`, as an item of a fallible source or as what a body returns.
#[diagnostic::on_unimplemented(
    message = "`try_each` needs items of type `Result<T, E>`, found `{Self}`",
    label = "the items of this source are not `Result`s",
    note = "use `forloop::each(..)` or `forloop::each_stream(..)` for a source that cannot fail"
)]
pub trait IsResult: sealed::Sealed {
    /// The value of an `Ok`.
    type Ok;

    /// The value of an `Err`.
    type Error;
}

impl<T, E> IsResult for Result<T, E> {
    type Ok = T;
    type Error = E;
}

mod sealed {
    #[expect(unnameable_types, reason = "it seals")]
    pub trait Sealed {}

    impl<T, E> Sealed for Result<T, E> {}
}

/// A body that returns nothing.
#[diagnostic::on_unimplemented(
    message = "this strategy needs a body that returns `()`",
    label = "the body returns something else",
    note = "end the body with `;` to drop its output; `gather` returns the output of every body",
    note = "a body that may fail returns `Result<(), E>`: use `try_for_each`"
)]
pub trait UnitBody: Body<Returns = ()> {
    /// The body itself.
    type Body;
}

#[diagnostic::do_not_recommend]
impl<B: Body<Returns = ()>> UnitBody for B {
    type Body = B;
}

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
