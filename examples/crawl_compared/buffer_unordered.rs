//! With `buffer_unordered` of the futures crate, a semaphore for each host, and tokio's timers.

use std::collections::HashMap;

use backon::Retryable;
use crawler::{Client, FetchError, Options, Url};
use forloop::Outcome;
use futures_util::stream::{self, StreamExt};
use tokio::sync::Semaphore;
use tokio::{signal, time};

use crate::pages::Pages;

pub(crate) async fn crawl(client: &Client, urls: &[Url], options: &Options) -> Pages {
    let mut pages: Pages = urls.iter().map(|_| Outcome::NotRun).collect();
    let hosts: HashMap<&str, Semaphore> =
        urls.iter().map(|url| (url.host(), Semaphore::new(options.per_host))).collect();
    let hosts = &hosts;
    let fetched = stream::iter(urls.iter().enumerate())
        .map(|(index, url)| async move {
            // A body that waits here takes a slot from other hosts: the stream knows nothing of hosts.
            let _host = hosts[url.host()].acquire().await.expect("the semaphore is never closed");
            let attempt = async || match time::timeout(options.timeout, client.fetch(url)).await {
                Ok(fetched) => fetched.map_err(Some),
                Err(_) => Err(None),
            };
            let tried = attempt
                .retry(options.backoff())
                .sleep(time::sleep)
                .when(|failed| failed.as_ref().is_none_or(FetchError::is_transient));
            let page = match tried.await {
                Ok(page) => Outcome::Ok(page),
                Err(Some(error)) => Outcome::Err(error),
                Err(None) => Outcome::TimedOut,
            };
            (index, page)
        })
        .buffer_unordered(options.limit)
        .take_until(signal::ctrl_c());
    fetched
        .for_each(|(index, page)| {
            pages[index] = page;
            async {}
        })
        .await;
    pages
}
