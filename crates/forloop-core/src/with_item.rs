//! A body whose failure carries its item.

use core::error::Error;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::body::TryBody;
use crate::outcome::{unboxed, write_with_source};

/// Wraps a fallible body so that its error carries the item.
///
/// A loop's errors have the item's index. This adds the item itself, for items whose list is no longer
/// available or never existed. It clones every item, so use it for items that are cheap to clone: numbers,
/// references, an `Arc`.
///
/// If the compiler cannot infer the type of a closure's item, annotate it: `|url: &str| ..`.
///
/// A body that panics, times out or is cancelled returns no error, and is reported by its index alone.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// # async fn fetch(url: &str) -> Result<usize, String> {
/// #     if url == "b.example" { Err(String::from("not found")) } else { Ok(url.len()) }
/// # }
/// let urls = ["a.example", "b.example"];
/// let pages = forloop::each(urls).limit(2)?.try_gather(forloop::with_item(fetch)).await;
/// let error = pages.unwrap_err();
/// assert_eq!(error.first().unwrap().error.item, "b.example");
/// assert_eq!(format!("{error:#}"), "body 1 failed: b.example failed: not found");
/// # Ok::<(), forloop::ZeroLimit>(())
/// # }).unwrap();
/// ```
pub fn with_item<I, F, B, T, E>(mut body: F) -> impl FnMut(I) -> WithItem<B, I>
where
    I: Clone,
    F: FnMut(I) -> B,
    B: TryBody<Ok = T, Error = E>,
{
    move |item| WithItem { item: Some(item.clone()), body: body(item) }
}

pin_project! {
    /// The body that [`with_item`] returns.
    #[derive(Debug)]
    pub struct WithItem<B, I> {
        #[pin]
        body: B,
        item: Option<I>,
    }
}

impl<B, I, T, E> Future for WithItem<B, I>
where
    B: Future<Output = Result<T, E>>,
{
    type Output = Result<T, ItemError<I, E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.body.poll(cx));
        let item = this.item.take().expect("a body is not polled again after it has completed");
        Poll::Ready(result.map_err(|error| ItemError { item, error }))
    }
}

/// A body's error, and the item it was called with: see [`with_item`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemError<I, E> {
    /// The item.
    pub item: I,
    /// What the body returned.
    pub error: E,
}

impl<I: fmt::Display, E: fmt::Display> fmt::Display for ItemError<I, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_with_source(f, format_args!("{} failed", self.item), &self.error)
    }
}

impl<I: fmt::Debug + fmt::Display, E: Error + 'static> Error for ItemError<I, E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(unboxed(&self.error))
    }
}
