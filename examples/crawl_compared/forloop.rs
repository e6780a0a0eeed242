//! With forloop, on the runtime that `FORLOOP_RUNTIME` names.

use crawler::{Client, Options, Url};
use forloop::{AnyRuntime, CancelToken};

use crate::Pages;

pub(crate) async fn crawl(
    runtime: &AnyRuntime,
    client: &Client,
    urls: &[Url],
    options: &Options,
) -> Result<Pages, Box<dyn std::error::Error>> {
    let stop = CancelToken::new();
    let heard = stop.clone();
    ctrlc::set_handler(move || heard.cancel())?;
    let (timeout, backoff) = (options.timeout, options.backoff());
    let pages = forloop::each(urls)
        .limit(options.limit)?
        // TODO(main): as in `crawl.rs`.
        .cancel_on(&stop)
        .catch_panics()
        .settle(|url| crawler::tries(runtime, timeout, backoff, || client.fetch(url)))
        .await;
    Ok(pages.padded(urls.len()).into_iter().map(crawler::flattened).collect())
}
