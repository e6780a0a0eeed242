//! Panics.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake};

use forloop_core::{CancelToken, Outcome, each};
use futures_lite::StreamExt;

use super::{fallible, fallible_unit, optional, unit};
use crate::{Alive, Backend, Gate, Inline, PanicOnDrop, boxed, eventually, job, yields};

/// Runs a loop that panics, and checks the payload, and that the backend stays usable.
fn panics<B: Backend, T>(backend: &B, looping: impl Future<Output = T>, alive: &Alive) {
    let payload = payload(backend, looping, alive);
    assert_eq!(payload.downcast_ref(), Some(&"on purpose"));
}

/// Runs a loop that panics, and returns the payload.
fn payload<B: Backend, T>(
    backend: &B,
    looping: impl Future<Output = T>,
    alive: &Alive,
) -> Box<dyn Any + Send> {
    let looping = async {
        let mut looping = std::pin::pin!(looping);
        futures_lite::future::poll_fn(|cx| {
            let polled = catch_unwind(AssertUnwindSafe(|| looping.as_mut().poll(cx)));
            if polled.is_err() {
                // The loop still exists, but its bodies must not.
                assert_eq!(alive.now(), 0, "the bodies stop before the panic propagates");
            }
            match polled {
                Ok(polled) => polled.map(|_| None),
                Err(payload) => std::task::Poll::Ready(Some(payload)),
            }
        })
        .await
    };
    let payload = backend.block_on(looping).expect("the loop panics");
    let again =
        each(0..3).unbounded().at(backend.place()).gather(boxed(|n: u64| job(async move { n })));
    assert_eq!(backend.block_on(again), [0, 1, 2]);
    payload
}

/// PAN-1, PAN-2: A body's panic propagates to the caller with its payload, after the siblings have stopped.
pub fn a_bodys_panic_propagates_after_the_siblings_have_stopped<B: Backend>(backend: B) {
    let (alive, all_in) = (Alive::default(), Gate::default());
    let looping = each(0..5).unbounded().at(backend.place()).gather(boxed(|n: u64| {
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
    }));
    panics(&backend, looping, &alive);
}

/// Law 2: If a body panics while it is stopped because of an error, the panic propagates instead of the error.
pub fn a_panic_takes_precedence_over_an_error<B: Backend>(backend: B) {
    let (alive, armed) = (Alive::default(), Gate::default());
    let looping = each(0..2).unbounded().at(backend.place()).try_gather(boxed(|n: u64| {
        let (guard, armed) = (alive.guard(), armed.clone());
        job(async move {
            let _alive = guard;
            if n == 0 {
                // Panics when it is stopped because the other body fails.
                let _panics = PanicOnDrop;
                armed.open();
                std::future::pending::<()>().await;
            }
            armed.passed().await;
            Err::<u64, _>(String::from("an error"))
        })
    }));
    panics(&backend, looping, &alive);
}

/// PAN-3: With `catch_panics`, a panic is the outcome of its item, and the other items complete.
pub fn a_caught_panic_is_the_outcome_of_its_item<B: Backend>(backend: B) {
    let looping =
        each(0..4).limit(2).unwrap().at(backend.place()).catch_panics().settle(boxed(|n: u64| {
            job(async move {
                yields(n as usize).await;
                if n == 1 {
                    panic!("on purpose");
                }
                if n == 2 { Err(String::from("two")) } else { Ok(n) }
            })
        }));
    let outcomes = backend.block_on(looping);
    match &outcomes[..] {
        [Outcome::Ok(0), Outcome::Panicked(panic), Outcome::Err(_), Outcome::Ok(3)] => {
            assert_eq!(panic.message(), Some("on purpose"));
        }
        other => panic!("{other:?}"),
    }
}

/// Law 5: A panic of the source propagates after the bodies have stopped.
pub fn a_sources_panic_propagates_after_the_bodies_have_stopped<B: Backend>(backend: B) {
    let alive = Alive::default();
    let items = (0..).inspect(|&n: &u64| assert!(n < 3, "on purpose"));
    let items = items.map(|n| if n < 3 { n } else { unreachable!() });
    let looping = each(items).unbounded().at(backend.place()).gather(boxed(|_| {
        let guard = alive.guard();
        job(async move {
            let _alive = guard;
            std::future::pending::<u64>().await
        })
    }));
    panics(&backend, looping, &alive);
}

/// Law 5: A panic of the closure propagates after the bodies have stopped.
pub fn a_closures_panic_propagates_after_the_bodies_have_stopped<B: Backend>(backend: B) {
    let alive = Alive::default();
    let looping = each(0..).unbounded().at(backend.place()).gather(boxed(|n: u64| {
        assert!(n < 3, "on purpose");
        let guard = alive.guard();
        job(async move {
            let _alive = guard;
            std::future::pending::<u64>().await
        })
    }));
    panics(&backend, looping, &alive);
}

/// Law 1: A panic of a step of `for_each` propagates after the bodies have stopped.
pub fn a_steps_panic_propagates_after_the_bodies_have_stopped<B: Backend>(backend: B) {
    let alive = Alive::default();
    let results = each(0..3).unbounded().at(backend.place()).as_completed(boxed(|n: u64| {
        let guard = alive.guard();
        job(async move {
            let _alive = guard;
            if n > 0 {
                std::future::pending::<()>().await;
            }
            n
        })
    }));
    panics(&backend, results.for_each(async |_| panic!("on purpose")), &alive);
}

/// PAN-2: A child's panic propagates after the body and the other children have stopped.
pub fn a_childs_panic_propagates_after_the_group_has_stopped<B: Backend>(backend: B) {
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

/// Law 1: If several destructors panic, all of them run and the first panic propagates.
pub fn a_loop_whose_bodies_all_panic_when_dropped_drops_them_all(_in_task: Inline) {
    let alive = Alive::default();
    let mut looping = Box::pin(each(0..5).unbounded().gather(|_: u64| {
        let guard = alive.guard();
        async move {
            let _alive = guard;
            let _panics = PanicOnDrop;
            std::future::pending::<()>().await;
        }
    }));
    let polled = futures_lite::future::block_on(futures_lite::future::poll_once(looping.as_mut()));
    assert!(polled.is_none());
    let caught = catch_unwind(AssertUnwindSafe(|| drop(looping))).unwrap_err();
    assert_eq!(caught.downcast_ref(), Some(&"on purpose"));
    assert_eq!((alive.ever(), alive.now()), (5, 0));
}

/// PAN-1, PAN-2: Every strategy propagates a body's panic after the siblings have stopped.
pub fn a_bodys_panic_propagates_from_every_strategy<B: Backend>(backend: B) {
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
    panics(&backend, looping().collect::<Vec<_>, _, _, _, _>(body), &alive);
    panics(&backend, async { looping().extend(&mut Vec::new(), body).await }, &alive);
    panics(&backend, looping().fold(0, body, |sum, (_, n)| sum + n), &alive);
    panics(&backend, looping().try_fold(0, fallible, |sum, (_, n)| sum + n), &alive);
    panics(&backend, looping().filter_map(|n| optional(body(n))), &alive);
    panics(&backend, looping().first_ok(2, fallible), &alive);
    panics(&backend, looping().for_each(unit), &alive);
    panics(&backend, looping().try_for_each(fallible_unit), &alive);
    panics(&backend, async { looping().stream(body).collect::<Vec<_>>().await }, &alive);
    panics(&backend, async { looping().stream_unordered(body).collect::<Vec<_>>().await }, &alive);
    panics(&backend, async { looping().as_completed(body).collect::<Vec<_>>().await }, &alive);
    panics(&backend, looping().stream(body).for_each(async |_| {}), &alive);
    panics(&backend, looping().stream(body).consume(StreamExt::count), &alive);
}

/// Law 5: A panic of a signal propagates after the bodies have stopped.
pub fn a_signals_panic_propagates_after_the_bodies_have_stopped<B: Backend>(backend: B) {
    let alive = Alive::default();
    let gate = Gate::default();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let looping = each(0..3).unbounded().at(backend.place()).cancel_on(async {
            gate.passed().await;
            panic!("the signal");
        });
        let _never = backend.block_on(looping.gather(boxed(|n: u64| {
            let guard = alive.guard();
            if n == 2 {
                gate.open();
            }
            job(async move {
                let _alive = guard;
                std::future::pending::<u64>().await
            })
        })));
    }));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"the signal"));
    assert_eq!(alive.now(), 0);
}

/// Law 2, law 5: A body's panic propagates, not the panics of destructors that follow from it.
pub fn a_bodys_panic_takes_precedence_over_those_of_destructors<B: Backend>(backend: B) {
    let alive = Alive::default();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let (of_source, of_signal) = (PanicOnDrop, PanicOnDrop);
        let items = (0..3).inspect(move |_: &u64| {
            let _moved = &of_source;
        });
        let looping = each(items).unbounded().at(backend.place()).cancel_on(async move {
            let _moved = of_signal;
            std::future::pending::<()>().await;
        });
        let _never = backend.block_on(looping.gather(boxed(|n| {
            let (guard, panics) = (alive.guard(), (n != 1).then(|| PanicOnDrop));
            job(async move {
                let _both = (guard, panics);
                yields(1).await;
                if n == 1 {
                    panic!("a body");
                }
                std::future::pending::<u64>().await
            })
        })));
    }));
    // The source was exhausted, and its destructor panicked, before the body did.
    let message = *caught.unwrap_err().downcast_ref::<&str>().unwrap();
    assert!(message == "a body" || message == "on purpose", "{message}");
    backend.block_on(eventually(&backend.clock(), || alive.now() == 0));
}

/// PAN-1, law 5: Of two simultaneous panics, one propagates, after every body has stopped.
pub fn of_two_simultaneous_panics_one_propagates<B: Backend>(backend: B) {
    let (alive, gate) = (Alive::default(), Gate::default());
    for _ in 0..20 {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            backend.block_on(each(0..4).unbounded().at(backend.place()).gather(boxed(|n: u64| {
                let (guard, gate) = (alive.guard(), gate.clone());
                if n == 3 {
                    gate.open();
                }
                job(async move {
                    let _alive = guard;
                    gate.passed().await;
                    if n.is_multiple_of(2) {
                        panic!("one of two");
                    }
                    std::future::pending::<u64>().await
                })
            })))
        }));
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"one of two"));
        assert_eq!(alive.now(), 0);
    }
}

/// A payload that panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("a payload that was dropped");
        }
    }
}

/// Panics with a [`Bomb`] when it is dropped.
struct BombOnDrop;

impl Drop for BombOnDrop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic_any(Bomb);
        }
    }
}

/// PAN-1, PAN-2: Payloads that panic when they are dropped do no harm: one of them reaches the caller, after the
/// siblings have stopped.
pub fn payloads_that_panic_when_dropped_do_no_harm<B: Backend>(backend: B) {
    let alive = Alive::default();
    let gate = RefCell::new(Gate::default());
    // Bodies 0 and 2 panic together, and 1 and 4 panic because they are stopped.
    let body = |n: u64| {
        let (guard, gate) = (alive.guard(), gate.borrow().clone());
        if n == 5 {
            gate.open();
        }
        job(async move {
            let _alive = guard;
            gate.passed().await;
            if n == 0 || n == 2 {
                panic_any(Bomb);
            }
            let _panics = (n == 1 || n == 4).then(|| BombOnDrop);
            std::future::pending::<()>().await;
            n
        })
    };
    let looping = || {
        gate.replace(Gate::default());
        each(0..6).unbounded().at(backend.place())
    };
    let check = |payload: Box<dyn Any + Send>| match payload.downcast::<Bomb>() {
        Ok(bomb) => std::mem::forget(bomb),
        Err(payload) => panic!("{:?}", payload.downcast_ref::<&str>()),
    };
    for _ in 0..10 {
        check(payload(&backend, looping().gather(body), &alive));
        check(payload(&backend, looping().for_each(|n| unit(body(n))), &alive));
        check(payload(&backend, looping().settle(|n| fallible(body(n))), &alive));
        check(payload(&backend, looping().race(body), &alive));
        let stream = looping().stream_unordered(body).for_each(async |_| ());
        check(payload(&backend, stream, &alive));
    }
    // Caught, they are outcomes, which may be dropped.
    let caught = looping().catch_panics().settle(boxed(|n: u64| {
        job(async move { if n < 3 { panic_any(Bomb) } else { Ok::<_, String>(n) } })
    }));
    let settled = backend.block_on(caught);
    assert_eq!(settled.iter().filter(|outcome| outcome.is_failure()).count(), 3);
    drop(settled);
}

/// PAN-2: Children of a group whose payloads panic when they are dropped do no harm.
pub fn payloads_of_children_that_panic_when_dropped_do_no_harm<B: Backend>(backend: B) {
    use crate::Group;

    let alive = Alive::default();
    let guards: Vec<_> = (0..3).map(|_| alive.guard()).collect();
    let gate = Gate::default();
    let result = backend.group(move |group| {
        job(async move {
            for guard in guards {
                let gate = gate.clone();
                group.spawn(job(async move {
                    let _alive = (guard, BombOnDrop);
                    gate.passed().await;
                    panic_any(Bomb);
                }));
            }
            gate.open();
            std::future::pending::<Result<(), String>>().await
        })
    });
    let payload = payload(&backend, result, &alive);
    assert!(payload.is::<Bomb>());
    std::mem::forget(payload);
}

/// CAN-1, PAN-2: All bodies are stopped, even if half of them panic when they are dropped.
pub fn bodies_that_panic_when_stopped_are_all_stopped<B: Backend>(backend: B) {
    let alive = Alive::default();
    let token = CancelToken::new();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let looping = each(0..50).unbounded().at(backend.place()).cancel_on(&token);
        backend.block_on(looping.try_gather(boxed(|n: u64| {
            let (guard, panics) = (alive.guard(), (n.is_multiple_of(2)).then(|| PanicOnDrop));
            if n == 49 {
                token.cancel();
            }
            job(async move {
                let _both = (guard, panics);
                std::future::pending::<Result<u64, String>>().await
            })
        })))
    }));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"on purpose"));
    assert_eq!((alive.now(), alive.ever()), (0, 50));
}

/// Law 5: If the parent waker panics, the panic propagates to the caller of `wake`, and the wake is not lost.
pub fn a_panicking_waker_loses_no_wake(_in_task: Inline) {
    struct Panics(AtomicBool);
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            if self.0.swap(false, Ordering::SeqCst) {
                panic!("the waker");
            }
        }
    }
    let (wakers, is_open) = (RefCell::new(Vec::new()), Cell::new(false));
    let mut gathered = Box::pin(each(0..3).unbounded().gather(|n: u64| {
        poll_fn({
            let (wakers, is_open) = (&wakers, &is_open);
            move |cx| {
                if is_open.get() {
                    return Poll::Ready(n);
                }
                wakers.borrow_mut().push(cx.waker().clone());
                Poll::Pending
            }
        })
    }));
    let waker = Arc::new(Panics(AtomicBool::new(true))).into();
    let mut cx = Context::from_waker(&waker);
    assert!(gathered.as_mut().poll(&mut cx).is_pending());
    is_open.set(true);
    for (n, body) in wakers.take().into_iter().enumerate() {
        let woken = catch_unwind(AssertUnwindSafe(|| body.wake()));
        assert_eq!(woken.is_err(), n == 0);
    }
    assert_eq!(gathered.as_mut().poll(&mut cx), Poll::Ready(vec![0, 1, 2]));
}
