//! [`Ambient`]: the clock around a loop, which its options find by themselves.

#[cfg(any(feature = "tokio", feature = "timer", feature = "sim"))]
mod clock;

#[cfg(any(feature = "tokio", feature = "timer", feature = "sim"))]
pub use self::clock::AmbientTimer;

/// The clock around a loop: what its options use unless [`timer`](forloop_core::Loop::timer) sets another.
///
/// It is that of the simulation or of the tokio runtime around the loop. Elsewhere it is the system's, which smol and
/// async-std use, or without these features that of the tokio runtime which [`runtime()`](crate::runtime) starts.
///
/// Each option looks for its clock when it first reads it, while the loop is polled, and keeps it. So a loop may be made
/// outside of the runtime that runs it.
///
/// Without any of the features `smol`, `tokio`, `async-std`, `timer` and `sim` there is no clock, and an option that
/// needs one does not compile.
///
/// # Examples
///
/// A function that takes the clock from its caller, who may have none in mind:
///
/// ```
/// # #[cfg(feature = "smol")]
/// # fn main() {
/// use std::time::Duration;
///
/// use forloop::TimerSet;
///
/// async fn lengths(words: &[&str], clock: &impl TimerSet) -> Vec<usize> {
///     let looping = forloop::each(words).unbounded().timer(&clock.timer());
///     let lengths = looping.deadline(Duration::from_secs(5)).gather(async |word| word.len());
///     lengths.await.expect("five seconds are enough")
/// }
///
/// assert_eq!(forloop::block_on(lengths(&["to", "be"], &forloop::Ambient)), [2, 2]);
/// # }
/// # #[cfg(not(feature = "smol"))]
/// # fn main() {}
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Ambient;
