//! Random loops with random options of when bodies begin and begin again: whatever the numbers, each item
//! is heard of in order, has one end, and no limit is overstepped.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use forloop_core::backon::ConstantBuilder;
use forloop_core::{
    CancelToken, Cause, Event, Interrupted, Outcome, OutcomeKind, Rate, Retry, each,
};
use futures_lite::StreamExt;

use super::random::Numbers;
use crate::{Alive, Backend, Job, RestlessClock, Tally, job, yields};

/// What a loop is to do, and under which rules. A rule that is off is there all the same, and says nothing.
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
    /// The body that asks the loop to finish, the one that cancels it, and the failures that are enough.
    drains: usize,
    cancels: usize,
    enough: usize,
    /// The item that is enough, if it succeeds.
    sought: usize,
}

/// More than there ever are: it does not happen.
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
            enough: pick(&[1, 2, NEVER, NEVER], NEVER),
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

    fn retry(&self) -> Retry<ConstantBuilder> {
        let delay = Duration::from_millis(self.delay);
        Retry::new(ConstantBuilder::default().with_delay(delay).with_max_times(self.retries))
    }
}

/// What was seen of a loop.
#[derive(Clone, Default)]
struct Seen {
    alive: Alive,
    events: Tally<(Duration, Event)>,
    /// The bodies in flight.
    flying: Arc<Mutex<Vec<usize>>>,
}

/// A body in flight: it lands when it ends, or is dropped.
struct Flight {
    seen: Seen,
    index: usize,
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut flying = self.seen.flying.lock().unwrap();
        let at = flying.iter().position(|&index| index == self.index).unwrap();
        flying.swap_remove(at);
    }
}

impl Seen {
    fn body(
        &self,
        rules: &Arc<Rules>,
        signals: &[CancelToken; 2],
        calls: &Tally<usize>,
        index: usize,
    ) -> Job<Result<u64, String>> {
        calls.write(index);
        let call = calls.read().iter().filter(|&&called| called == index).count() as u32;
        let (seen, rules, signals) = (self.clone(), rules.clone(), signals.clone());
        let guard = self.alive.guard();
        job(async move {
            let _alive = guard;
            let _flight = seen.take_off(&rules, index);
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

    /// Looks whether one more may be in flight.
    fn take_off(&self, rules: &Rules, index: usize) -> Flight {
        let mut flying = self.flying.lock().unwrap();
        flying.push(index);
        let weight: usize = flying.iter().map(|&index| rules.weight(index)).sum();
        assert!(weight <= rules.limit || flying.len() == 1, "{flying:?} under {rules:?}");
        let key = rules.key(index);
        let of_key = flying.iter().filter(|&&index| rules.key(index) == key).count();
        assert!(of_key <= rules.per_key, "{flying:?} under {rules:?}");
        assert!(!flying[..flying.len() - 1].contains(&index), "{index} runs twice");
        drop(flying);
        Flight { seen: self.clone(), index }
    }
}

/// What was heard of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unheard,
    Queued,
    TaskSet(u32),
    Waiting(u32),
    Ended(OutcomeKind, u32),
}

/// Follows each item through its events; returns how each has ended that was pulled.
fn ends(rules: &Rules, events: &[(Duration, Event)]) -> Vec<(OutcomeKind, u32)> {
    let mut states = vec![State::Unheard; rules.items.len()];
    let mut last_start = None;
    for (at, event) in events {
        let Some(index) = event.index() else { continue };
        let state = &mut states[index];
        *state = match (*state, *event) {
            (State::Unheard, Event::Received { .. }) => State::Queued,
            (State::Queued, Event::Started { attempt: 1, .. }) => State::TaskSet(1),
            (State::Waiting(before), Event::Started { attempt, .. }) if attempt == before + 1 => {
                State::TaskSet(attempt)
            }
            (State::TaskSet(tried), Event::Retried { attempt, .. }) if attempt == tried => {
                State::Waiting(tried)
            }
            (
                State::TaskSet(tried) | State::Waiting(tried),
                Event::Completed { attempts, how, .. },
            ) if attempts == tried => State::Ended(how, attempts),
            (State::Queued, Event::Completed { attempts: 0, how: OutcomeKind::NotRun, .. }) => {
                State::Ended(OutcomeKind::NotRun, 0)
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
    let pulled = states.iter().position(|state| *state == State::Unheard).unwrap_or(states.len());
    assert!(states[pulled..].iter().all(|state| *state == State::Unheard));
    let ended = states[..pulled].iter().map(|state| match *state {
        State::Ended(how, attempts) => (how, attempts),
        state => panic!("left as {state:?} under {rules:?}"),
    });
    ended.collect()
}

/// What must be true of a loop that was cut short or not.
fn is_true<Y>(rules: &Rules, pulled: usize, cut: Option<&Interrupted<Y>>) {
    match cut.map(|cut| &cut.cause) {
        None => assert_eq!(pulled, rules.items.len(), "{rules:?}"),
        Some(Cause::Drained) => assert!(rules.drains < NEVER),
        Some(Cause::Cancelled) => assert!(rules.cancels < NEVER),
        Some(Cause::ConditionMet) => assert!(rules.enough < NEVER || rules.sought < NEVER),
        Some(other) => panic!("{other:?} under {rules:?}"),
    }
}

/// OPT-1, OPT-2, OPT-4, OPT-7, OPT-8, OPT-9, OPT-10, OPT-11, law 2, law 3, law 5, law 6
pub fn random_rules_hold_together_and_give_each_item_one_end<B: Backend>(backend: B) {
    for seed in 0..150 {
        let rules = Arc::new(Rules::make(&mut Numbers(seed)));
        settles(&backend, &rules);
        streams(&backend, &rules);
    }
}

/// With the options in one order.
fn settles<B: Backend>(backend: &B, rules: &Arc<Rules>) {
    let (seen, clock, calls) = (Seen::default(), RestlessClock::default(), Tally::default());
    let signals = [CancelToken::new(), CancelToken::new()];
    let events = seen.events.clone();
    let settled = backend.block_on(
        each(0..rules.items.len())
            .limit(rules.limit)
            .unwrap()
            .at(backend.place())
            .timeout(&clock, Duration::from_millis(rules.timeout))
            .retry(&clock, rules.retry())
            .limit_by(|&index| rules.key(index), rules.per_key)
            .unwrap()
            .weight_by(|&index| rules.weight(index))
            .rate(&clock, rules.rate())
            .stagger(&clock, Duration::from_millis(rules.stagger))
            .stop_on_counts(|tally| tally.failed() >= rules.enough)
            .stop_on_output(|index, output: &Result<u64, String>| {
                index == rules.sought && output.is_ok()
            })
            .drain_on(&signals[0])
            .cancel_on(&signals[1])
            .observe(&clock, move |at, event: &Event| events.write((at, *event)))
            .settle(|index| seen.body(rules, &signals, &calls, index)),
    );
    assert_eq!(seen.alive.now(), 0);
    let ends = ends(rules, &seen.events.read());
    assert_eq!(ends.len(), settled.len());
    is_true(rules, settled.len(), settled.interrupted());
    for (index, (outcome, (how, attempts))) in settled.iter().zip(ends).enumerate() {
        let told = match outcome {
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
        assert_eq!(told, how, "{index} under {rules:?}");
        assert!(attempts as usize <= 1 + rules.retries);
        // A body that was called and not polled was not run, and yet there was an attempt.
        if how != OutcomeKind::NotRun {
            assert_eq!(settled.attempts(index), attempts, "{index} under {rules:?}");
        }
    }
}

/// And in another.
fn streams<B: Backend>(backend: &B, rules: &Arc<Rules>) {
    let (seen, clock, calls) = (Seen::default(), RestlessClock::default(), Tally::default());
    let signals = [CancelToken::new(), CancelToken::new()];
    let events = seen.events.clone();
    let mut items: Vec<_> = backend.block_on(
        each(0..rules.items.len())
            .at(backend.place())
            .observe(&clock, move |at, event: &Event| events.write((at, *event)))
            .stagger(&clock, Duration::from_millis(rules.stagger))
            .drain_on(&signals[0])
            .weight_by(|&index| rules.weight(index))
            .cancel_on(&signals[1])
            .rate(&clock, rules.rate())
            .limit_by(|&index| rules.key(index), rules.per_key)
            .unwrap()
            .limit(rules.limit)
            .unwrap()
            .retry(&clock, rules.retry())
            .stop_on_counts(|tally| tally.failed() >= rules.enough)
            .stop_on_output(|index, output: &Result<u64, String>| {
                index == rules.sought && output.is_ok()
            })
            .as_completed(|index| seen.body(rules, &signals, &calls, index))
            .collect(),
    );
    assert_eq!(seen.alive.now(), 0);
    let ends = ends(rules, &seen.events.read());
    let cut = items.pop_if(|item| item.is_err()).map(Result::unwrap_err);
    is_true(rules, ends.len(), cut.as_ref());
    let mut told: Vec<_> = items
        .into_iter()
        .map(|item| {
            let (index, returned) = item.unwrap();
            let how = if returned.is_ok() { OutcomeKind::Ok } else { OutcomeKind::Failed };
            assert_eq!(ends[index].0, how, "{index} under {rules:?}");
            index
        })
        .collect();
    told.sort();
    let expected = ends
        .iter()
        .enumerate()
        .filter(|(_, (how, _))| matches!(how, OutcomeKind::Ok | OutcomeKind::Failed));
    assert_eq!(told, expected.map(|(index, _)| index).collect::<Vec<_>>(), "{rules:?}");
}
