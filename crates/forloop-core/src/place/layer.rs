//! What wraps each body of a loop before it starts: a span, a stopwatch, a name.

use crate::body::{Attempt, Body};

/// Wraps each body of a loop in another future with the same output.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer for the body `{B}`",
    label = "expected a `Layer` for this body",
    note = "implement `Layer` for the type: its method `layer` takes a body and returns the wrapped body"
)]
pub trait Layer<B: Body> {
    /// The wrapped body.
    type Layered: Body<Returns = B::Returns>;

    /// Wraps a body, made for this attempt at this item. Called where the body's closure is: in the loop's own task,
    /// or by a [worker](crate::Loop::on_workers).
    fn layer(&self, attempt: Attempt, body: B) -> Self::Layered;
}
