//! Loops over borrowed data on all cores, from code that is not async.
//!
//! ```
//! use forloop_core::each;
//! use forloop_parallel::parallel;
//!
//! let texts = [String::from("to be"), String::from("or not to be")];
//! let vowels = ['a', 'e', 'i', 'o', 'u'];
//!
//! let counts = parallel(|cores| {
//!     let (limit, vowels) = (cores.twice(), &vowels);
//!     each(&texts).limit(limit).on_scoped(cores).gather(move |text| async move {
//!         text.chars().filter(|letter| vowels.contains(letter)).count()
//!     })
//! });
//! assert_eq!(counts, [2, 4]);
//! ```
//!
//! # Why it blocks
//!
//! A task on another thread may only borrow what outlives it, and that holds because whoever lent it waits.
//! A thread that is blocked does wait; a future can be forgotten instead, at any await and without running
//! its destructor, and its tasks would go on with what is no longer there. So there is no async twin of
//! [`parallel`]: async code lends to bodies in its own task, or shares with an `Arc`.

#![forbid(unsafe_code)]

mod threads;

pub use crate::threads::{Cores, Threads};

/// Runs the future that `body` gives on this thread, and the tasks that it starts on as many others as the
/// machine has cores; blocks until it is ready.
///
/// The tasks may borrow whatever lives around this call. Every strategy and option of a loop works here as
/// anywhere, behind [`on_scoped(cores)`](forloop_core::Loop::on_scoped). No task outlives the call: a loop that
/// returns has stopped its own, and whatever a program has detached is dropped when the call returns.
///
/// For code that is not async: inside an executor, it blocks a thread of that. [`Threads::of`] has another
/// number of threads. If the system gives fewer threads, those do the work; if it gives none, the caller's
/// thread does.
///
/// # Costs
///
/// Starts its threads and joins them, some tens of microseconds for each; for each body a task, and one
/// allocation more.
///
/// # Examples
///
/// Bodies that compute are told how many may run by how many cores there are; some more keep all of them busy
/// while the caller's thread takes the results.
///
/// ```
/// use std::path::PathBuf;
/// use std::{fs, io};
/// use forloop_core::{LoopError, each};
/// use forloop_parallel::parallel;
///
/// fn lines(files: &[PathBuf]) -> Result<usize, LoopError<io::Error>> {
///     let counts = parallel(|cores| {
///         let count = |file| async move { fs::read_to_string(file).map(|text| text.lines().count()) };
///         each(files).limit(cores.twice()).on_scoped(cores).try_gather(count)
///     });
///     Ok(counts?.into_iter().sum())
/// }
/// # assert!(lines(&["Cargo.toml".into()]).unwrap() > 10);
/// ```
///
/// # Panics
///
/// Goes on with the panic of the future, when the threads have ended; a loop's body that panics is that
/// loop's, as everywhere.
pub fn parallel<'env, F: Future>(body: impl FnOnce(Cores<'env>) -> F) -> F::Output {
    let threads = Threads::new();
    threads.block_on(body(threads.cores()))
}
