//! `crawl [options] [FILE | -]`: fetches a thousand pages, fifty at a time and at most eight of one host,
//! with a timeout and retries for each, logs the failures, and prints a summary.
//!
//! The pages come from a list. Without one, they come from a local site, some of whose pages are slow, fail
//! or are flaky; see `crawl --help`. The loop is in this file, the rest in `crawl/`: the client
//! (`client.rs`), the site (`site.rs`, `answer.rs`), and the summary (`tally.rs`).
//!
//! verify: args --timeout 5
//! verify: only smol async-std tokio-current-thread tokio-multi-thread asyncio

use std::error::Error;
use std::io;
use std::process::ExitCode;

use crawler::{
    Client, FetchError, HELP, Job, Meter, Options, Page, Site, Sockets, Source, Tally, Url,
};
use forloop::progress::Progress;
use forloop::{CtrlC, Retry, Settled, ZeroLimit};
use lexopt::Parser;

#[path = "crawl/soak.rs"]
mod soak;

/// The exit status after Ctrl-C.
const STOPPED: u8 = 130;

/// Fetches all pages, and returns the outcome of each, and whether the loop was interrupted.
async fn crawl(
    client: &Client,
    urls: &[Url],
    options: &Options,
    [finish, stop]: [CtrlC; 2],
) -> Result<Settled<Page, FetchError>, ZeroLimit> {
    let progress = Progress::new();
    let bar = progress.bar();
    let finish = async move {
        finish.await;
        bar.suspend(|| eprintln!("crawl: finishing what runs; Ctrl-C once more stops it"));
    };
    let pages = forloop::each(urls)
        .limit(options.limit)?
        .limit_by(|url| url.host(), options.per_host)?
        .timeout(options.timeout)
        .retry(Retry::new(options.backoff()).when(FetchError::is_transient))
        .observe(progress)
        .drain_on(finish)
        .cancel_on(stop)
        .catch_panics()
        .settle(|url| client.fetch(url))
        .await;
    Ok(pages.pad_to(urls.len()))
}

fn main() -> ExitCode {
    let done = match Options::parse(Parser::from_env()) {
        Ok(options) => run(&options),
        Err(error) => {
            eprintln!("crawl: {error}\nsee `crawl --help`");
            return ExitCode::from(2);
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("crawl: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    match (options.job, &options.source) {
        (Job::Help, _) => print!("{HELP}"),
        (Job::Serve, _) => serve()?,
        (Job::Soak, Source::Plan(plan)) => return soak::soak(plan, options),
        (Job::Soak | Job::Crawl, source) => return crawl_all(source, options),
    }
    Ok(ExitCode::SUCCESS)
}

fn serve() -> io::Result<()> {
    let site = Site::start()?;
    println!("{}", site.hosts());
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

fn crawl_all(source: &Source, options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let urls = source.urls()?;
    // The first Ctrl-C drains the loop, the second cancels it, and a third terminates the program.
    let signals = [forloop::ctrl_c()?, forloop::ctrl_c()?.times(2)];
    let is_remote = options.hosts.is_some() || !matches!(source, Source::Plan(_));
    let site = if is_remote { None } else { Some(Site::start()?) };
    let hosts = site.as_ref().map(|site| site.hosts().clone()).or(options.hosts.clone());

    let meter = Meter::start();
    let (pages, attempts) = forloop::run(async |runtime| {
        let client = Client::new(Sockets::of(&runtime), hosts.unwrap_or_default());
        let client = match source {
            Source::Plan(plan) if plan.panic => client.that_may_panic(),
            _ => client,
        };
        let pages = crawl(&client, &urls, options, signals).await;
        (pages, client.attempts())
    })?;
    if options.measure {
        eprintln!("{}", meter.report(attempts));
    }
    let (mut tally, pages) = (Tally::default(), pages?);
    tally.log(&urls, &pages);
    print!("{tally}");
    println!("attempts         {attempts:>8}");
    Ok(if pages.interrupted().is_some() { ExitCode::from(STOPPED) } else { ExitCode::SUCCESS })
}
