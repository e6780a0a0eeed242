//! Laws about durations: exact on a virtual clock; on a real one never early, and never later than a minute.
//!
//! The other modules show without durations that bodies run concurrently: with gates.

use std::time::Duration;

use forloop_core::{TaskSet, Timer, each, task_list, wait};
use futures_lite::{StreamExt, future};

use super::unit;
use crate::{Backend, Gate, Job, LONG, Log, Spawning, boxed, job, on_time, seconds, yields};

/// Logs when bodies start and complete, relative to its own start.
#[derive(Clone)]
pub(super) struct Stopwatch<C> {
    pub(super) clock: C,
    start: Duration,
    pub(super) times: Log<(u64, Duration)>,
}

impl<C: Timer + Clone + Send + Sync + 'static> Stopwatch<C> {
    pub(super) fn start(backend: &impl Backend<Clock = C>) -> Self {
        let clock = backend.clock();
        Self { start: clock.now(), clock, times: Log::default() }
    }

    pub(super) fn read(&self) -> Duration {
        let now = self.clock.now();
        now.checked_sub(self.start).expect("the clock never goes back")
    }

    /// A body that logs when it starts, and takes `takes`.
    pub(super) fn logs_start(&self, n: u64, takes: Duration) -> Job<u64> {
        let watch = self.clone();
        job(async move {
            watch.times.write((n, watch.read()));
            watch.clock.sleep(takes).await;
            n
        })
    }

    /// A body that takes `takes`, and logs when it completes.
    pub(super) fn logs_completion(&self, n: u64, takes: Duration) -> Job<u64> {
        let watch = self.clone();
        job(async move {
            watch.clock.sleep(takes).await;
            watch.times.write((n, watch.read()));
            n
        })
    }

    /// The logged times, in the order of the bodies.
    pub(super) fn logged(&self) -> Vec<Duration> {
        let mut times = self.times.read();
        times.sort();
        times.into_iter().map(|(_, time)| time).collect()
    }
}

fn all_on_time<B: Backend>(happened: &[Duration], due: &[Duration]) {
    assert_eq!(happened.len(), due.len());
    happened.iter().zip(due).for_each(|(&happened, &due)| on_time::<B>(happened, due));
}

/// SEQ-1: Sequential bodies of one, two and three seconds take six seconds.
pub fn sequential_bodies_of_one_two_and_three_seconds_take_six<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let looping = each(1..=3).sequential().at(backend.place());
    backend.block_on(looping.gather(|n| watch.logs_start(n, seconds::<B>(n))));
    on_time::<B>(watch.read(), seconds::<B>(6));
    all_on_time::<B>(&watch.logged(), &[0, 1, 3].map(seconds::<B>));
}

/// GAT-1: Ten bodies of one second take one second.
pub fn ten_bodies_of_one_second_take_one_second<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let looping = each(0..10).unbounded().at(backend.place());
    backend.block_on(looping.gather(|n| watch.logs_start(n, seconds::<B>(1))));
    on_time::<B>(watch.read(), seconds::<B>(1));
    all_on_time::<B>(&watch.logged(), &[Duration::ZERO; 10]);
}

/// GAT-4: The earliest error is returned when it occurs.
pub fn the_earliest_error_is_returned_when_it_occurs<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    // On a real clock the other error is so late that no machine is slow enough to return it first.
    let later = if B::EXACT { seconds::<B>(3) } else { LONG };
    let outcome = each([later, seconds::<B>(1)].into_iter().enumerate())
        .unbounded()
        .at(backend.place())
        .try_gather(boxed(|(n, takes)| {
            let fails = watch.logs_start(n as u64, takes);
            job(async move { Err::<u64, _>(fails.await.to_string()) })
        }));
    let error = backend.block_on(outcome).unwrap_err();
    assert_eq!(error.first().unwrap().error, "1");
    assert_eq!(error.failures().len(), 1);
    on_time::<B>(watch.read(), seconds::<B>(1));
}

/// WAIT-4: A wait times out on time; the rest can be awaited later.
pub fn a_wait_times_out_on_time<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let gate = Gate::default();
    let late = gate.clone();
    let bodies = [
        watch.logs_start(1, seconds::<B>(1)),
        job(async move {
            late.passed().await;
            2
        }),
    ];
    let mut running = TaskSet::at(&backend.place(), bodies);
    let timed = wait(&mut running).timer(&watch.clock).timeout(seconds::<B>(2));
    let (done, pending) = backend.block_on(timed);
    on_time::<B>(watch.read(), seconds::<B>(2));
    // On a busy machine the timeout may fire first.
    assert!(done.len() == 1 || !B::EXACT && done.is_empty());
    assert_eq!(done.len() + pending.len(), 2);
    gate.open();
    let (rest, pending) = backend.block_on(wait(pending));
    assert!(pending.is_empty());
    let mut indices: Vec<_> = done.iter().chain(&rest).map(|done| done.index).collect();
    indices.sort_unstable();
    assert_eq!(indices, [0, 1]);
}

/// WAIT-4: A sleep counts from the call of `sleep`, not from its first poll.
pub fn a_sleep_counts_from_its_call<B: Backend>(backend: B) {
    let clock = backend.clock();
    let clock = &clock;
    backend.block_on(async {
        let first = clock.sleep(Duration::from_millis(400));
        clock.sleep(Duration::from_millis(350)).await;
        // This one is due later, even if the machine pauses in between.
        let second = clock.sleep(Duration::from_millis(200));
        let is_first = async {
            first.await;
            true
        };
        let is_second = async {
            second.await;
            false
        };
        assert!(future::or(is_first, is_second).await);
    });
}

/// ASC-5: Bodies complete on time while a step takes longer.
pub fn bodies_complete_on_time_while_a_step_takes_longer<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let takes = Duration::from_millis(20);
    let looping = each(0..5).unbounded().at(backend.place());
    let results = looping.as_completed(|n| watch.logs_completion(n, takes));
    backend.block_on(results.for_each(|_| watch.clock.sleep(Duration::from_millis(100))));
    all_on_time::<B>(&watch.logged(), &[takes; 5]);
    on_time::<B>(watch.read(), Duration::from_millis(520));
}

/// ASC-5: Tasks make progress while the stream of their results is not polled.
pub fn tasks_make_progress_while_their_stream_is_not_polled<B: Spawning>(backend: B) {
    let (finished, all) = (Log::default(), Gate::default());
    let mut results = each(0..5).unbounded().at(backend.place()).as_completed(boxed(|n: u64| {
        let (finished, all) = (finished.clone(), all.clone());
        job(async move {
            yields(10).await;
            finished.write(n);
            if finished.read().len() == 5 {
                all.open();
            }
            n
        })
    }));
    backend.block_on(async {
        let first = future::poll_once(results.next()).await.flatten();
        all.passed().await;
        let rest: Vec<_> = results.collect().await;
        assert_eq!(first.into_iter().count() + rest.len(), 5);
    });
}

/// LST-1: Five tasks that are awaited one after another take as long as one.
pub fn five_tasks_awaited_in_turn_take_as_long_as_one<B: Spawning>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let takes = Duration::from_millis(30);
    let outputs = backend.block_on(async {
        let mut outputs = Vec::new();
        for task in task_list(&backend.runtime(), (0..5).map(|n| watch.logs_start(n, takes))) {
            outputs.push(task.await.unwrap());
        }
        outputs
    });
    assert_eq!(outputs, [0, 1, 2, 3, 4]);
    on_time::<B>(watch.read(), takes);
}

/// BND-2: The next body starts when a permit becomes free.
pub fn a_free_permit_starts_the_next_body_on_time<B: Backend>(backend: B) {
    let durations = [300, 200, 100, 50, 25].map(Duration::from_millis);
    let run = |strategy: usize| {
        let watch = Stopwatch::start(&backend);
        let items = durations.into_iter().zip(0..);
        let looping = each(items).limit(2).unwrap().at(backend.place());
        let body = |(takes, n)| watch.logs_start(n, takes);
        backend.block_on(async {
            match strategy {
                0 => drop(looping.gather(body).await),
                1 => drop(looping.stream_unordered(body).collect::<Vec<_>>().await),
                2 => drop(looping.as_completed(body).collect::<Vec<_>>().await),
                _ => looping.for_each(|item| unit(body(item))).await,
            }
        });
        all_on_time::<B>(&watch.logged(), &[0, 0, 200, 300, 300].map(Duration::from_millis));
        on_time::<B>(watch.read(), Duration::from_millis(350));
    };
    (0..4).for_each(run);
}

/// BND-6, law 7: Durations change the order of `stream_unordered` but not that of `stream`.
pub fn durations_reorder_only_the_unordered_stream<B: Backend>(backend: B) {
    let durations = [100, 200, 10, 36, 13, 45].map(Duration::from_millis);
    let looping = || {
        let items = durations.into_iter().zip(0..);
        each(items).limit(2).unwrap().at(backend.place())
    };
    let watch = Stopwatch::start(&backend);
    let body = |(takes, n)| watch.logs_start(n, takes);
    let ordered: Vec<u64> = backend.block_on(looping().stream(body).collect());
    assert_eq!(ordered, [0, 1, 2, 3, 4, 5]);
    // Law 7: the results of 2 and 4 wait for those of 1 and 3, and keep their permits.
    let starts = [0, 0, 100, 200, 200, 236].map(Duration::from_millis);
    all_on_time::<B>(&watch.logged(), &starts);

    let watch = Stopwatch::start(&backend);
    let body = |(takes, n)| watch.logs_start(n, takes);
    let mut unordered: Vec<u64> = backend.block_on(looping().stream_unordered(body).collect());
    if B::EXACT {
        assert_eq!(unordered, [0, 2, 3, 4, 1, 5]);
        assert_eq!(watch.read(), Duration::from_millis(204));
    }
    unordered.sort_unstable();
    assert_eq!(unordered, ordered);
}
