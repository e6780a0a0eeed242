//! Loops over borrowed data on all cores, for synchronous code.
//!
//! ```
//! use forloop_core::each;
//! use forloop_parallel::parallel;
//!
//! let texts = [String::from("to be"), String::from("or not to be")];
//! let vowels = ['a', 'e', 'i', 'o', 'u'];
//!
//! let counts = parallel(|cores| {
//!     let (limit, vowels) = (cores.threads(), &vowels);
//!     each(&texts).limit(limit).on_scoped(cores).gather(move |text| async move {
//!         text.chars().filter(|letter| vowels.contains(letter)).count()
//!     })
//! });
//! assert_eq!(counts, [2, 4]);
//! ```
//!
//! # Why it blocks
//!
//! A task on another thread may borrow only data that outlives it. A blocked thread guarantees that, because
//! it cannot return before its tasks have stopped. A future cannot: it may be leaked at any await, without
//! running its destructor, and its tasks would then use data that no longer exists. So [`parallel`] has no
//! async twin. Async code lends data to bodies in its own task, or shares it in an `Arc`.

#![forbid(unsafe_code)]

mod threads;

pub use crate::threads::{Cores, Threads};

/// Runs the future returned by `body` on this thread, and the tasks that it spawns on one thread per core.
/// Blocks until the future is ready.
///
/// The tasks may borrow any data that outlives this call. Every strategy and option of a loop works here as
/// usual, after [`on_scoped(cores)`](forloop_core::Loop::on_scoped) or
/// [`on_scoped_tasks(cores)`](forloop_core::Loop::on_scoped_tasks). No task outlives the call: a loop stops
/// its tasks before it returns, and detached tasks are dropped when the call returns.
///
/// This function is for synchronous code; inside an executor, it would block one of its threads. Use
/// [`Threads::of`] for another number of threads. If the system starts fewer threads, those do the work; if
/// it starts none, the caller's thread does.
///
/// # Costs
///
/// The call starts and joins its threads, which takes some tens of microseconds for each. A loop on its threads takes some
/// allocations for each of them, and none for an item.
///
/// # Examples
///
/// The number of cores is a good limit for bodies that compute; see [`Cores::threads`].
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
///         each(files).limit(cores.threads()).on_scoped(cores).try_gather(count)
///     });
///     Ok(counts?.into_iter().sum())
/// }
/// # assert!(lines(&["Cargo.toml".into()]).unwrap() > 10);
/// ```
///
/// # Panics
///
/// Resumes a panic of the future after the threads have stopped. A panic in a body is handled by its loop,
/// as everywhere.
#[doc(alias = "rayon")]
#[doc(alias = "std::thread::scope")]
pub fn parallel<'env, F: Future>(body: impl FnOnce(Cores<'env>) -> F) -> F::Output {
    let threads = Threads::new();
    threads.block_on(body(threads.cores()))
}
