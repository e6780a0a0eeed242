//! A watched body behaves like the body wherever it runs, and its events are recorded.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use forloop_conformance::VirtualClock;
use forloop_core::{BlockOn, Outcome, Runtime, Timer, each, scope, spawn, task_group};
use forloop_smol::Smol;
use forloop_timeline::{EventKind, Recorder, Timeline, Watched};
use forloop_tokio::OwnedRuntime;
use futures_lite::future::{block_on, poll_once, yield_now};

use EventKind::{
    Cancelled, Completed, Failed, Panicked, Queued, Resumed, Started, Suspended, Woken,
};

fn kinds(timeline: &Timeline, body: usize) -> Vec<EventKind> {
    timeline.events().filter(|event| event.body == body).map(|event| event.kind).collect()
}

fn recorder() -> Recorder {
    Recorder::new(&VirtualClock::default())
}

#[test]
fn a_body_that_waits_has_an_event_for_each_step_with_its_time() {
    let clock = VirtualClock::default();
    clock.advance(Duration::from_secs(1));
    let recorder = Recorder::new(&clock);
    clock.block_on(recorder.watch_future("body", async {
        clock.advance(Duration::from_millis(2));
        clock.sleep(Duration::from_millis(3)).await;
        clock.advance(Duration::from_millis(5));
    }));
    let timeline = recorder.timeline();
    let events: Vec<_> =
        timeline.events().map(|event| (event.kind, event.at.as_millis())).collect();
    let expected =
        [(Queued, 0), (Started, 0), (Suspended, 2), (Woken, 5), (Resumed, 5), (Completed, 10)];
    assert_eq!(events, expected);
    assert!(timeline.events().map(|event| event.sequence).eq(0..6));
}

#[test]
fn a_body_that_wakes_itself_is_woken_while_it_runs() {
    let recorder = recorder();
    block_on(recorder.watch_future("body", yield_now()));
    let events = kinds(&recorder.timeline(), 0);
    assert_eq!(events, [Queued, Started, Woken, Suspended, Resumed, Completed]);
}

#[test]
fn bodies_have_the_name_of_their_watch_and_a_number_in_it() {
    let recorder = recorder();
    block_on(async {
        each([3, 4]).sequential().gather(recorder.watch("a", async |_: i32| {})).await;
        each([5]).sequential().gather(recorder.watch("a", async |_: i32| {})).await;
        recorder.clone().watch_future("b", async {}).await;
        recorder.watch_future("b", async {}).await;
    });
    let timeline = recorder.timeline();
    let made = timeline.events().filter(|event| event.kind == Queued);
    let made: Vec<_> = made.map(|event| (event.name, event.index, event.body)).collect();
    assert_eq!(made, [("a", 0, 0), ("a", 1, 1), ("a", 0, 2), ("b", 0, 3), ("b", 1, 4)]);
}

#[test]
fn only_a_try_watch_distinguishes_an_err() {
    let recorder = recorder();
    let fail = async |()| Err::<(), &str>("no");
    block_on(async {
        let settled = each([()]).sequential().settle(recorder.try_watch("a", fail)).await;
        assert!(matches!(settled[..], [Outcome::Err("no")]));
        let settled = each([()]).sequential().settle(recorder.watch("a", fail)).await;
        assert!(matches!(settled[..], [Outcome::Err("no")]));
        assert_eq!(recorder.try_watch_future("a", fail(())).await, Err("no"));
    });
    assert_eq!(kinds(&recorder.timeline(), 0), [Queued, Started, Failed]);
    assert_eq!(kinds(&recorder.timeline(), 1), [Queued, Started, Completed]);
    assert_eq!(kinds(&recorder.timeline(), 2), [Queued, Started, Failed]);
}

#[test]
fn a_panic_of_the_body_or_of_its_closure_propagates_and_is_recorded_once() {
    let recorder = recorder();
    let poll = recorder.watch("poll", async |()| panic!("by design"));
    let make = recorder.watch("make", |()| -> std::future::Ready<()> { panic!("by design") });
    for caught in [
        catch_unwind(AssertUnwindSafe(|| block_on(each([()]).sequential().for_each(poll)))),
        catch_unwind(AssertUnwindSafe(|| block_on(each([()]).sequential().for_each(make)))),
    ] {
        assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "by design");
    }
    assert_eq!(kinds(&recorder.timeline(), 0), [Queued, Started, Panicked]);
    assert_eq!(kinds(&recorder.timeline(), 1), [Queued, Panicked]);
}

/// Advances the clock when it is dropped.
struct Slow<'a>(&'a VirtualClock);

impl Drop for Slow<'_> {
    fn drop(&mut self) {
        self.0.advance(Duration::from_secs(1));
    }
}

#[test]
fn a_cancellation_is_recorded_after_the_drop_even_if_the_body_was_never_polled() {
    let clock = VirtualClock::default();
    let recorder = Recorder::new(&clock);
    let body = || {
        let slow = Slow(&clock);
        async move {
            let _slow = slow;
            pending::<()>().await;
        }
    };
    drop(recorder.watch_future("unpolled", body()));
    let mut polled = Box::pin(recorder.watch_future("polled", body()));
    assert!(block_on(poll_once(&mut polled)).is_none());
    drop(polled);
    let timeline = recorder.timeline();
    assert_eq!(kinds(&timeline, 0), [Queued, Cancelled]);
    assert_eq!(kinds(&timeline, 1), [Queued, Started, Suspended, Cancelled]);
    let ends: Vec<_> = timeline.events().filter(|event| event.kind.is_completion()).collect();
    assert_eq!([ends[0].at.as_secs(), ends[1].at.as_secs()], [1, 2]);
}

/// A waker that reads the recorder when it is woken, which would deadlock under a lock.
struct Looks(Recorder, AtomicUsize);

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        self.1.fetch_max(self.0.timeline().events().count(), Ordering::SeqCst);
    }
}

#[test]
fn a_wake_is_recorded_before_it_is_forwarded_and_not_after_completion() {
    let recorder = recorder();
    let looks = Arc::new(Looks(recorder.clone(), AtomicUsize::new(0)));
    let waker = Waker::from(looks.clone());
    let mut cx = Context::from_waker(&waker);
    let kept = Mutex::new(None::<Waker>);
    let mut body = pin!(recorder.watch_future(
        "body",
        poll_fn(|cx| match kept.lock().unwrap().replace(cx.waker().clone()) {
            None => Poll::Pending,
            Some(before) => {
                assert!(
                    before.will_wake(cx.waker()),
                    "one caller's waker gives one recording waker"
                );
                Poll::Ready(recorder.timeline().events().count())
            }
        }),
    ));
    assert!(body.as_mut().poll(&mut cx).is_pending());
    let waker = kept.lock().unwrap().clone().unwrap();
    waker.wake_by_ref();
    assert_eq!(looks.1.load(Ordering::SeqCst), 4);
    assert_eq!(body.as_mut().poll(&mut cx), Poll::Ready(5));
    waker.wake();
    let events = kinds(&recorder.timeline(), 0);
    assert_eq!(events, [Queued, Started, Suspended, Woken, Resumed, Completed]);
}

#[test]
fn a_timeline_is_a_copy_and_shows_bodies_that_still_run() {
    let recorder = recorder();
    let mut body = Box::pin(recorder.watch_future("body", pending::<()>()));
    assert!(block_on(poll_once(&mut body)).is_none());
    let timeline = recorder.timeline();
    drop(body);
    assert_eq!(kinds(&timeline, 0), [Queued, Started, Suspended]);
    assert!(timeline.to_svg().contains("1 running"));
    assert!(timeline.to_chrome_trace().contains("\"end\":\"running\""));
    assert_eq!(recorder.timeline().events().count(), 4);
}

#[test]
fn a_body_may_borrow_and_need_not_be_send() {
    let recorder = recorder();
    let words = vec![String::from("to"), String::from("be")];
    let total = Cell::new(0);
    let body = recorder.watch("word", async |word: &String| {
        yield_now().await;
        total.set(total.get() + word.len());
    });
    block_on(each(&words).limit(2).unwrap().for_each(body));
    assert_eq!(total.get(), 4);
}

#[test]
fn a_watched_loop_over_borrowed_items_is_send_inside_a_spawned_task() {
    let recorder = recorder();
    let lengths = block_on(spawn(&Smol, {
        let recorder = recorder.clone();
        async move {
            let words = vec![String::from("to"), String::from("be")];
            let length = recorder.watch("length", |word: &String| ready(word.len()));
            let lengths = each(&words).limit(2).unwrap().gather(length).await;
            let boxed = recorder.try_watch("boxed", |word: &String| {
                let word = word.clone();
                Box::pin(async move { Ok::<_, Infallible>(word) }) as BoxFuture
            });
            assert!(each(&words).unbounded().try_gather(boxed).await.is_ok());
            lengths
        }
    }));
    assert_eq!(lengths, Ok(vec![2, 2]));
    assert_eq!(recorder.timeline().len(), 4);
}

type BoxFuture = std::pin::Pin<Box<dyn Future<Output = Result<String, Infallible>> + Send>>;

/// Every strategy, in the caller's task, in tasks and on workers.
fn records_everywhere(runtime: impl Runtime, main: &impl BlockOn) {
    let recorder = Recorder::new(&runtime);
    let nap = {
        let runtime = runtime.clone();
        move |n: u64| {
            let sleep = runtime.sleep(Duration::from_millis(n % 3));
            async move {
                sleep.await;
                n
            }
        }
    };
    let fine = {
        let nap = nap.clone();
        move |n: u64| {
            let nap = nap(n);
            async move { Ok::<_, std::io::Error>(nap.await) }
        }
    };
    let expected: Vec<u64> = (0..20).collect();
    main.block_on(async {
        let items = || each(0..20).limit(4).unwrap();
        assert_eq!(items().gather(recorder.watch("here", &nap)).await, expected);
        let tasks = items().on(runtime.clone()).gather(recorder.watch("tasks", nap.clone()));
        assert_eq!(tasks.await, expected);
        let workers = items().on_workers(runtime.clone());
        assert_eq!(workers.gather(recorder.watch("workers", nap.clone())).await, expected);

        let fine = || recorder.try_watch("fine", fine.clone());
        let tried = items().on_workers(runtime.clone()).try_gather(fine()).await;
        assert_eq!(tried.unwrap(), expected);
        assert_eq!(items().on(runtime.clone()).settle(fine()).await.len(), 20);
        let mut seen = 0;
        items()
            .stream(recorder.watch("stream", &nap))
            .for_each(|_| {
                seen += 1;
                ready(())
            })
            .await;
        assert_eq!(seen, 20);
        let ended = items().on(runtime.clone()).race(recorder.watch("race", nap.clone())).await;
        assert!(ended.is_ok());
    });
    let timeline = recorder.timeline();
    // A race may stop before all of its bodies are created.
    assert!(120 < timeline.len());
    for body in 0..timeline.len() {
        let events = kinds(&timeline, body);
        assert_eq!(events[0], Queued);
        assert_eq!(events.iter().filter(|kind| kind.is_completion()).count(), 1);
        assert!(events.last().unwrap().is_completion());
    }
    assert!(timeline.events().is_sorted_by_key(|event| (event.at, event.sequence)));
}

#[test]
fn a_body_behaves_the_same_and_is_recorded_everywhere_on_smol() {
    records_everywhere(Smol, &Smol);
}

#[test]
fn a_body_behaves_the_same_and_is_recorded_everywhere_on_tokio() {
    let owned = OwnedRuntime::multi_thread(None).unwrap();
    records_everywhere(owned.runtime(), &owned);
}

#[test]
fn children_of_groups_and_scopes_are_recorded() {
    let recorder = recorder();
    block_on(async {
        let group = task_group(Smol, async |group| {
            let child = group.spawn(recorder.try_watch_future("child", async { Ok(1) }));
            Ok::<u32, Box<dyn std::error::Error + Send + Sync>>(child.await?)
        });
        assert_eq!(group.await.unwrap(), 1);
        let scope = scope(async |scope| {
            let child = recorder.try_watch_future("scoped", async { Ok(2) });
            Ok::<u32, Box<dyn std::error::Error + Send + Sync>>(scope.spawn(child).await?)
        });
        assert_eq!(scope.await.unwrap(), 2);
    });
    assert_eq!(kinds(&recorder.timeline(), 0).last(), Some(&Completed));
    assert_eq!(kinds(&recorder.timeline(), 1).last(), Some(&Completed));
}

#[test]
fn a_watched_future_is_send_sync_and_unpin_if_the_future_is() {
    fn is_all<T: Send + Sync + Unpin + 'static>() {}
    is_all::<Recorder>();
    is_all::<Timeline>();
    is_all::<Watched<std::future::Ready<()>>>();
}
