//! Random loops with random options: each item has one outcome, and one that the options allow.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use forloop_core::{CancelToken, Cause, Interrupted, Outcome, try_each};
use futures_lite::StreamExt;

use super::random::{Fate, Numbers, Observed, Plan};
use crate::{Backend, Job, TickingClock, job};

/// The plan of a loop, and what may interrupt it.
#[derive(Debug)]
struct Chances {
    plan: Plan,
    /// The timeout of each body, in reads of a clock that ticks.
    timeout: u64,
    /// The deadline of the loop.
    deadline: u64,
    /// The body that cancels the loop when it starts.
    canceller: usize,
    /// The item at which the source fails.
    fails_at: usize,
}

/// More than any loop has: the event does not happen.
const NEVER: usize = 1000;

impl Chances {
    fn make(numbers: &mut Numbers) -> Self {
        let mut chance = |of: usize| if numbers.below(3) == 0 { numbers.below(of) } else { NEVER };
        let (timeout, deadline) = (chance(40) as u64, chance(200) as u64);
        let (canceller, fails_at) = (chance(30), chance(30));
        Self { plan: Plan::make(numbers), timeout, deadline, canceller, fails_at }
    }

    fn duration(n: u64) -> Duration {
        if n == NEVER as u64 { Duration::MAX } else { Duration::from_millis(n) }
    }

    /// Items, until the source fails.
    fn source(&self, seen: &Arc<Observed>) -> impl Iterator<Item = Result<usize, String>> + use<> {
        let (seen, fails_at) = (seen.clone(), self.fails_at);
        (0..self.plan.items.len()).map(move |index| {
            if index == fails_at {
                return Err(index.to_string());
            }
            seen.pulled.fetch_add(1, Ordering::SeqCst);
            Ok(index)
        })
    }

    fn body(&self, seen: &Observed, token: &CancelToken, index: usize) -> Job<Result<u64, String>> {
        let body = seen.body(index, self.plan.items[index]);
        let token = (index == self.canceller).then(|| token.clone());
        job(async move {
            if let Some(token) = token {
                token.cancel();
            }
            body.await
        })
    }

    /// Whether this item can have this outcome.
    fn allows(
        &self,
        index: usize,
        outcome: &Outcome<u64, String>,
        interrupted: Option<&Cause<String>>,
    ) -> bool {
        match (outcome, self.plan.items[index].1) {
            (Outcome::Ok(value), Fate::Succeeds) => *value == index as u64,
            (Outcome::Err(error), Fate::Fails) => *error == index.to_string(),
            (Outcome::Panicked(_), Fate::Panics) => true,
            (Outcome::TimedOut, _) => {
                self.timeout < NEVER as u64 || matches!(interrupted, Some(Cause::TimedOut))
            }
            (Outcome::Cancelled, _) => {
                matches!(interrupted, Some(Cause::Cancelled | Cause::Source { .. }))
            }
            (Outcome::NotRun, _) => interrupted.is_some(),
            _ => false,
        }
    }

    /// Checks what holds for every loop that has returned.
    fn check<Y>(
        &self,
        seen: &Observed,
        is_spawned: bool,
        interrupted: Option<&Interrupted<Y, String>>,
    ) {
        assert_eq!(seen.alive.now(), 0, "{self:?}");
        let called = seen.called.read();
        assert_eq!(called, (0..called.len()).collect::<Vec<_>>(), "{self:?}");
        assert_eq!(seen.pulled.load(Ordering::SeqCst), called.len(), "{self:?}");
        assert!(seen.peak.most() <= self.plan.limit, "{self:?}");
        let Some(interrupted) = interrupted else {
            assert_eq!(called.len(), self.plan.items.len(), "{self:?}");
            return;
        };
        assert!(
            interrupted.pending.is_sorted()
                && interrupted.pending.iter().all(|&index| index < called.len())
        );
        match &interrupted.cause {
            Cause::TimedOut => assert!(self.deadline < NEVER as u64, "{self:?}"),
            Cause::Cancelled => assert!(self.canceller < called.len(), "{self:?}"),
            Cause::Source { index, error } => {
                assert_eq!((*index, &error[..]), (self.fails_at, &self.fails_at.to_string()[..]));
                assert_eq!(*index, called.len(), "{self:?}");
            }
            other => panic!("{other:?}"),
        }
        assert!(is_spawned || interrupted.pending.len() <= self.plan.limit, "{self:?}");
    }
}

/// Law 1, law 2, law 3, law 5, law 6: With random timeouts, deadlines, cancellations and source errors, each item
/// has one outcome, which the options allow.
pub fn random_options_give_each_item_one_correct_outcome<B: Backend>(backend: B) {
    for seed in 0..400 {
        let chances = Chances::make(&mut Numbers(seed));
        settles(&backend, &chances);
        streams(&backend, &chances);
    }
}

fn settles<B: Backend>(backend: &B, chances: &Chances) {
    let (seen, token, clock) =
        (Arc::new(Observed::default()), CancelToken::new(), TickingClock::default());
    let settled = backend.block_on(
        try_each(chances.source(&seen))
            .limit(chances.plan.limit)
            .unwrap()
            .at(backend.place())
            .timer(&clock)
            .timeout(Chances::duration(chances.timeout))
            .cancel_on(&token)
            .deadline(Chances::duration(chances.deadline))
            .catch_panics()
            .settle(|index| chances.body(&seen, &token, index)),
    );
    let interrupted = settled.interrupted();
    chances.check(&seen, B::SPAWNED, interrupted);
    assert_eq!(settled.len(), seen.called.read().len(), "{chances:?}");
    for (index, outcome) in settled.iter().enumerate() {
        let cause = interrupted.map(|interrupted| &interrupted.cause);
        assert!(chances.allows(index, outcome, cause), "{outcome:?} at {index} in {chances:?}");
        let was_stopped =
            interrupted.is_some_and(|interrupted| interrupted.pending.contains(&index));
        let has_completed =
            outcome.is_ok() || matches!(outcome, Outcome::Err(_) | Outcome::Panicked(_));
        assert!(!(was_stopped && has_completed), "{outcome:?} at {index} in {chances:?}");
    }
}

fn streams<B: Backend>(backend: &B, chances: &Chances) {
    let (seen, token, clock) =
        (Arc::new(Observed::default()), CancelToken::new(), TickingClock::default());
    let mut items: Vec<_> = backend.block_on(
        try_each(chances.source(&seen))
            .limit(chances.plan.limit)
            .unwrap()
            .at(backend.place())
            .timer(&clock)
            .timeout(Chances::duration(chances.timeout))
            .cancel_on(&token)
            .deadline(Chances::duration(chances.deadline))
            .catch_panics()
            .as_completed(|index| chances.body(&seen, &token, index))
            .collect(),
    );
    let interrupted = items.pop_if(|item| item.is_err()).map(Result::unwrap_err);
    chances.check(&seen, B::SPAWNED, interrupted.as_ref());
    let cause = interrupted.as_ref().map(|interrupted| &interrupted.cause);
    let mut reported: Vec<_> =
        interrupted.iter().flat_map(|interrupted| interrupted.pending.clone()).collect();
    for item in items {
        let (index, outcome) = item.unwrap();
        let outcome = outcome.into();
        assert!(chances.allows(index, &outcome, cause), "{outcome:?} at {index} in {chances:?}");
        reported.push(index);
    }
    // Each item that was pulled is reported once: as an output, or as an index that is pending.
    reported.sort();
    assert_eq!(reported, seen.called.read(), "{chances:?}");
}
