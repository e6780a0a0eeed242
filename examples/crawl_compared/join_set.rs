//! With tokio's `JoinSet`, two semaphores, and a table from tasks to pages.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;

use backon::Retryable;
use crawler::{Client, FetchError, Options, Url};
use forloop::Outcome;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::{signal, time};

use crate::pages::Pages;

pub(crate) async fn crawl(client: &Arc<Client>, urls: &[Url], options: &Options) -> Pages {
    let mut pages: Pages = urls.iter().map(|_| Outcome::NotRun).collect();
    let limit = Arc::new(Semaphore::new(options.limit));
    let mut hosts: HashMap<String, Arc<Semaphore>> = HashMap::new();
    let mut tasks = JoinSet::new();
    let mut indices = HashMap::new();
    for (index, url) in urls.iter().cloned().enumerate() {
        let host = hosts.entry(url.host().to_owned());
        let host = host.or_insert_with(|| Arc::new(Semaphore::new(options.per_host))).clone();
        let (client, limit) = (client.clone(), limit.clone());
        let (timeout, backoff) = (options.timeout, options.backoff());
        let task = tasks.spawn(async move {
            // The host first: a task that waits for its host takes no permit of the common limit.
            let _host = host.acquire_owned().await.expect("the semaphore is never closed");
            let _permit = limit.acquire_owned().await.expect("the semaphore is never closed");
            let attempt = async || match time::timeout(timeout, client.fetch(&url)).await {
                Ok(fetched) => fetched.map_err(Some),
                Err(_) => Err(None),
            };
            let tried = attempt
                .retry(backoff)
                .sleep(time::sleep)
                .when(|failed| failed.as_ref().is_none_or(FetchError::is_transient));
            tried.await
        });
        indices.insert(task.id(), index);
    }
    let mut stop = pin!(signal::ctrl_c());
    loop {
        let joined = tokio::select! {
            joined = tasks.join_next_with_id() => joined,
            _ = &mut stop => {
                tasks.shutdown().await;
                break;
            }
        };
        let (id, page) = match joined {
            None => break,
            Some(Ok((id, Ok(page)))) => (id, Outcome::Ok(page)),
            Some(Ok((id, Err(Some(error))))) => (id, Outcome::Err(error)),
            Some(Ok((id, Err(None)))) => (id, Outcome::TimedOut),
            Some(Err(error)) => match (error.id(), error.try_into_panic()) {
                (id, Ok(panic)) => (id, Outcome::Panicked(panic.into())),
                (id, Err(_)) => (id, Outcome::Cancelled),
            },
        };
        pages[indices[&id]] = page;
    }
    pages
}
