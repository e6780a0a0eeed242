//! Order, empty sources and wrong `size_hint`s, and loops without a runtime.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use forloop_core::{Cause, TaskSet, each, each_stream, scope, wait};
use futures_lite::{Stream, StreamExt, stream};

use crate::strategies::{Run, every_strategy};
use crate::{Backend, Gate, Inline, Job, Log, boxed, job, seconds, yields};

/// EMP-1: With an empty source, every strategy completes on its first poll and calls no body.
pub fn an_empty_source_completes_on_the_first_poll<B: Backend>(backend: B) {
    use futures_lite::future::poll_once;

    let all = || each(std::iter::empty::<u64>());
    let none = || all().limit(3).unwrap().at(backend.place());
    let body = |_| -> Job<u64> { panic!("a body was called") };
    let unit = |_| -> Job<()> { panic!("a body was called") };
    let optional = |_| -> Job<Option<u64>> { panic!("a body was called") };
    let fallible = |_| -> Job<Result<u64, String>> { panic!("a body was called") };
    let fallible_unit = |_| -> Job<Result<(), String>> { panic!("a body was called") };
    backend.block_on(async {
        let sequential = all().sequential().at(backend.place());
        assert_eq!(poll_once(sequential.gather(body)).await, Some(vec![]));
        let unbounded = all().unbounded().at(backend.place());
        assert_eq!(poll_once(unbounded.gather(body)).await, Some(vec![]));
        assert_eq!(poll_once(none().gather(body)).await, Some(vec![]));
        assert_eq!(poll_once(none().try_gather(fallible)).await.unwrap().unwrap(), []);
        assert!(poll_once(none().settle(fallible)).await.unwrap().is_empty());
        assert_eq!(poll_once(none().collect(body)).await, Some(Vec::new()));
        assert_eq!(poll_once(none().extend(&mut Vec::new(), body)).await, Some(()));
        assert_eq!(poll_once(none().fold(7, body, |sum, (_, n)| sum + n)).await, Some(7));
        assert_eq!(poll_once(none().filter_map(optional)).await, Some(vec![]));
        assert_eq!(poll_once(none().for_each(unit)).await, Some(()));
        assert_eq!(poll_once(none().try_for_each(fallible_unit)).await, Some(Ok(())));
        assert_eq!(poll_once(none().as_completed(body).next()).await, Some(None));
        assert_eq!(poll_once(none().stream(body).next()).await, Some(None));
        assert_eq!(poll_once(none().stream_unordered(body).next()).await, Some(None));
        assert_eq!(poll_once(none().stream(body).for_each(async |_| {})).await, Some(()));
        let mut running = TaskSet::at(&backend.place(), Vec::<Job<u64>>::new());
        assert!(poll_once(wait(&mut running)).await.is_some());
        let group = backend.group(|_| job(async { Ok(7) }));
        assert_eq!(poll_once(group).await, Some(Ok(7)));
    });
}

/// An iterator whose `size_hint` is wrong.
struct WrongHint(std::ops::Range<u64>, (usize, Option<usize>));

impl Iterator for WrongHint {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.1
    }
}

/// Law 5: A wrong `size_hint` changes no output.
pub fn a_wrong_size_hint_is_harmless<B: Backend>(backend: B) {
    for hint in [(0, Some(0)), (usize::MAX, None), (usize::MAX, Some(3)), (100, Some(100))] {
        let outputs = each(WrongHint(0..10, hint))
            .unbounded()
            .at(backend.place())
            .gather(boxed(|n| job(async move { n })));
        assert_eq!(backend.block_on(outputs), (0..10).collect::<Vec<_>>());
    }
}

/// Law 5: A deadline, a cancellation or a drain interrupts a loop whose source says that it is empty and never ends.
pub fn a_source_that_says_it_is_empty_and_never_ends_is_interrupted<B: Backend>(backend: B) {
    let clock = backend.clock();
    let body = |n: u64| job(async move { n });
    let looping = || {
        let source = stream::pending::<u64>();
        assert_eq!(source.size_hint(), (0, Some(0)));
        each_stream(source).limit(3).unwrap().at(backend.place())
    };
    let timed_out = looping().timer(&clock).deadline(seconds::<B>(1)).gather(body);
    assert_eq!(backend.block_on(timed_out).unwrap_err().cause, Cause::TimedOut);
    let cancelled = looping().cancel_on(yields(3)).gather(body);
    assert_eq!(backend.block_on(cancelled).unwrap_err().cause, Cause::Cancelled);
    let drained = looping().drain_on(yields(3)).gather(body);
    assert_eq!(backend.block_on(drained).unwrap_err().cause, Cause::Drained);
    // Here after two items.
    let source = stream::iter(0..2).chain(stream::pending());
    let looping = each_stream(source).limit(3).unwrap().at(backend.place());
    let timed_out = looping.timer(&clock).deadline(seconds::<B>(1)).gather(body);
    assert_eq!(backend.block_on(timed_out).unwrap_err().cause, Cause::TimedOut);
    // A source that has items, although it says that it has none.
    let looping = each(WrongHint(0..2, (0, Some(0)))).limit(2).unwrap().at(backend.place());
    let timed_out = looping.timer(&clock).deadline(Duration::ZERO).gather(body);
    assert_eq!(backend.block_on(timed_out).unwrap_err().cause, Cause::TimedOut);
    // One that is indeed exhausted interrupts nothing.
    let looping = each(0..0).limit(2).unwrap().at(backend.place());
    let complete = looping.timer(&clock).deadline(Duration::ZERO).gather(body);
    assert!(backend.block_on(complete).unwrap().is_empty());
}

/// ORD-1: Bodies are first polled in input order, and outputs that are ready at once are yielded in that order.
pub fn bodies_are_first_polled_in_input_order_and_ready_outputs_keep_it(_in_task: Inline) {
    for limit in 1..10 {
        let polled = Log::default();
        let outputs: Vec<u64> = futures_lite::future::block_on(
            each(0..20)
                .limit(limit)
                .unwrap()
                .stream_unordered(|n: u64| {
                    let polled = polled.clone();
                    async move {
                        polled.write(n);
                        n
                    }
                })
                .collect(),
        );
        assert_eq!(outputs, (0..20).collect::<Vec<_>>());
        assert_eq!(polled.read(), outputs);
    }
}

/// Law 4: Of two failures in one round of polls, the one with the lower index is first.
pub fn of_simultaneous_failures_the_one_with_the_lower_index_is_first(_in_task: Inline) {
    // Item 2 reuses the slot of item 0, so its slot is before that of item 1.
    let error = futures_lite::future::block_on(each([0, 3, 2]).limit(2).unwrap().try_gather(
        async |n: usize| {
            yields(n).await;
            if n == 0 { Ok(()) } else { Err(n) }
        },
    ));
    let gate = Gate::default();
    let both = each(0..3).limit(2).unwrap().try_for_each(|n: u64| {
        let gate = gate.clone();
        async move {
            if n == 0 {
                return Ok(());
            }
            if n == 2 {
                // Both wait by now, and are woken together.
                gate.open();
                yields(1).await;
            } else {
                gate.passed().await;
            }
            Err(n)
        }
    });
    assert_eq!(error.unwrap_err().first().unwrap().error, 2);
    let error = futures_lite::future::block_on(both).unwrap_err();
    assert_eq!(error.first().unwrap().index, Some(1));
}

#[allow(clippy::ptr_arg)] // what iterating over a `&Vec<String>` gives
async fn borrowing<'a>(word: &'a String, count: &Rc<Cell<usize>>) -> &'a str {
    yields(2).await;
    count.set(count.get() + word.len());
    word
}

/// RTN-1, RTN-2: Bodies in the caller's task may borrow, need not be `Send`, and need no runtime.
pub fn bodies_in_the_callers_task_may_borrow_and_need_not_be_send(_in_task: Inline) {
    let words = vec![String::from("to"), String::from("be")];
    let count = Rc::new(Cell::new(0));
    let body = |word| borrowing(word, &count);
    futures_lite::future::block_on(async {
        assert_eq!(each(&words).sequential().gather(body).await, ["to", "be"]);
        assert_eq!(each(&words).unbounded().gather(body).await, ["to", "be"]);
        let stream = futures_lite::stream::iter(&words);
        assert_eq!(each_stream(stream).limit(1).unwrap().gather(body).await, ["to", "be"]);
        let mut results = std::pin::pin!(each(&words).unbounded().as_completed(body));
        while let Some((index, word)) = results.next().await {
            assert_eq!(words[index], word);
        }
        let mut running = TaskSet::new(words.iter().map(body));
        assert_eq!(wait(&mut running).await.0.len(), 2);
    });
    assert_eq!(count.get(), 20);
}

/// RTN-1: every strategy, on a `block_on` that knows nothing of us.
pub fn every_strategy_needs_no_runtime(_in_task: Inline) {
    let looping = || each(0..10_u64).limit(3).unwrap();
    let body = |n: u64| {
        let not_send = Rc::new(n);
        async move {
            yields(n as usize % 3).await;
            *not_send
        }
    };
    futures_lite::future::block_on(async {
        for Run { strategy, returned } in every_strategy!(local: looping(), body) {
            strategy.check(&returned.await, 10, |index| index as u64);
        }
        let fallible = async |n| Ok::<_, String>(body(n).await);
        assert_eq!(looping().first_ok(10, fallible).await.unwrap().len(), 10);
        let odd = async |n| Some(body(n).await).filter(|n| n % 2 == 1);
        assert_eq!(looping().filter_map(odd).await, [1, 3, 5, 7, 9]);
        let mut taken = looping().as_completed(body).consume(StreamExt::collect::<Vec<_>>).await;
        taken.sort_unstable();
        assert!(taken.into_iter().eq((0..10).map(|n| (n as usize, n))));
        let child =
            scope(|scope| async move { Ok::<_, String>(scope.spawn(async { Ok(1) }).await) });
        assert_eq!(child.await, Ok(Ok(1)));
        let mut running = TaskSet::new((0..10).map(body));
        assert_eq!(wait(&mut running).await.0.len(), 10);
    });
}
