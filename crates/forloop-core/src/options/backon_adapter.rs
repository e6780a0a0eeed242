//! The back-offs of the crate backon, for `retry`.

use backon::{BackoffBuilder, ConstantBuilder, ExponentialBuilder, FibonacciBuilder};

use super::backoff::Backoff;
use super::retry::Retry;

/// A back-off of the crate backon.
///
/// [`Loop::retry`](crate::Loop::retry) and [`Retry::new`] make it of an [`ExponentialBuilder`], a
/// [`FibonacciBuilder`] or a [`ConstantBuilder`].
#[derive(Debug, Clone, Copy)]
pub struct Backon<B>(B);

macro_rules! builders {
    ($($Builder:ident)*) => { $(
        impl Backoff for Backon<$Builder> {
            type Delays = <$Builder as BackoffBuilder>::Backoff;

            fn delays(&self) -> Self::Delays {
                self.0.build()
            }
        }

        impl From<$Builder> for Retry<Backon<$Builder>> {
            fn from(builder: $Builder) -> Self {
                Self::from(Backon(builder))
            }
        }
    )* };
}

builders!(ConstantBuilder ExponentialBuilder FibonacciBuilder);
