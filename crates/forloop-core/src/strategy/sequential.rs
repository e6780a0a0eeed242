//! `sequential`: one future after another, as in a plain loop.

use alloc::vec::Vec;

use crate::each;

/// Awaits one future after another and returns their outputs in input order.
///
/// The same as a `for` loop that awaits. It exists so that a program can change its strategy by
/// changing one word. With items and a body: [`each(items)`](crate::each), then
/// [`sequential()`](crate::Loop::sequential), then any strategy.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// let double = async |n: u32| n * 2;
/// assert_eq!(forloop::sequential([double(1), double(2)]).await, [2, 4]);
/// # });
/// ```
///
/// # Panics
///
/// If a future panics, the panic propagates to the caller.
#[cfg_attr(feature = "simulation", track_caller)]
pub fn sequential<I, N, F>(futures: I) -> impl Future<Output = Vec<F::Output>>
where
    I: IntoIterator<Item = F, IntoIter = N>,
    N: Iterator<Item = F>,
    F: Future,
{
    each(futures).sequential().gather(|future| future)
}
