//! What the loop will do itself.
// TODO(main): this file goes when `timeout` is of each attempt and `retry` is an option of the loop.

use std::convert::Infallible;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use forloop::{Outcome, Timer};

use crate::{FetchError, Page};

/// What a body returns that has tried several times.
pub type Tried = Result<Outcome<Page, FetchError>, Infallible>;

/// Tries until it succeeds, or until the back-off ends.
///
/// # Errors
///
/// None: what happened is the outcome inside.
pub async fn tries(
    timer: &(impl Timer + Clone + 'static),
    each: Duration,
    backoff: ExponentialBuilder,
    call: impl AsyncFn() -> Result<Page, FetchError>,
) -> Tried {
    let mut pauses = backoff.build();
    loop {
        let one =
            forloop::each([()]).sequential().timeout(timer, each).settle(async |()| call().await);
        let outcome = one.await.into_iter().next().unwrap_or(Outcome::NotRun);
        let again = match &outcome {
            Outcome::Err(error) => error.is_transient(),
            Outcome::TimedOut => true,
            _ => false,
        };
        match pauses.next() {
            Some(pause) if again => timer.sleep(pause).await,
            _ => return Ok(outcome),
        }
    }
}

/// The outcome inside.
pub fn flattened(
    tried: Outcome<Outcome<Page, FetchError>, Infallible>,
) -> Outcome<Page, FetchError> {
    match tried {
        Outcome::Ok(outcome) => outcome,
        Outcome::Panicked(panic) => Outcome::Panicked(panic),
        Outcome::Cancelled => Outcome::Cancelled,
        _ => Outcome::NotRun,
    }
}
