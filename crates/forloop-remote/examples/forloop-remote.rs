//! `forloop-remote status URL [--watch [SECONDS]]`: the runs, bodies and workers of a broker.
//!
//! `cargo install forloop-remote --features redis --example forloop-remote` installs it; with the feature `redis-tls` it
//! takes URLs with `rediss:`. Without an argument the URL is that of the environment variable `FORLOOP_REMOTE`, so that no list of
//! processes has its password.

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use forloop_core::{BlockOn, Timer};
use forloop_remote::{Bodies, BodyStatus, Remote, Status};
use forloop_smol::Smol;

const USAGE: &str = "usage: forloop-remote status [URL] [--watch [SECONDS]]";

/// How often `--watch` asks, without a number.
const INTERVAL: Duration = Duration::from_secs(1);

struct Options {
    url: String,
    watch: Option<Duration>,
}

impl Options {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = arguments.peekable();
        if arguments.next().as_deref() != Some("status") {
            return Err(USAGE.to_owned());
        }
        let (mut url, mut watch) = (None, None);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--watch" => {
                    let seconds = arguments.peek().and_then(|next| next.parse().ok());
                    let interval = seconds.and_then(|s| Duration::try_from_secs_f64(s).ok());
                    if interval.is_some() {
                        arguments.next();
                    }
                    watch = Some(interval.unwrap_or(INTERVAL));
                }
                _ if url.is_none() && !argument.starts_with('-') => url = Some(argument),
                _ => return Err(format!("unexpected argument `{argument}`\n{USAGE}")),
            }
        }
        let url = url.or_else(|| env::var("FORLOOP_REMOTE").ok());
        Ok(Self { url: url.ok_or(USAGE)?, watch })
    }
}

/// How many jobs of all bodies have ended.
fn completed(status: &Status) -> Option<u64> {
    status.bodies.iter().map(|body: &BodyStatus| body.completed).sum()
}

async fn show(options: &Options) -> Result<(), Box<dyn Error>> {
    let remote = Remote::connect(&Smol, &options.url, &Bodies::new()).await?;
    let Some(interval) = options.watch else {
        print!("{}", remote.status().await?);
        return Ok(());
    };
    let mut before = None;
    loop {
        let (status, now) = (remote.status().await?, Smol.now());
        // Clears the screen, and begins at its top.
        print!("\x1b[2J\x1b[H{status}");
        let count = completed(&status);
        if let Some((at, count, (then, before))) = count.zip(before).map(|(c, b)| (now, c, b)) {
            let seconds = Duration::as_secs_f64(&(at - then));
            println!("\n{:.0} jobs per second", count.saturating_sub(before) as f64 / seconds);
        }
        before = count.map(|count| (now, count));
        Smol.sleep(interval).await;
    }
}

fn main() -> ExitCode {
    let options = match Options::parse(env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    match Smol.block_on(show(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("forloop-remote: {error:#}");
            ExitCode::FAILURE
        }
    }
}
