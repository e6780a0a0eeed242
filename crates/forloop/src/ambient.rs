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
/// The same code runs on the clock of tokio in a program, and on that of the simulation in a test:
///
/// ```
/// # #[cfg(feature = "sim")]
/// # fn main() {
/// use std::time::Duration;
///
/// use forloop::sim::Sim;
/// use forloop::{BlockOn, Cause};
///
/// async fn wait_for_an_hour() -> Option<Cause> {
///     let looping = forloop::each([()]).sequential().deadline(Duration::from_secs(3600));
///     let waited = looping.gather(async |()| std::future::pending::<()>().await).await;
///     waited.err().map(|late| late.cause)
/// }
///
/// // The hour takes no time.
/// assert_eq!(Sim::new().block_on(wait_for_an_hour()), Some(Cause::TimedOut));
/// # }
/// # #[cfg(not(feature = "sim"))]
/// # fn main() {}
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Ambient;
