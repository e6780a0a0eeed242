//! Our loops with options, which other libraries leave to their users.

use std::num::NonZeroUsize;
use std::time::Duration;

use forloop::backon::ConstantBuilder;
use forloop::each;

use super::failing::Failure;
use super::{Peer, forloop as ours};
use crate::host::Host;

/// The options of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Options {
    /// None: what the others are compared with.
    None,
    /// A time-out for each body, which never elapses.
    Timeout,
    /// A retry, which no body needs.
    Retry,
    /// At most sixteen bodies at once of each of eight keys.
    LimitBy,
    /// All of these.
    All,
}

const HOUR: Duration = Duration::from_secs(3600);
const PER_KEY: NonZeroUsize = NonZeroUsize::new(16).unwrap();

/// Whether a peer has loops with options.
pub(crate) fn has_them(peer: Peer) -> bool {
    matches!(peer, Peer::Forloop | Peer::ForloopTokio | Peer::ForloopWorkersTokioTwo)
}

/// Runs a loop with options.
macro_rules! run {
    ($looping:expr, $options:expr, $timer:expr, $body:expr) => {{
        let (looping, timer, body) = ($looping, $timer, $body);
        let back_off = ConstantBuilder::default();
        match $options {
            Options::None => looping.try_for_each(body).await,
            Options::Timeout => looping.timer(timer).timeout(HOUR).try_for_each(body).await,
            Options::Retry => looping.timer(timer).retry(back_off).try_for_each(body).await,
            Options::LimitBy => looping.limit_by(|item| item % 8, PER_KEY).try_for_each(body).await,
            Options::All => {
                let looping = looping.timer(timer).timeout(HOUR).retry(back_off);
                looping.limit_by(|item| item % 8, PER_KEY).try_for_each(body).await
            }
        }
        .expect("no body fails");
    }};
}

/// Runs these bodies inside tokio, at most `limit` at once.
pub(crate) fn run<B>(
    peer: Peer,
    host: &Host,
    options: Options,
    n: usize,
    body: impl Fn(usize) -> B + Send + Sync + 'static,
    limit: NonZeroUsize,
) where
    B: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let tokio = ours::tokio(host);
    let items = each(0..n).limit(limit);
    match peer {
        Peer::Forloop => host.run(async move { run!(items, options, &tokio, body) }, None),
        Peer::ForloopTokio => {
            let looping = async move { run!(items.on(tokio.clone()), options, &tokio, body) };
            host.run(looping, None);
        }
        Peer::ForloopWorkersTokioTwo => host.run_as_task(async move {
            let items = items.on_workers_of(tokio.clone(), ours::TWO);
            run!(items, options, &tokio, body);
        }),
        _ => panic!("{} has no loop with options", peer.name()),
    }
}
