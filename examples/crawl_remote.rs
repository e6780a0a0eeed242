//! `crawl_remote [--broker URL] [--work] [options]`: the crawl of `crawl`, whose pages are fetched by worker processes.
//!
//! The loop is that of `crawl` but for its place. Without `--broker` it is `local:`, and this process fetches the pages. With
//! `--work` this process is a worker: it fetches pages for any producer of the broker, until Ctrl-C. The pages are those of a
//! list or of a local site, as in `crawl`; see `crawl --help`.
//!
//! verify: args --timeout 10 --count 600 --mix missing=3,error=2,reset=1,half-closed=1,refused=1,malformed=1
//! verify: only smol async-std tokio-current-thread tokio-multi-thread asyncio redis
//! verify: remote

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use crawler::{Client, FetchError, Hosts, Options, Page, Site, Sockets, Source, Tally, Url};
use forloop::remote::{Bodies, Body, OnRemote, Remote};
use forloop::{AnyRuntime, CtrlC, Retry, Settled};
use lexopt::Parser;
use serde::{Deserialize, Serialize};

/// A page to fetch, with the addresses of hosts that no name server knows.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Request {
    url: String,
    hosts: Hosts,
}

const FETCH: Body<Request, Page, FetchError> = Body::named("crawl.fetch", 1);

/// How many pages a worker fetches at once.
const WORKER_LIMIT: usize = 25;

/// How long a worker that is silent still counts.
const LEASE: Duration = Duration::from_secs(2);

/// Connects in either role: both have the same bodies.
async fn connect(runtime: &AnyRuntime, broker: &str) -> Result<Remote, Box<dyn Error>> {
    let sockets = Sockets::of(runtime);
    let bodies = Bodies::new().with(FETCH, move |request: Request| async move {
        Client::new(sockets, request.hosts).fetch(&Url::new(request.url)).await
    });
    Ok(Remote::connect(runtime, broker, &bodies).await?.lease(LEASE))
}

/// Fetches all pages, and returns the outcome of each.
async fn crawl(
    remote: &Remote,
    requests: Vec<Request>,
    options: &Options,
    [finish, stop]: [CtrlC; 2],
) -> Result<Settled<Page, FetchError>, Box<dyn Error>> {
    let count = requests.len();
    let run = remote.run(&format!("crawl-{}", std::process::id())).await?;
    let pages = forloop::each(requests)
        .limit(options.limit)?
        .limit_by(|request: &Request| Url::new(&request.url).host().to_owned(), options.per_host)?
        .timeout(options.timeout)
        .retry(Retry::new(options.backoff()).when(FetchError::is_transient))
        .drain_on(finish)
        .cancel_on(stop)
        .catch_panics()
        .on_remote(&run)
        .settle(|request| FETCH.call(request))
        .await;
    run.forget().await?;
    Ok(pages.pad_to(count))
}

async fn produce(remote: &Remote, options: &Options) -> Result<(), Box<dyn Error>> {
    let urls = options.source.urls()?;
    let signals = [forloop::ctrl_c()?, forloop::ctrl_c()?.times(2)];
    let site = match &options.source {
        Source::Plan(_) if options.hosts.is_none() => Some(Site::start()?),
        _ => None,
    };
    let hosts = site.as_ref().map(|site| site.hosts().clone()).or(options.hosts.clone());
    let hosts = hosts.unwrap_or_default();
    let request = |url: &Url| Request { url: url.to_string(), hosts: hosts.clone() };
    let pages = crawl(remote, urls.iter().map(request).collect(), options, signals).await?;
    let mut tally = Tally::default();
    tally.log(&urls, &pages);
    print!("{tally}");
    Ok(())
}

fn main() -> ExitCode {
    let (mut broker, mut is_worker) = ("local:".to_owned(), false);
    let mut rest = Vec::new();
    let mut arguments = env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--work") => is_worker = true,
            Some("--broker") => {
                broker =
                    arguments.next().and_then(|url| url.into_string().ok()).unwrap_or_default();
            }
            _ => rest.push(argument),
        }
    }
    let options = match Options::parse(Parser::from_args(rest)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("crawl_remote: {error}\nsee `crawl --help`");
            return ExitCode::from(2);
        }
    };
    let done = forloop::run(async |runtime| {
        let remote = connect(&runtime, &broker).await?;
        if is_worker {
            return Ok(remote.work()?.limit(WORKER_LIMIT)?.drain_on(forloop::ctrl_c()?).await?);
        }
        produce(&remote, &options).await
    });
    match done.map_err(Box::from).and_then(|done| done) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("crawl_remote: {error:#}");
            ExitCode::FAILURE
        }
    }
}
