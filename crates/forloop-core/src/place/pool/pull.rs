//! The front of a loop whose workers draw their bodies: it begins them, hears what they have to tell,
//! and stops them.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::mem;
use core::num::NonZeroUsize;
use core::ops::ControlFlow;
use core::task::{Context, Poll, Waker};

use super::batch_size::BatchSize;
use super::body_source::{Batch, BoxedSource};
use super::channel::{CompletionBatch, CompletionQueue, PoolCompletion, SOURCE, SyncWrapper};
use super::handle::{Dispatcher, PullConfig, PullControl};
use super::job::PoolJob;
use super::shared_source::{PullResult, SharedSource};
use super::worker::Worker;
use crate::body::Body;
use crate::engine::{Completion, JobHandle, Key};
use crate::outcome::catch;
use crate::simulation::Origin;
use crate::task::{Task, next_sequence, spawn_from};
use crate::{Outcome, Panic, Spawn};

/// See [the module](self).
pub(super) struct PullDispatcher<B, T, R> {
    runtime: R,
    /// How many workers there may be; as many as there are threads, if nothing else was said.
    most: Option<NonZeroUsize>,
    completions: Arc<CompletionQueue<T>>,
    body_source: PullState<B>,
    /// The owners of the workers: once they are dropped, these stop.
    tasks: Vec<Task<()>>,
    round: SyncWrapper<PoolRound<T>>,
    /// How many ends of this round were not told.
    undelivered: usize,
    /// How many ends of bodies were told.
    delivered: usize,
}

/// The ends of a round.
struct PoolRound<T> {
    /// Those whose order is of no account.
    batched: Vec<CompletionBatch<T>>,
    /// The others, the next one last.
    news: Vec<PoolCompletion<T>>,
}

impl<T> Default for PoolRound<T> {
    fn default() -> Self {
        Self { batched: Vec::new(), news: Vec::new() }
    }
}

/// Where the bodies come from.
enum PullState<B> {
    /// Nobody draws yet.
    Covered(Box<SyncWrapper<Option<BoxedSource<B>>>>),
    /// The workers draw.
    Open(Arc<SharedSource<B>>),
}

impl<B, T, R> PullDispatcher<B, T, R> {
    pub(super) fn new(runtime: R, most: Option<NonZeroUsize>, body_source: BoxedSource<B>) -> Self {
        Self {
            runtime,
            most,
            completions: Arc::new(CompletionQueue::new()),
            body_source: PullState::Covered(Box::new(SyncWrapper::new(Some(body_source)))),
            tasks: Vec::new(),
            round: SyncWrapper::new(PoolRound::default()),
            undelivered: 0,
            delivered: 0,
        }
    }

    /// Lets nobody draw any more, and has none of the bodies go on.
    fn close(&mut self) -> Option<Panic> {
        self.completions.mark_cancelled();
        match &mut self.body_source {
            PullState::Covered(body_source) => catch(|| drop(body_source.with(mem::take))).err(),
            PullState::Open(shared_source) => {
                let panic = shared_source.close();
                shared_source.sleepers.notify_all();
                panic
            }
        }
    }

    /// Whether there are ends that nobody has been told, or a worker may bring some.
    fn is_over(&self) -> bool {
        let are_gone = self.completions.going() == 0;
        are_gone && self.undelivered == 0 && !self.completions.has_ends()
    }
}

impl<B, T, R> PullControl<PoolJob<B>> for PullDispatcher<B, T, R>
where
    PoolJob<B>: JobHandle<Output = T>,
    R: Spawn,
    B: Body<Returns = T> + Send + 'static,
    T: Send + 'static,
{
    fn begin(&mut self, config: PullConfig<T>) -> (usize, Option<usize>) {
        let PullState::Covered(body_source) = &mut self.body_source else { return (0, None) };
        let Some(body_source) = body_source.with(Option::take) else { return (0, None) };
        let hint = catch(|| body_source.size_hint()).unwrap_or_default();
        let PullConfig { limit, are_held, catches, delivery } = config;
        let threads = self.most.unwrap_or_else(|| self.runtime.threads()).get();
        let workers = threads.min(limit).min(hint.1.unwrap_or(usize::MAX)).max(1);
        let held = are_held.then_some(limit);
        let shared_source = Arc::new(SharedSource::new(body_source, held, workers, catches));
        self.body_source = PullState::Open(shared_source.clone());
        let mut first = Batch::new();
        if hint.1 == Some(0) {
            // As good as dry: no worker is called for that.
            let mut batch_size = BatchSize::SLOWEST;
            let got =
                shared_source.pull_batch(1, &mut batch_size, false, Waker::noop(), &mut first);
            let panicked = match got {
                PullResult::Dry => return hint,
                PullResult::Some | PullResult::Wait => None,
                PullResult::BodyPanicked(index, panic) => Some((index, panic)),
                PullResult::SourcePanicked(panic) => Some((SOURCE, panic)),
            };
            if let Some((slot, panic)) = panicked {
                let end = PoolCompletion {
                    slot,
                    seq: next_sequence(),
                    outcome: Outcome::Panicked(panic),
                };
                self.round.with(|round| round.news.push(end));
                self.undelivered += 1;
            }
        }
        for me in 0..workers {
            // Together, they may have as many as the limit says.
            let most = limit / workers + usize::from(me < limit % workers);
            let worker =
                Worker::pull(shared_source.clone(), me, most, self.completions.clone(), delivery);
            let worker = worker.with(mem::take(&mut first));
            self.tasks.push(spawn_from(Origin::unknown(), &self.runtime, worker));
        }
        hint
    }

    fn hold(&mut self, held: usize) {
        if let PullState::Open(shared_source) = &self.body_source {
            shared_source.settle(self.delivered - held);
        }
    }
}

impl<B, T, R> Dispatcher<PoolJob<B>> for PullDispatcher<B, T, R>
where
    PoolJob<B>: JobHandle<Output = T>,
    R: Spawn,
    B: Body<Returns = T> + Send + 'static,
    T: Send + 'static,
{
    fn pull(&mut self) -> Option<&mut dyn PullControl<PoolJob<B>>> {
        Some(self)
    }

    fn pulled(&self) -> Option<(usize, bool)> {
        Some(match &self.body_source {
            PullState::Covered(_) => (0, false),
            PullState::Open(shared_source) => (shared_source.pulled(), shared_source.is_dry()),
        })
    }

    fn len(&self) -> usize {
        if self.is_over() { 0 } else { self.undelivered + self.completions.going().max(1) }
    }

    fn take(&mut self, _next: &mut dyn FnMut() -> Option<(usize, PoolJob<B>)>) -> Option<Key> {
        unreachable!("the loop has no source: the workers have it")
    }

    fn hand_out(&mut self) {}

    fn runs(&self, _body: Key) -> bool {
        true
    }

    fn indices(&self) -> Vec<usize> {
        // Each is told when it has stopped.
        Vec::new()
    }

    fn expire(&mut self, _body: Key) {
        unreachable!("workers draw no bodies that have a time")
    }

    fn tell(
        &mut self,
        polls: &mut usize,
        most: usize,
        delivered: &mut dyn FnMut(Completion<T>) -> ControlFlow<()>,
    ) {
        let (completions, count, undelivered) =
            (&self.completions, &mut self.delivered, &mut self.undelivered);
        self.round.with(|PoolRound { batched, news }| {
            while let Some(ends) = batched.last_mut() {
                while *polls < most {
                    let Some((index, output)) = ends.batched.pop() else { break };
                    (*count, *undelivered, *polls) = (*count + 1, *undelivered - 1, *polls + 1);
                    if delivered(Completion { index, seq: 0, outcome: Outcome::Ok(output) })
                        .is_break()
                    {
                        return;
                    }
                }
                if !ends.batched.is_empty() {
                    return;
                }
                batched.pop().into_iter().for_each(|ends| completions.recycle(ends));
            }
            while *polls < most {
                let Some(PoolCompletion { slot: index, seq, outcome }) = news.pop() else { break };
                *count += usize::from(index != SOURCE);
                (*undelivered, *polls) = (*undelivered - 1, *polls + 1);
                if delivered(Completion { index, seq, outcome }).is_break() {
                    break;
                }
            }
        });
    }

    fn is_round_in_progress(&self) -> bool {
        self.undelivered > 0
    }

    fn next_round(&mut self) -> bool {
        let completions = &self.completions;
        self.undelivered += self.round.with(|PoolRound { batched, news }| {
            let mut more = 0;
            while let Some(mut ends) = completions.take() {
                more += ends.batched.len() + ends.news.len();
                news.append(&mut ends.news);
                if ends.batched.is_empty() {
                    completions.recycle(ends);
                } else {
                    batched.push(ends);
                }
            }
            news.sort_unstable_by_key(|end| Reverse(end.seq));
            more
        });
        self.undelivered > 0
    }

    fn sleep(&mut self, cx: &Context<'_>) -> bool {
        if self.undelivered > 0 {
            return false;
        }
        self.completions.dispatcher.register(cx.waker());
        !self.completions.has_ends() && self.completions.going() > 0
    }

    fn cancel(&mut self) -> Option<Panic> {
        self.close()
    }

    fn poll_over(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        self.tasks.clear();
        Poll::Ready(())
    }
}

impl<B, T, R> Drop for PullDispatcher<B, T, R> {
    fn drop(&mut self) {
        let panic = self.close();
        self.completions.close();
        if let Some(panic) = panic {
            panic.resume_unless_panicking();
        }
    }
}
