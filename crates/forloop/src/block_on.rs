//! Waiting for a future on the calling thread.

/// Runs a future on the calling thread, which blocks until the future has completed.
///
/// It needs no runtime and starts none. Loops in the caller's task run under it. A future that uses a runtime's
/// timers or sockets needs [`run`](crate::run) instead.
///
/// # Panics
///
/// If the future panics, the panic propagates.
///
/// # Examples
///
/// ```
/// let squares = forloop::each(1..=3).unbounded().gather(async |n| n * n);
/// assert_eq!(forloop::block_on(squares), [1, 4, 9]);
/// ```
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    futures_lite::future::block_on(future)
}
