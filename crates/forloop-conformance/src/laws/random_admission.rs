//! Random loops with random admission options and retries: the events of each item are in order, each item has
//! one outcome, each failure is passed on, and no limit is exceeded.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use forloop_core::backon::ConstantBuilder;
use forloop_core::types::{Backon, FailedAttempt};
use forloop_core::{
    CancelToken, Cause, Event, Interrupted, Outcome, OutcomeKind, Rate, Retry, each,
};
use futures_lite::StreamExt;

use super::random::Numbers;
use crate::{Alive, Backend, Job, Log, TickingClock, job, yields};

/// The items of a loop, and its options. An option that is off is set to a value that changes nothing.
#[derive(Debug, Clone)]
struct Rules {
    /// How often each item fails before it succeeds, and how often it yields each time.
    items: Vec<(u32, usize)>,
    limit: usize,
    retries: usize,
    delay: u64,
    per_key: usize,
    keys: usize,
    heaviest: usize,
    interval: u64,
    stagger: u64,
    timeout: u64,
    /// The body that drains the loop, the one that cancels it, and the number of failures that stops it.
    drains: usize,
    cancels: usize,
    most_failures: usize,
    /// The item that stops the loop if it succeeds.
    sought: usize,
}

/// More than any loop has: the event does not happen.
const NEVER: usize = 100_000;

impl Rules {
    fn make(numbers: &mut Numbers) -> Self {
        let items = (0..numbers.below(25)).map(|_| {
            let fails = if numbers.below(3) == 0 { numbers.below(5) } else { 0 };
            (fails as u32, numbers.below(4))
        });
        let items = items.collect();
        let mut pick = |on: &[usize], off: usize| {
            if numbers.below(2) == 0 { on[numbers.below(on.len())] } else { off }
        };
        Self {
            items,
            limit: pick(&[1, 2, 3, 7], 100),
            retries: pick(&[1, 2, 4], 0),
            delay: pick(&[1, 5, 20], 0) as u64,
            per_key: pick(&[1, 2], NEVER),
            keys: pick(&[1, 2, 3], 5),
            heaviest: pick(&[2, 3, 9], 1),
            interval: pick(&[1, 4], 0) as u64,
            stagger: pick(&[3, 10], 0) as u64,
            timeout: pick(&[15, 60], NEVER) as u64,
            drains: pick(&[0, 3, 9, 20], NEVER),
            cancels: pick(&[5, 15, NEVER, NEVER], NEVER),
            most_failures: pick(&[1, 2, NEVER, NEVER], NEVER),
            sought: pick(&[2, 7, 12, NEVER], NEVER),
        }
    }

    fn key(&self, index: usize) -> usize {
        index % self.keys
    }

    fn weight(&self, index: usize) -> usize {
        1 + index % self.heaviest
    }

    fn rate(&self) -> Rate {
        let interval = Duration::from_millis(self.interval).max(Duration::from_nanos(1));
        Rate::new(1, interval).unwrap()
    }

    fn retry(&self) -> Retry<Backon<ConstantBuilder>> {
        let delay = Duration::from_millis(self.delay);
        Retry::new(ConstantBuilder::default().with_delay(delay).with_max_times(self.retries))
    }
}

/// What was observed of a loop.
#[derive(Clone, Default)]
struct Seen {
    alive: Alive,
    events: Log<(Duration, Event)>,
    failures: Log<FailureSeen>,
    /// The indices of the bodies in flight.
    in_flight: Arc<Mutex<Vec<usize>>>,
}

/// The index of an item, the number and kind of an attempt that has failed, and the delay before the next one.
type FailureSeen = (usize, u32, OutcomeKind, Option<Duration>);

/// A body in flight, until it completes or is dropped.
struct InFlight {
    seen: Seen,
    index: usize,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut in_flight = self.seen.in_flight.lock().unwrap();
        let at = in_flight.iter().position(|&index| index == self.index).unwrap();
        in_flight.swap_remove(at);
    }
}

impl Seen {
    fn body(
        &self,
        rules: &Arc<Rules>,
        signals: &[CancelToken; 2],
        calls: &Log<usize>,
        index: usize,
    ) -> Job<Result<u64, String>> {
        calls.write(index);
        let call = calls.read().iter().filter(|&&called| called == index).count() as u32;
        let (seen, rules, signals) = (self.clone(), rules.clone(), signals.clone());
        let guard = self.alive.guard();
        job(async move {
            let _alive = guard;
            let _in_flight = seen.start(&rules, index);
            for (signal, at) in signals.iter().zip([rules.drains, rules.cancels]) {
                if at == index {
                    signal.cancel();
                }
            }
            let (fails, polls) = rules.items[index];
            yields(polls).await;
            if call > fails { Ok(index as u64) } else { Err(format!("{index}, call {call}")) }
        })
    }

    /// Checks that one more body may be in flight.
    fn start(&self, rules: &Rules, index: usize) -> InFlight {
        let mut in_flight = self.in_flight.lock().unwrap();
        in_flight.push(index);
        let weight: usize = in_flight.iter().map(|&index| rules.weight(index)).sum();
        assert!(weight <= rules.limit || in_flight.len() == 1, "{in_flight:?} under {rules:?}");
        let key = rules.key(index);
        let of_key = in_flight.iter().filter(|&&index| rules.key(index) == key).count();
        assert!(of_key <= rules.per_key, "{in_flight:?} under {rules:?}");
        assert!(!in_flight[..in_flight.len() - 1].contains(&index), "{index} runs twice");
        drop(in_flight);
        InFlight { seen: self.clone(), index }
    }
}

/// The state of one item, from its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unseen,
    Received,
    Running(u32),
    BackingOff(u32),
    Completed(OutcomeKind, u32),
}

/// Follows the events of each item; returns the outcome and the attempts of each item that was pulled.
fn outcomes(rules: &Rules, events: &[(Duration, Event)]) -> Vec<(OutcomeKind, u32)> {
    let mut states = vec![State::Unseen; rules.items.len()];
    let mut last_start = None;
    for (at, event) in events {
        let Some(index) = event.index() else { continue };
        let state = &mut states[index];
        *state = match (*state, event.clone()) {
            (State::Unseen, Event::Received { .. }) => State::Received,
            (State::Received, Event::Started { attempt: 1, .. }) => State::Running(1),
            (State::BackingOff(before), Event::Started { attempt, .. })
                if attempt == before + 1 =>
            {
                State::Running(attempt)
            }
            (State::Running(tried), Event::Retried { attempt, .. }) if attempt == tried => {
                State::BackingOff(tried)
            }
            (
                State::Running(tried) | State::BackingOff(tried),
                Event::Completed { attempts, kind, .. },
            ) if attempts == tried => State::Completed(kind, attempts),
            (State::Received, Event::Completed { attempts: 0, kind: OutcomeKind::NotRun, .. }) => {
                State::Completed(OutcomeKind::NotRun, 0)
            }
            (state, event) => panic!("{event:?} in {state:?} under {rules:?}"),
        };
        if let Event::Started { .. } = event {
            let apart = Duration::from_millis(rules.interval);
            if let Some(last) = last_start.replace(*at) {
                assert!(*at >= last + apart, "{at:?} after {last:?} under {rules:?}");
            }
        }
    }
    let pulled = states.iter().position(|state| *state == State::Unseen).unwrap_or(states.len());
    assert!(states[pulled..].iter().all(|state| *state == State::Unseen));
    let completed = states[..pulled].iter().map(|state| match *state {
        State::Completed(kind, attempts) => (kind, attempts),
        state => panic!("left as {state:?} under {rules:?}"),
    });
    completed.collect()
}

/// The failures that the events tell of: those of attempts that are followed by another, and those of outcomes.
fn failures(events: &[(Duration, Event)]) -> Vec<FailureSeen> {
    let failures = events.iter().filter_map(|(_, event)| match *event {
        Event::Retried { index, attempt, kind, after, .. } => {
            Some((index, attempt, kind, Some(after)))
        }
        Event::Completed { index, attempts, kind, .. } if kind.is_failure() => {
            Some((index, attempts, kind, None))
        }
        _ => None,
    });
    failures.collect()
}

/// Checks that the rules explain why the loop was interrupted, if it was.
fn check_cause<Y>(rules: &Rules, pulled: usize, interrupted: Option<&Interrupted<Y>>) {
    match interrupted.map(|interrupted| &interrupted.cause) {
        None => assert_eq!(pulled, rules.items.len(), "{rules:?}"),
        Some(Cause::Drained) => assert!(rules.drains < NEVER),
        Some(Cause::Cancelled) => assert!(rules.cancels < NEVER),
        Some(Cause::ConditionMet) => assert!(rules.most_failures < NEVER || rules.sought < NEVER),
        Some(other) => panic!("{other:?} under {rules:?}"),
    }
}

/// OPT-1, OPT-2, OPT-4, OPT-7, OPT-8, OPT-9, OPT-10, OPT-11, OPT-12, law 2, law 3, law 5, law 6: With random rates,
/// limits, retries and signals, each rule holds and each item has one outcome.
pub fn random_rules_hold_together_and_give_each_item_one_outcome<B: Backend>(backend: B) {
    for seed in 0..150 {
        let rules = Arc::new(Rules::make(&mut Numbers(seed)));
        settles(&backend, &rules);
        streams(&backend, &rules);
    }
}

/// Runs `settle` with the options in one order.
fn settles<B: Backend>(backend: &B, rules: &Arc<Rules>) {
    let (seen, clock, calls) = (Seen::default(), TickingClock::default(), Log::default());
    let signals = [CancelToken::new(), CancelToken::new()];
    let (events, failed) = (seen.events.clone(), seen.failures.clone());
    let settled = backend.block_on(
        each(0..rules.items.len())
            .limit(rules.limit)
            .unwrap()
            .at(backend.place())
            .timer(&clock)
            .timeout(Duration::from_millis(rules.timeout))
            .retry(rules.retry())
            .limit_by(|&index| rules.key(index), rules.per_key)
            .unwrap()
            .weight_by(|&index| rules.weight(index))
            .rate(rules.rate())
            .stagger(Duration::from_millis(rules.stagger))
            .stop_on_counts(|counts| counts.failed() >= rules.most_failures)
            .stop_on_output(|index, output: &Result<u64, String>| {
                index == rules.sought && output.is_ok()
            })
            .drain_on(&signals[0])
            .cancel_on(&signals[1])
            .observe(move |at, event: &Event| events.write((at, event.clone())))
            .on_failure(move |&item, failure: FailedAttempt<'_, String>| {
                assert_eq!(item, failure.index);
                failed.write((item, failure.attempt, failure.kind(), failure.retry_after));
            })
            .settle(|index| seen.body(rules, &signals, &calls, index)),
    );
    assert_eq!(seen.alive.now(), 0);
    let outcomes = outcomes(rules, &seen.events.read());
    assert_eq!(outcomes.len(), settled.len());
    assert_eq!(seen.failures.read(), failures(&seen.events.read()), "{rules:?}");
    check_cause(rules, settled.len(), settled.interrupted());
    for (index, (outcome, (kind, attempts))) in settled.iter().zip(outcomes).enumerate() {
        let reported = match outcome {
            Outcome::Ok(value) => {
                assert_eq!(*value, index as u64);
                OutcomeKind::Ok
            }
            Outcome::Err(error) => {
                assert!(error.starts_with(&format!("{index}, call ")), "{error} {attempts}");
                OutcomeKind::Failed
            }
            Outcome::TimedOut => OutcomeKind::TimedOut,
            Outcome::Cancelled => OutcomeKind::Cancelled,
            Outcome::NotRun => OutcomeKind::NotRun,
            other => panic!("{other:?}"),
        };
        assert_eq!(reported, kind, "{index} under {rules:?}");
        assert!(attempts as usize <= 1 + rules.retries);
        // A body that was called and not polled has not run, but counts as an attempt.
        if kind != OutcomeKind::NotRun {
            assert_eq!(settled.attempts(index), attempts, "{index} under {rules:?}");
        }
    }
}

/// Runs `as_completed` with the options in another order.
fn streams<B: Backend>(backend: &B, rules: &Arc<Rules>) {
    let (seen, clock, calls) = (Seen::default(), TickingClock::default(), Log::default());
    let signals = [CancelToken::new(), CancelToken::new()];
    let events = seen.events.clone();
    let mut items: Vec<_> = backend.block_on(
        each(0..rules.items.len())
            .at(backend.place())
            .timer(&clock)
            .observe(move |at, event: &Event| events.write((at, event.clone())))
            .stagger(Duration::from_millis(rules.stagger))
            .drain_on(&signals[0])
            .weight_by(|&index| rules.weight(index))
            .cancel_on(&signals[1])
            .rate(rules.rate())
            .limit_by(|&index| rules.key(index), rules.per_key)
            .unwrap()
            .limit(rules.limit)
            .unwrap()
            .retry(rules.retry())
            .stop_on_counts(|counts| counts.failed() >= rules.most_failures)
            .stop_on_output(|index, output: &Result<u64, String>| {
                index == rules.sought && output.is_ok()
            })
            .as_completed(|index| seen.body(rules, &signals, &calls, index))
            .collect(),
    );
    assert_eq!(seen.alive.now(), 0);
    let outcomes = outcomes(rules, &seen.events.read());
    let interrupted = items.pop_if(|item| item.is_err()).map(Result::unwrap_err);
    check_cause(rules, outcomes.len(), interrupted.as_ref());
    let mut reported: Vec<_> = items
        .into_iter()
        .map(|item| {
            let (index, returned) = item.unwrap();
            let kind = if returned.is_ok() { OutcomeKind::Ok } else { OutcomeKind::Failed };
            assert_eq!(outcomes[index].0, kind, "{index} under {rules:?}");
            index
        })
        .collect();
    reported.sort();
    let expected = outcomes
        .iter()
        .enumerate()
        .filter(|(_, (kind, _))| matches!(kind, OutcomeKind::Ok | OutcomeKind::Failed));
    assert_eq!(reported, expected.map(|(index, _)| index).collect::<Vec<_>>(), "{rules:?}");
}
