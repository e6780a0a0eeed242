//! `sequential`: one after another, the plain loop.

use alloc::vec::Vec;

use crate::each;

/// Awaits one future after another and returns their outputs in input order.
///
/// The same as a `for` loop that awaits; it exists so that a program can change its strategy by
/// changing a word. With a body and items: `each(items).sequential()`, and any strategy behind it.
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
/// If a future panics, the panic goes on in the caller.
#[cfg_attr(feature = "simulation", track_caller)]
pub fn sequential<I, N, F>(futures: I) -> impl Future<Output = Vec<F::Output>>
where
    I: IntoIterator<Item = F, IntoIter = N>,
    N: Iterator<Item = F>,
    F: Future,
{
    each(futures).sequential().gather(|future| future)
}
