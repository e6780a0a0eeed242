//! Back-offs: the delays between the attempts at an item.

use core::time::Duration;

/// The delays between the attempts at an item.
///
/// Every iterator over [`Duration`]s that can be cloned is one: its clone gives the delays for an item, and the item is
/// retried until the iterator ends. With the feature `backon`, [`Loop::retry`](crate::Loop::retry) and
/// [`Retry::new`](crate::Retry::new) also take the builders of the crate backon, which have jitter.
///
/// # Examples
///
/// A back-off with jitter of its own:
///
/// ```
/// # use forloop_core as forloop;
/// use std::time::Duration;
///
/// use forloop::Backoff;
/// # fn random() -> f64 { 0.5 }
///
/// #[derive(Clone)]
/// struct Doubling {
///     first: Duration,
///     times: usize,
/// }
///
/// impl Backoff for Doubling {
///     type Delays = std::vec::IntoIter<Duration>;
///
///     fn delays(&self) -> Self::Delays {
///         let delay = |n| self.first.mul_f64(2_f64.powi(n as i32) + random());
///         (0..self.times).map(delay).collect::<Vec<_>>().into_iter()
///     }
/// }
/// # let retry = forloop::Retry::new(Doubling { first: Duration::from_secs(1), times: 3 });
/// # drop(retry);
/// ```
pub trait Backoff {
    /// The delays for one item.
    type Delays: Iterator<Item = Duration>;

    /// Returns the delays for an item. The item is not retried any more when they end.
    fn delays(&self) -> Self::Delays;
}

impl<D: Iterator<Item = Duration> + Clone> Backoff for D {
    type Delays = D;

    fn delays(&self) -> D {
        self.clone()
    }
}
