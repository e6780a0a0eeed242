//! The peers: ways to run many bodies, each in the form that its documentation recommends.

mod async_std;
mod forloop;
mod futures_buffered;
mod futures_concurrency;
mod futures_util;
mod rayon;
mod sequential;
mod smol;
mod tokio;
mod unicycle;

pub(crate) mod failing;
pub(crate) mod options;

use std::num::NonZeroUsize;

use crate::host::{Host, Waking};

/// One way to run a loop.
///
/// A new peer needs a variant, its entry in [`Peer::ALL`], its name, its kind, its host, and its loops in
/// [`all`] and [`bounded`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Sequential,
    Forloop,
    ForloopStream,
    ForloopStreamForEach,
    ForloopTokio,
    ForloopSmol,
    ForloopTokioTwo,
    ForloopSmolTwo,
    ForloopWorkersTokioTwo,
    ForloopWorkersSmolTwo,
    ForloopParallelTwo,
    FuturesUnordered,
    FuturesJoinAll,
    FuturesForEach,
    BufferedBounded,
    BufferedJoinAll,
    ConcurrencyJoin,
    ConcurrencyGroup,
    Unicycle,
    JoinSet,
    TaskTracker,
    LocalExecutor,
    Executor,
    Detached,
    JoinSetTwo,
    TaskTrackerTwo,
    ExecutorTwo,
    DetachedTwo,
    AsyncStdTwo,
    RayonTwo,
}

/// Where a peer's bodies run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In the caller's task, on any host.
    Inline,
    /// As tasks on the caller's thread.
    OneThread,
    /// As tasks on two threads.
    TwoThreads,
}

impl Peer {
    pub(crate) const ALL: [Self; 30] = [
        Self::Sequential,
        Self::Forloop,
        Self::ForloopStream,
        Self::ForloopStreamForEach,
        Self::ForloopTokio,
        Self::ForloopSmol,
        Self::ForloopTokioTwo,
        Self::ForloopSmolTwo,
        Self::ForloopWorkersTokioTwo,
        Self::ForloopWorkersSmolTwo,
        Self::ForloopParallelTwo,
        Self::FuturesUnordered,
        Self::FuturesJoinAll,
        Self::FuturesForEach,
        Self::BufferedBounded,
        Self::BufferedJoinAll,
        Self::ConcurrencyJoin,
        Self::ConcurrencyGroup,
        Self::Unicycle,
        Self::JoinSet,
        Self::TaskTracker,
        Self::LocalExecutor,
        Self::Executor,
        Self::Detached,
        Self::JoinSetTwo,
        Self::TaskTrackerTwo,
        Self::ExecutorTwo,
        Self::DetachedTwo,
        Self::AsyncStdTwo,
        Self::RayonTwo,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sequential => "sequential loop",
            Self::Forloop => "forloop in-task",
            Self::ForloopStream => "forloop stream, next",
            Self::ForloopStreamForEach => "forloop stream, for_each",
            Self::ForloopTokio => "forloop on tokio",
            Self::ForloopSmol => "forloop on smol",
            Self::ForloopTokioTwo => "forloop on tokio x2",
            Self::ForloopSmolTwo => "forloop on smol x2",
            Self::ForloopWorkersTokioTwo => "forloop workers tokio x2",
            Self::ForloopWorkersSmolTwo => "forloop workers smol x2",
            Self::ForloopParallelTwo => "forloop parallel x2",
            Self::FuturesUnordered => "FuturesUnordered",
            Self::FuturesJoinAll => "futures-util join_all",
            Self::FuturesForEach => "futures-util for_each_conc.",
            Self::BufferedBounded => "futures-buffered bounded",
            Self::BufferedJoinAll => "futures-buffered join_all",
            Self::ConcurrencyJoin => "futures-concurrency join",
            Self::ConcurrencyGroup => "futures-concurrency group",
            Self::Unicycle => "unicycle",
            Self::JoinSet => "tokio JoinSet",
            Self::TaskTracker => "tokio TaskTracker",
            Self::LocalExecutor => "smol LocalExecutor",
            Self::Executor => "smol Executor",
            Self::Detached => "smol detach, semaphore",
            Self::JoinSetTwo => "tokio JoinSet x2",
            Self::TaskTrackerTwo => "tokio TaskTracker x2",
            Self::ExecutorTwo => "smol Executor x2",
            Self::DetachedTwo => "smol detach, semaphore x2",
            Self::AsyncStdTwo => "async-std x2",
            Self::RayonTwo => "rayon x2",
        }
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Sequential
            | Self::Forloop
            | Self::ForloopStream
            | Self::ForloopStreamForEach
            | Self::FuturesUnordered
            | Self::FuturesJoinAll
            | Self::FuturesForEach
            | Self::BufferedBounded
            | Self::BufferedJoinAll
            | Self::ConcurrencyJoin
            | Self::ConcurrencyGroup
            | Self::Unicycle => Kind::Inline,
            Self::ForloopTokio
            | Self::ForloopSmol
            | Self::JoinSet
            | Self::TaskTracker
            | Self::LocalExecutor
            | Self::Executor
            | Self::Detached => Kind::OneThread,
            Self::ForloopTokioTwo
            | Self::ForloopSmolTwo
            | Self::ForloopWorkersTokioTwo
            | Self::ForloopWorkersSmolTwo
            | Self::ForloopParallelTwo
            | Self::JoinSetTwo
            | Self::TaskTrackerTwo
            | Self::ExecutorTwo
            | Self::DetachedTwo
            | Self::AsyncStdTwo
            | Self::RayonTwo => Kind::TwoThreads,
        }
    }

    /// Whether this is one of our loops.
    pub(crate) fn is_ours(self) -> bool {
        self.name().starts_with("forloop")
    }

    /// Whether it can run all bodies at once; if not, it has loops with a limit only, or runs bodies that do not wait.
    pub(crate) fn runs_all(self) -> bool {
        !matches!(self, Self::FuturesForEach | Self::RayonTwo)
    }

    /// Whether it has a limit, or can be given one in a few lines.
    pub(crate) fn runs_bounded(self) -> bool {
        !matches!(
            self,
            Self::FuturesJoinAll
                | Self::BufferedJoinAll
                | Self::ConcurrencyJoin
                | Self::LocalExecutor
                | Self::RayonTwo
        )
    }

    /// Whether its loops return all outputs together, and hold them until then.
    pub(crate) fn keeps_outputs(self) -> bool {
        let joins =
            matches!(self, Self::FuturesJoinAll | Self::BufferedJoinAll | Self::ConcurrencyJoin);
        let streams = matches!(self, Self::ForloopStream | Self::ForloopStreamForEach);
        joins || self.is_ours() && !streams
    }

    /// Returns the host of the peer: its runtime, or a bare thread.
    pub(crate) fn host(self) -> Host {
        match self {
            Self::ForloopTokio | Self::JoinSet | Self::TaskTracker => Host::tokio(),
            Self::ForloopTokioTwo
            | Self::ForloopWorkersTokioTwo
            | Self::JoinSetTwo
            | Self::TaskTrackerTwo => Host::tokio_two(),
            Self::ForloopSmol | Self::Executor | Self::Detached => Host::smol(),
            Self::ForloopSmolTwo
            | Self::ForloopWorkersSmolTwo
            | Self::ExecutorTwo
            | Self::DetachedTwo => Host::smol_two(),
            Self::AsyncStdTwo => Host::AsyncStd,
            _ => Host::Bare,
        }
    }
}

/// Receives a loop that was not polled yet.
pub(crate) trait Visit {
    fn visit(self, looping: impl Future<Output = ()>);
}

/// Creates the loop that runs these bodies in the caller's task.
pub(crate) fn in_task<B: Future<Output = usize>>(
    peer: Peer,
    n: usize,
    body: impl Fn(usize) -> B,
    visitor: impl Visit,
) {
    match peer {
        Peer::Sequential => visitor.visit(sequential::all(n, body)),
        Peer::Forloop => visitor.visit(forloop::all(n, body)),
        Peer::ForloopStream => visitor.visit(forloop::all_of_stream(n, body)),
        Peer::ForloopStreamForEach => visitor.visit(forloop::each_of_stream(n, body)),
        Peer::FuturesUnordered => visitor.visit(futures_util::unordered(n, body)),
        Peer::FuturesJoinAll => visitor.visit(futures_util::join_all(n, body)),
        Peer::BufferedBounded => visitor.visit(futures_buffered::unordered(n, body)),
        Peer::BufferedJoinAll => visitor.visit(futures_buffered::join_all(n, body)),
        Peer::ConcurrencyJoin => visitor.visit(futures_concurrency::join(n, body)),
        Peer::ConcurrencyGroup => visitor.visit(futures_concurrency::group(n, body)),
        Peer::Unicycle => visitor.visit(unicycle::all(n, body)),
        _ => panic!("{} has no such loop in the caller's task", peer.name()),
    }
}

/// Runs these bodies at once, to completion.
pub(crate) fn all<B: Future<Output = usize> + Send + 'static>(
    peer: Peer,
    host: &Host,
    n: usize,
    body: impl Fn(usize) -> B + Send + Sync + 'static,
    waking: Option<Waking>,
) {
    match peer {
        Peer::ForloopTokio => host.run(forloop::all_on(forloop::tokio(host), n, body), waking),
        Peer::ForloopSmol => host.run(forloop::all_on(forloop::smol(host), n, body), waking),
        Peer::ForloopTokioTwo => host.run_as_task(forloop::all_on(forloop::tokio(host), n, body)),
        Peer::ForloopSmolTwo => host.run_as_task(forloop::all_on(forloop::smol(host), n, body)),
        Peer::ForloopWorkersTokioTwo => {
            host.run_as_task(forloop::all_on_workers(forloop::tokio(host), n, body));
        }
        Peer::ForloopWorkersSmolTwo => {
            host.run_as_task(forloop::all_on_workers(forloop::smol(host), n, body));
        }
        Peer::ForloopParallelTwo => forloop::all_parallel(n, body),
        Peer::JoinSet => host.run(tokio::join_set(n, body), waking),
        Peer::TaskTracker => host.run(tokio::task_tracker(n, body), waking),
        Peer::LocalExecutor => smol::local(host, n, body, waking),
        Peer::Executor => host.run(smol::all(host.executor(), n, body), waking),
        Peer::Detached => host.run(smol::detached(host.executor(), n, body), waking),
        Peer::JoinSetTwo => host.run_as_task(tokio::join_set(n, body)),
        Peer::TaskTrackerTwo => host.run_as_task(tokio::task_tracker(n, body)),
        Peer::ExecutorTwo => host.run_as_task(smol::all(host.executor(), n, body)),
        Peer::DetachedTwo => host.run_as_task(smol::detached(host.executor(), n, body)),
        Peer::AsyncStdTwo => host.run_as_task(async_std::all(n, body)),
        Peer::RayonTwo => rayon::all(n, body),
        in_the_callers_task => in_task(in_the_callers_task, n, body, RunOn { host, waking }),
    }
}

/// Runs a loop on a host as soon as it is created.
#[derive(Debug)]
struct RunOn<'a> {
    host: &'a Host,
    waking: Option<Waking>,
}

impl Visit for RunOn<'_> {
    fn visit(self, looping: impl Future<Output = ()>) {
        self.host.run(looping, self.waking);
    }
}

/// Runs these bodies to completion, at most `limit` at once, and creates each only when it may start.
pub(crate) fn bounded<B: Future<Output = ()> + Unpin + Send + 'static>(
    peer: Peer,
    host: &Host,
    n: usize,
    body: impl Fn(usize) -> B + Send + Sync + 'static,
    limit: NonZeroUsize,
) {
    match peer {
        Peer::Sequential => host.run(sequential::silent(n, body), None),
        Peer::Forloop => host.run(forloop::bounded(n, body, limit), None),
        Peer::ForloopStream => host.run(forloop::bounded_stream(n, body, limit), None),
        Peer::ForloopStreamForEach => {
            host.run(forloop::bounded_stream_for_each(n, body, limit), None);
        }
        Peer::ForloopTokio => {
            host.run(forloop::bounded_on(forloop::tokio(host), n, body, limit), None);
        }
        Peer::ForloopSmol => {
            host.run(forloop::bounded_on(forloop::smol(host), n, body, limit), None);
        }
        Peer::ForloopTokioTwo => {
            host.run_as_task(forloop::bounded_on(forloop::tokio(host), n, body, limit));
        }
        Peer::ForloopSmolTwo => {
            host.run_as_task(forloop::bounded_on(forloop::smol(host), n, body, limit));
        }
        Peer::ForloopWorkersTokioTwo => {
            host.run_as_task(forloop::bounded_on_workers(forloop::tokio(host), n, body, limit));
        }
        Peer::ForloopWorkersSmolTwo => {
            host.run_as_task(forloop::bounded_on_workers(forloop::smol(host), n, body, limit));
        }
        Peer::ForloopParallelTwo => forloop::bounded_parallel(n, body, limit),
        Peer::FuturesUnordered => host.run(futures_util::buffer_unordered(n, body, limit), None),
        Peer::FuturesForEach => host.run(futures_util::for_each_concurrent(n, body, limit), None),
        Peer::BufferedBounded => host.run(futures_buffered::bounded(n, body, limit), None),
        Peer::ConcurrencyGroup => {
            host.run(futures_concurrency::bounded_group(n, body, limit), None);
        }
        Peer::Unicycle => host.run(unicycle::bounded(n, body, limit), None),
        Peer::JoinSet => host.run(tokio::bounded_join_set(n, body, limit), None),
        Peer::TaskTracker => host.run(tokio::bounded_task_tracker(n, body, limit), None),
        Peer::Executor => host.run(smol::bounded(host.executor(), n, body, limit), None),
        Peer::Detached => {
            host.run(smol::bounded_detached(host.executor(), n, body, limit), None);
        }
        Peer::JoinSetTwo => host.run_as_task(tokio::bounded_join_set(n, body, limit)),
        Peer::TaskTrackerTwo => host.run_as_task(tokio::bounded_task_tracker(n, body, limit)),
        Peer::ExecutorTwo => host.run_as_task(smol::bounded(host.executor(), n, body, limit)),
        Peer::DetachedTwo => {
            host.run_as_task(smol::bounded_detached(host.executor(), n, body, limit));
        }
        Peer::AsyncStdTwo => host.run_as_task(async_std::bounded(n, body, limit)),
        _ => panic!("{} has no loop with a limit", peer.name()),
    }
}

/// Sums the numbers below `n`, from a program that is not async.
pub(crate) fn sum(peer: Peer, host: &Host, n: usize) -> usize {
    match peer {
        Peer::Sequential => sequential::sum(n),
        Peer::Forloop => forloop::sum(n),
        Peer::ForloopWorkersTokioTwo => forloop::sum_on_workers(host, forloop::tokio(host), n),
        Peer::ForloopWorkersSmolTwo => forloop::sum_on_workers(host, forloop::smol(host), n),
        Peer::ForloopParallelTwo => forloop::sum_parallel(n),
        Peer::RayonTwo => rayon::sum(n),
        _ => panic!("{} has no sum", peer.name()),
    }
}
