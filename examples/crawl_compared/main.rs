//! `crawl_compared LOOP [options]`: the job of `crawl`, with the loop written in one of several ways.
//!
//! The client, the site, the summary and the options are those of `crawl`; each loop has its own file.
//! `cargo xtask compare` compares their costs, and their behaviour on a panic and on Ctrl-C.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use crawler::{Client, Meter, Options, Sockets, Source, Tally};
use lexopt::{Arg, Parser};

mod buffer_unordered;
mod forloop;
mod join_set;
mod pages;

const LOOPS: &str = "`forloop`, `join_set`, `buffer_unordered`";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("crawl_compared: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut parser = Parser::from_env();
    let which = match parser.next()? {
        Some(Arg::Value(name)) => name,
        _ => return Err(format!("missing LOOP: one of {LOOPS}").into()),
    };
    let options = Options::parse(parser)?;
    let urls = options.source.urls()?;
    let hosts = options.hosts.clone().ok_or("the site is another process: pass --hosts")?;

    let client = |sockets| {
        let client = Client::new(sockets, hosts);
        match &options.source {
            Source::Plan(plan) if plan.panic => client.that_may_panic(),
            _ => client,
        }
    };
    let meter = Meter::start();
    let (pages, attempts) = match which.to_str() {
        Some("forloop") => ::forloop::run(async |runtime| {
            let client = client(Sockets::of(&runtime));
            let pages = forloop::crawl(&client, &urls, &options).await;
            pages.map(|pages| (pages, client.attempts()))
        })??,
        Some("join_set") => tokio()?.block_on(async {
            let client = Arc::new(client(Sockets::Tokio));
            let pages = join_set::crawl(&client, &urls, &options).await;
            (pages, client.attempts())
        }),
        Some("buffer_unordered") => tokio()?.block_on(async {
            let client = client(Sockets::Tokio);
            let pages = buffer_unordered::crawl(&client, &urls, &options).await;
            (pages, client.attempts())
        }),
        _ => return Err(format!("no loop `{}`: expected one of {LOOPS}", which.display()).into()),
    };
    eprintln!("{}", meter.report(attempts));
    let mut tally = Tally::default();
    tally.log(&urls, &pages);
    print!("{tally}");
    println!("attempts         {attempts:>8}");
    Ok(())
}

fn tokio() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
