//! `reqwest_client`: the job of the README with reqwest, which needs tokio.
//!
//! The same function runs in a program of tokio's, under `forloop::run`, and with a task for each page. No part of it
//! names a runtime or a clock. forloop's feature `tokio` is enabled, beside the default, and nothing else is.

#![forbid(unsafe_code)]

mod site;

use std::error::Error;
use std::time::Duration;

use forloop::backon::ConstantBuilder;
use forloop::{Outcome, Retry, Settled, ZeroLimit};
use reqwest::Client;

use crate::site::Site;

type Pages = Settled<usize, reqwest::Error>;

fn main() -> Result<(), Box<dyn Error>> {
    let site = Site::start()?;
    let urls: Vec<_> =
        ["page", "busy", "page", "missing", "hangs"].iter().map(|path| site.url(path)).collect();

    println!("inside `#[tokio::main]`:");
    print(&inside_tokio(&urls)?);

    println!("under `forloop::run`:");
    print(&forloop::run(|_| fetch_all(&urls))??);

    println!("as tasks of {}:", forloop::runtime()?.name());
    let lengths = forloop::each(urls[..1].to_vec()).unbounded().on(forloop::runtime()?);
    let client = Client::new();
    let lengths = forloop::block_on(lengths.settle(move |url| fetch(client.clone(), url)));
    print(&lengths);
    Ok(())
}

#[tokio::main]
async fn inside_tokio(urls: &[String]) -> Result<Pages, ZeroLimit> {
    fetch_all(urls).await
}

async fn fetch_all(urls: &[String]) -> Result<Pages, ZeroLimit> {
    let client = Client::new();
    let backoff = ConstantBuilder::default().with_delay(Duration::ZERO).with_max_times(2);
    let is_busy =
        |error: &reqwest::Error| error.status().is_some_and(|status| status.as_u16() == 503);
    Ok(forloop::each(urls)
        .limit(4)?
        .limit_by(|url| url.split('/').nth(2), 3)?
        .timeout(Duration::from_millis(500))
        .retry(Retry::new(backoff).when(is_busy))
        .settle(|url| fetch(client.clone(), url.clone()))
        .await)
}

/// Returns the length of a page.
async fn fetch(client: Client, url: String) -> reqwest::Result<usize> {
    let page = client.get(url).send().await?.error_for_status()?;
    Ok(page.text().await?.len())
}

fn print(pages: &Pages) {
    for (index, page) in pages.iter().enumerate() {
        let attempts = pages.attempts(index);
        match page {
            Outcome::Ok(length) => println!("  {index}: {length} bytes, attempts: {attempts}"),
            Outcome::Err(error) => {
                let status = error.status().map(|status| status.as_u16());
                println!("  {index}: status {status:?}, attempts: {attempts}");
            }
            other => println!("  {index}: {:?}, attempts: {attempts}", other.kind()),
        }
    }
}
