//! `cargo xtask bench --remote`: what a body on a worker costs, with the broker on this machine, beside peers with the same body.
//!
//! The body returns its item. Four workers run fifty bodies each. The processes are this program itself, in the role that its
//! first argument names. Times are printed and never asserted.

#![forbid(unsafe_code)]

mod common;
mod peers;
mod producer;
mod server;

use std::env;
use std::process::{Command, ExitCode};

use forloop::BlockOn;

use self::common::{Failure, Process, WORKER_LIMIT, WORKERS, connect};
use self::server::Server;

const USAGE: &str = "\
usage: cargo xtask bench --remote [--million] [--rounds N] [--peers]

  --million   also a million items, with the memory of producer and broker
  --rounds N  how often the items are run (5)
  --peers     also Celery and Dask, if the Python of PYTHON or `python3` has them
";

struct Options {
    million: bool,
    rounds: u32,
    peers: bool,
}

impl Options {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut options = Self { million: false, rounds: 5, peers: false };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--million" => options.million = true,
                "--peers" => options.peers = true,
                "--rounds" => options.rounds = arguments.next().ok_or(USAGE)?.parse()?,
                "--help" => {
                    print!("{USAGE}");
                    std::process::exit(0);
                }
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1).peekable();
    let done = match arguments.peek().map(String::as_str) {
        Some("worker") => work(arguments.skip(1)),
        Some("producer") => producer::run(arguments.skip(1)),
        _ => Options::parse(arguments).and_then(|options| measure(&options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// `worker URL LIMIT`
fn work(mut arguments: impl Iterator<Item = String>) -> Result<(), Failure> {
    let url = arguments.next().ok_or("no URL")?;
    let limit = arguments.next().ok_or("no limit")?.parse()?;
    forloop::smol::Smol
        .block_on(async { Ok(connect(&url).await?.work()?.limit(limit)?.run().await?) })
}

fn worker(server: &Server, limit: usize) -> Result<Process, Failure> {
    let limit = limit.to_string();
    Process::start(Command::new(env::current_exe()?).args(["worker", &server.url(), &limit]))
}

/// Runs a producer to its end, and completes the line that it prints.
fn produce(server: &Server, count: u64, limit: usize) -> Result<(), Failure> {
    let (items, limit) = (count.to_string(), limit.to_string());
    let mut command = Command::new(env::current_exe()?);
    let before = server.cpu()?;
    let status = command.args(["producer", &server.url(), &items, &limit]).status()?;
    let cpu = (server.cpu()? - before) * 1e3 / count as f64;
    println!(", broker's processor {cpu:.4} ms each");
    if status.success() { Ok(()) } else { Err(format!("the producer failed: {status}").into()) }
}

fn measure(options: &Options) -> Result<(), Failure> {
    let Some(server) = Server::start()? else {
        println!("not run: there is no `redis-server` (Debian: apt-get install redis-server)");
        return Ok(());
    };
    let cores = std::thread::available_parallelism()?;
    println!(
        "{}, {cores} cores, {WORKERS} workers of {WORKER_LIMIT}, empty bodies",
        server.version()?
    );
    println!("\nforloop, a loop of limit 1000");
    let workers = (0..WORKERS).map(|_| worker(&server, WORKER_LIMIT));
    let workers = workers.collect::<Result<Vec<_>, _>>()?;
    for _ in 0..options.rounds {
        produce(&server, 50_000, 1_000)?;
    }
    if options.million {
        produce(&server, 1_000_000, 1_000)?;
        println!("  the broker's peak: {} MB", server.peak_memory()? / 1_000_000);
    }
    drop(workers);
    println!("\nforloop, one job at a time, one worker of 1");
    let _one = worker(&server, 1)?;
    for _ in 0..options.rounds {
        produce(&server, 2_000, 1)?;
    }
    if options.peers {
        peers::run(&server)?;
    }
    Ok(())
}
