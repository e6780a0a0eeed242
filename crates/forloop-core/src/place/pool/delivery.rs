//! How soon the completion of a body is delivered to its loop.

/// How much a body's output tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Nothing: it may be dropped.
    Discard,
    /// It may wait until there are many, and come in any order.
    Batched,
    /// Somebody waits for it, or for its place in the order of ends.
    Prompt,
    /// It stops the loop.
    Terminal,
}

/// How much the ends of bodies tell.
pub(crate) struct DeliveryRule<T> {
    /// How much an output tells; if nothing else is said, it is light.
    pub(crate) output: Option<fn(&T) -> Delivery>,
    /// How much a panic does.
    pub(crate) panic: Delivery,
}

impl<T> Clone for DeliveryRule<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for DeliveryRule<T> {}

impl<T> DeliveryRule<T> {
    /// Each completion is delivered promptly.
    pub(super) const PROMPT: Self =
        Self { output: Some(|_| Delivery::Prompt), panic: Delivery::Prompt };
}
