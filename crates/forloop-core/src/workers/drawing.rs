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

use super::Errand;
use super::crew::{Drawing, Terms, Work};
use super::depot::{Depot, Got};
use super::desk::{Ended, Ends, Home, Own, SOURCE};
use super::pace::Pace;
use super::well::{BoxedWell, Buckets};
use super::worker::Worker;
use crate::engine::End;
use crate::panic::catch;
use crate::place::{Body, Started};
use crate::policy::Ticket;
use crate::simulation::Origin;
use crate::task::{Task, next_end, spawn_from};
use crate::{Outcome, Panic, Spawn};

/// See [the module](self).
pub(super) struct Drawers<B, T, R> {
    runtime: R,
    /// How many workers there may be; as many as there are threads, if nothing else was said.
    most: Option<NonZeroUsize>,
    home: Arc<Home<T>>,
    well: Well<B>,
    /// The owners of the workers: once they are dropped, these stop.
    tasks: Vec<Task<()>>,
    round: Own<Round<T>>,
    /// How many ends of this round were not told.
    untold: usize,
    /// How many ends of bodies were told.
    told: usize,
}

/// The ends of a round.
struct Round<T> {
    /// Those whose order is of no account.
    light: Vec<Ends<T>>,
    /// The others, the next one last.
    news: Vec<Ended<T>>,
}

impl<T> Default for Round<T> {
    fn default() -> Self {
        Self { light: Vec::new(), news: Vec::new() }
    }
}

/// Where the bodies come from.
enum Well<B> {
    /// Nobody draws yet.
    Covered(Box<Own<Option<BoxedWell<B>>>>),
    /// The workers draw.
    Open(Arc<Depot<B>>),
}

impl<B, T, R> Drawers<B, T, R> {
    pub(super) fn new(runtime: R, most: Option<NonZeroUsize>, well: BoxedWell<B>) -> Self {
        Self {
            runtime,
            most,
            home: Arc::new(Home::new()),
            well: Well::Covered(Box::new(Own::new(Some(well)))),
            tasks: Vec::new(),
            round: Own::new(Round::default()),
            untold: 0,
            told: 0,
        }
    }

    /// Lets nobody draw any more, and has none of the bodies go on.
    fn close(&mut self) -> Option<Panic> {
        self.home.doom();
        match &mut self.well {
            Well::Covered(well) => catch(|| drop(well.with(mem::take))).err(),
            Well::Open(depot) => {
                let panic = depot.close();
                depot.bells.ring();
                panic
            }
        }
    }

    /// Whether there are ends that nobody has been told, or a worker may bring some.
    fn is_over(&self) -> bool {
        let are_gone = self.home.going() == 0;
        are_gone && self.untold == 0 && !self.home.has_ends()
    }
}

impl<B, T, R> Drawing<Errand<B>> for Drawers<B, T, R>
where
    Errand<B>: Started<Output = T>,
    R: Spawn,
    B: Body<Returns = T> + Send + 'static,
    T: Send + 'static,
{
    fn begin(&mut self, terms: Terms<T>) -> (usize, Option<usize>) {
        let Well::Covered(well) = &mut self.well else { return (0, None) };
        let Some(well) = well.with(Option::take) else { return (0, None) };
        let hint = catch(|| well.size_hint()).unwrap_or_default();
        let Terms { limit, are_held, catches, weighing } = terms;
        let threads = self.most.unwrap_or_else(|| self.runtime.threads()).get();
        let workers = threads.min(limit).min(hint.1.unwrap_or(usize::MAX)).max(1);
        let held = are_held.then_some(limit);
        let depot = Arc::new(Depot::new(well, held, workers, catches));
        self.well = Well::Open(depot.clone());
        let mut first = Buckets::new();
        if hint.1 == Some(0) {
            // As good as dry: no worker is called for that.
            let mut pace = Pace::SLOWEST;
            let got = depot.draw(1, &mut pace, false, Waker::noop(), &mut first);
            let panicked = match got {
                Got::Dry => return hint,
                Got::Some | Got::Wait => None,
                Got::BodyPanicked(index, panic) => Some((index, panic)),
                Got::SourcePanicked(panic) => Some((SOURCE, panic)),
            };
            if let Some((slot, panic)) = panicked {
                let end = Ended { slot, at: next_end(), outcome: Outcome::Panicked(panic) };
                self.round.with(|round| round.news.push(end));
                self.untold += 1;
            }
        }
        for me in 0..workers {
            // Together, they may have as many as the limit says.
            let most = limit / workers + usize::from(me < limit % workers);
            let worker = Worker::drawing(depot.clone(), me, most, self.home.clone(), weighing);
            let worker = worker.with(mem::take(&mut first));
            self.tasks.push(spawn_from(Origin::unknown(), &self.runtime, worker));
        }
        hint
    }

    fn hold(&mut self, held: usize) {
        if let Well::Open(depot) = &self.well {
            depot.settle(self.told - held);
        }
    }
}

impl<B, T, R> Work<Errand<B>> for Drawers<B, T, R>
where
    Errand<B>: Started<Output = T>,
    R: Spawn,
    B: Body<Returns = T> + Send + 'static,
    T: Send + 'static,
{
    fn drawing(&mut self) -> Option<&mut dyn Drawing<Errand<B>>> {
        Some(self)
    }

    fn drawn(&self) -> Option<(usize, bool)> {
        Some(match &self.well {
            Well::Covered(_) => (0, false),
            Well::Open(depot) => (depot.drawn(), depot.is_dry()),
        })
    }

    fn len(&self) -> usize {
        if self.is_over() { 0 } else { self.untold + self.home.going().max(1) }
    }

    fn take(&mut self, _next: &mut dyn FnMut() -> Option<(usize, Errand<B>)>) -> Option<Ticket> {
        unreachable!("the loop has no source: the workers have it")
    }

    fn hand_out(&mut self) {}

    fn runs(&self, _body: Ticket) -> bool {
        true
    }

    fn indices(&self) -> Vec<usize> {
        // Each is told when it has stopped.
        Vec::new()
    }

    fn expire(&mut self, _body: Ticket) {
        unreachable!("workers draw no bodies that have a time")
    }

    fn tell(
        &mut self,
        polls: &mut usize,
        most: usize,
        told: &mut dyn FnMut(End<T>) -> ControlFlow<()>,
    ) {
        let (home, count, untold) = (&self.home, &mut self.told, &mut self.untold);
        self.round.with(|Round { light, news }| {
            while let Some(ends) = light.last_mut() {
                while *polls < most {
                    let Some((index, output)) = ends.light.pop() else { break };
                    (*count, *untold, *polls) = (*count + 1, *untold - 1, *polls + 1);
                    if told(End { index, at: 0, outcome: Outcome::Ok(output) }).is_break() {
                        return;
                    }
                }
                if !ends.light.is_empty() {
                    return;
                }
                light.pop().into_iter().for_each(|ends| home.recycle(ends));
            }
            while *polls < most {
                let Some(Ended { slot: index, at, outcome }) = news.pop() else { break };
                *count += usize::from(index != SOURCE);
                (*untold, *polls) = (*untold - 1, *polls + 1);
                if told(End { index, at, outcome }).is_break() {
                    break;
                }
            }
        });
    }

    fn is_amid_round(&self) -> bool {
        self.untold > 0
    }

    fn next_round(&mut self) -> bool {
        let home = &self.home;
        self.untold += self.round.with(|Round { light, news }| {
            let mut more = 0;
            while let Some(mut ends) = home.take() {
                more += ends.light.len() + ends.news.len();
                news.append(&mut ends.news);
                if ends.light.is_empty() {
                    home.recycle(ends);
                } else {
                    light.push(ends);
                }
            }
            news.sort_unstable_by_key(|end| Reverse(end.at));
            more
        });
        self.untold > 0
    }

    fn sleep(&mut self, cx: &Context<'_>) -> bool {
        if self.untold > 0 {
            return false;
        }
        self.home.front.register(cx.waker());
        !self.home.has_ends() && self.home.going() > 0
    }

    fn cancel(&mut self) -> Option<Panic> {
        self.close()
    }

    fn poll_over(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        self.tasks.clear();
        Poll::Ready(())
    }
}

impl<B, T, R> Drop for Drawers<B, T, R> {
    fn drop(&mut self) {
        let panic = self.close();
        self.home.close();
        if let Some(panic) = panic {
            panic.resume_unless_panicking();
        }
    }
}
