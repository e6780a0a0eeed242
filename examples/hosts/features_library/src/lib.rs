//! A library with loops in it, which names no runtime and enables no feature of forloop.
//!
//! Whoever uses it picks the runtime: its loops ask for the least that they need.

#![forbid(unsafe_code)]

use std::io;
use std::time::Duration;

use forloop::{Outcome, Runtime, ZeroLimit};

/// What the library has found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The length of each word, in the order of the words.
    pub lengths: Vec<usize>,
    /// What every word's letters sum up to.
    pub sums: Vec<u32>,
    /// Which of two steps had no time left.
    pub late: Vec<usize>,
}

/// The lengths of some words, from bodies that borrow them: that needs no runtime at all.
///
/// # Errors
///
/// [`ZeroLimit`] for a `limit` of zero.
pub async fn lengths(words: &[String], limit: usize) -> Result<Vec<usize>, ZeroLimit> {
    Ok(forloop::each(words).limit(limit)?.gather(async |word: &String| word.len()).await)
}

/// Everything, on a runtime of the caller's choice.
///
/// # Errors
///
/// [`ZeroLimit`] for a `limit` of zero.
pub async fn report(
    runtime: &impl Runtime,
    words: &[String],
    limit: usize,
) -> Result<Report, ZeroLimit> {
    let lengths = lengths(words, limit).await?;
    let sums = forloop::each(words.to_vec()).limit(limit)?.on(runtime);
    let sums = sums.gather(|word| async move { word.bytes().map(u32::from).sum() }).await;

    let steps = forloop::each([60, 3600]).unbounded().on(runtime);
    let steps = steps.timeout(&runtime.clone(), Duration::from_millis(50)).settle(|seconds| {
        let runtime = runtime.clone();
        async move {
            runtime.sleep(Duration::from_secs(seconds)).await;
            Ok::<(), io::Error>(())
        }
    });
    let is_late = |(index, outcome)| matches!(outcome, &Outcome::TimedOut).then_some(index);
    let late = steps.await.iter().enumerate().filter_map(is_late).collect();
    Ok(Report { lengths, sums, late })
}
