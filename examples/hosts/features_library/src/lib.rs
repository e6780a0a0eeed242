//! A library with loops, which names no runtime and enables no feature of forloop.
//!
//! The program that uses it selects the runtime; the loops require only the traits that they need.

#![forbid(unsafe_code)]

use std::io;
use std::time::Duration;

use forloop::{Outcome, Runtime, ZeroLimit};

/// The results of the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The length of each word, in the order of the words.
    pub lengths: Vec<usize>,
    /// The sum of the letters of each word.
    pub sums: Vec<u32>,
    /// Which of two steps timed out.
    pub late: Vec<usize>,
}

/// Returns the lengths of words, from bodies that borrow the words: that needs no runtime.
///
/// # Errors
///
/// Returns [`ZeroLimit`] if `limit` is zero.
pub async fn lengths(words: &[String], limit: usize) -> Result<Vec<usize>, ZeroLimit> {
    Ok(forloop::each(words).limit(limit)?.gather(async |word: &String| word.len()).await)
}

/// Computes everything on a runtime of the caller's choice.
///
/// # Errors
///
/// Returns [`ZeroLimit`] if `limit` is zero.
pub async fn report(
    runtime: &impl Runtime,
    words: &[String],
    limit: usize,
) -> Result<Report, ZeroLimit> {
    let lengths = lengths(words, limit).await?;
    let sums = forloop::each(words.to_vec()).limit(limit)?.on(runtime);
    let sums = sums.gather(|word| async move { word.bytes().map(u32::from).sum() }).await;

    let steps = forloop::each([60, 3600]).unbounded().on(runtime);
    let steps = steps.timer(runtime).timeout(Duration::from_millis(50)).settle(|seconds| {
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
