//! With forloop, on the runtime that `FORLOOP_RUNTIME` selects.

use crawler::{Client, FetchError, Options, Url};
use forloop::Retry;

use crate::pages::Pages;

pub(crate) async fn crawl(
    client: &Client,
    urls: &[Url],
    options: &Options,
) -> Result<Pages, Box<dyn std::error::Error>> {
    let pages = forloop::each(urls)
        .limit(options.limit)?
        .limit_by(|url| url.host(), options.per_host)?
        .timeout(options.timeout)
        .retry(Retry::new(options.backoff()).when(FetchError::is_transient))
        .cancel_on(forloop::ctrl_c()?)
        .catch_panics()
        .settle(|url| client.fetch(url))
        .await;
    Ok(pages.pad_to(urls.len()).into_vec())
}
