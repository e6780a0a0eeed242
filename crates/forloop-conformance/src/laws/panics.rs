//! Panics.

use std::panic::{AssertUnwindSafe, catch_unwind};

use forloop_core::{Outcome, each};
use futures_lite::StreamExt;

use super::{fallible, fallible_unit, unit};
use crate::{Alive, Backend, Gate, InTask, job, yields};

/// Runs a loop that panics, and checks with what, and that the backend is as good as before.
fn panics<B: Backend, T>(backend: &B, looping: impl Future<Output = T>, alive: &Alive) {
    let looping = async {
        let mut looping = std::pin::pin!(looping);
        futures_lite::future::poll_fn(|cx| {
            let polled = catch_unwind(AssertUnwindSafe(|| looping.as_mut().poll(cx)));
            if polled.is_err() {
                // The loop is still there: its bodies must not be.
                assert_eq!(alive.now(), 0, "stopped before the panic went on");
            }
            match polled {
                Ok(polled) => polled.map(|_| None),
                Err(payload) => std::task::Poll::Ready(Some(payload)),
            }
        })
        .await
    };
    let payload = backend.block_on(looping).expect("it panicked");
    assert_eq!(payload.downcast_ref(), Some(&"on purpose"));
    let again = each(0..3).unbounded().at(backend.place()).gather(|n: u64| job(async move { n }));
    assert_eq!(backend.block_on(again), [0, 1, 2]);
}

/// PAN-1, PAN-2
pub fn a_bodys_panic_goes_on_in_the_caller_after_the_siblings_have_stopped<B: Backend>(backend: B) {
    let (alive, all_in) = (Alive::default(), Gate::default());
    let looping = each(0..5).unbounded().at(backend.place()).gather(|n: u64| {
        let (alive, all_in) = (alive.clone(), all_in.clone());
        job(async move {
            let _alive = alive.guard();
            if alive.ever() == 5 {
                all_in.open();
            }
            all_in.passed().await;
            if n == 2 {
                panic!("on purpose");
            }
            std::future::pending::<()>().await;
            n
        })
    });
    panics(&backend, looping, &alive);
}

/// Law 2
pub fn a_panic_is_shown_before_an_error<B: Backend>(backend: B) {
    let (alive, armed) = (Alive::default(), Gate::default());
    let looping = each(0..2).unbounded().at(backend.place()).try_gather(|n: u64| {
        let (guard, armed) = (alive.guard(), armed.clone());
        job(async move {
            let _alive = guard;
            if n == 0 {
                // Panics when it is stopped for the error of the other.
                let _bomb = Bomb;
                armed.open();
                std::future::pending::<()>().await;
            }
            armed.passed().await;
            Err::<u64, _>(String::from("an error"))
        })
    });
    panics(&backend, looping, &alive);
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("on purpose");
    }
}

/// PAN-3
pub fn a_panic_that_is_caught_is_one_outcome_among_the_others<B: Backend>(backend: B) {
    let looping =
        each(0..4).limit(2).unwrap().at(backend.place()).catch_panics().settle(|n: u64| {
            job(async move {
                yields(n as usize).await;
                if n == 1 {
                    panic!("on purpose");
                }
                if n == 2 { Err(String::from("two")) } else { Ok(n) }
            })
        });
    let outcomes = backend.block_on(looping);
    match &outcomes[..] {
        [Outcome::Ok(0), Outcome::Panicked(panic), Outcome::Err(_), Outcome::Ok(3)] => {
            assert_eq!(panic.message(), Some("on purpose"));
        }
        other => panic!("{other:?}"),
    }
}

/// Law 5
pub fn a_sources_panic_goes_on_after_the_bodies_have_stopped<B: Backend>(backend: B) {
    let alive = Alive::default();
    let items = (0..).inspect(|&n: &u64| assert!(n < 3, "on purpose"));
    let items = items.map(|n| if n < 3 { n } else { unreachable!() });
    let looping = each(items).unbounded().at(backend.place()).gather(|_| {
        let guard = alive.guard();
        job(async move {
            let _alive = guard;
            std::future::pending::<u64>().await
        })
    });
    panics(&backend, looping, &alive);
}

/// Law 5
pub fn a_closures_panic_goes_on_after_the_bodies_have_stopped<B: Backend>(backend: B) {
    let alive = Alive::default();
    let looping = each(0..).unbounded().at(backend.place()).gather(|n: u64| {
        assert!(n < 3, "on purpose");
        let guard = alive.guard();
        job(async move {
            let _alive = guard;
            std::future::pending::<u64>().await
        })
    });
    panics(&backend, looping, &alive);
}

/// Law 1
pub fn a_steps_panic_goes_on_after_the_bodies_have_stopped<B: Backend>(backend: B) {
    let alive = Alive::default();
    let results = each(0..3).unbounded().at(backend.place()).as_completed(|n: u64| {
        let guard = alive.guard();
        job(async move {
            let _alive = guard;
            if n > 0 {
                std::future::pending::<()>().await;
            }
            n
        })
    });
    panics(&backend, results.for_each(async |_| panic!("on purpose")), &alive);
}

/// PAN-2
pub fn a_childs_panic_goes_on_after_the_group_has_stopped<B: Backend>(backend: B) {
    use crate::Group;

    let alive = Alive::default();
    let guards: Vec<_> = (0..3).map(|_| alive.guard()).collect();
    let result = backend.group(move |group| {
        job(async move {
            for guard in guards {
                group.spawn(job(async move {
                    let _alive = guard;
                    std::future::pending().await
                }));
            }
            group.spawn(job(async { panic!("on purpose") }));
            std::future::pending::<Result<(), String>>().await
        })
    });
    panics(&backend, result, &alive);
}

/// Law 1: of several destructors that panic, all run, and the first panic goes on.
pub fn a_loop_whose_bodies_all_panic_when_dropped_can_be_dropped(_in_task: InTask) {
    let alive = Alive::default();
    let mut looping = Box::pin(each(0..5).unbounded().gather(|_: u64| {
        let guard = alive.guard();
        async move {
            let _alive = guard;
            let _bomb = Bomb;
            std::future::pending::<()>().await;
        }
    }));
    let polled = futures_lite::future::block_on(futures_lite::future::poll_once(looping.as_mut()));
    assert!(polled.is_none());
    let caught = catch_unwind(AssertUnwindSafe(|| drop(looping))).unwrap_err();
    assert_eq!(caught.downcast_ref(), Some(&"on purpose"));
    assert_eq!((alive.ever(), alive.now()), (5, 0));
}

/// PAN-1, PAN-2: whatever the strategy.
pub fn a_bodys_panic_goes_on_whatever_the_strategy<B: Backend>(backend: B) {
    let alive = Alive::default();
    let looping = || each(0..).limit(3).unwrap().at(backend.place());
    let body = |n: u64| {
        let guard = alive.guard();
        job(async move {
            let _alive = guard;
            yields(2).await;
            if n == 1 {
                panic!("on purpose");
            }
            std::future::pending::<u64>().await
        })
    };
    let unit = |n| unit(body(n));
    let fallible = |n| fallible(body(n));
    let fallible_unit = |n| fallible_unit(body(n));
    panics(&backend, looping().gather(body), &alive);
    panics(&backend, looping().try_gather(fallible), &alive);
    panics(&backend, looping().settle(fallible), &alive);
    panics(&backend, looping().for_each(unit), &alive);
    panics(&backend, looping().try_for_each(fallible_unit), &alive);
    panics(&backend, async { looping().stream(body).collect::<Vec<_>>().await }, &alive);
    panics(&backend, async { looping().stream_unordered(body).collect::<Vec<_>>().await }, &alive);
    panics(&backend, async { looping().as_completed(body).collect::<Vec<_>>().await }, &alive);
    panics(&backend, looping().stream(body).for_each(async |_| {}), &alive);
    panics(&backend, looping().stream(body).consume(StreamExt::count), &alive);
}
