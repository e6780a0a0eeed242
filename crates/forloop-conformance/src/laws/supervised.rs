//! Groups that a child's failure does not stop, and groups with a deadline or a token.

use std::time::Duration;

use forloop_core::{CancelToken, LoopError};

use crate::{
    Alive, Backend, Gate, Group, LONG, Log, VirtualClock, eventually, job, long_after, on_time,
    seconds, yields,
};

use super::errors;
use super::times::Stopwatch;

/// GRP-9: In a supervised group, a child's error stops no sibling and is in the result.
pub fn a_supervised_childs_error_is_reported_and_stops_no_sibling<B: Backend>(backend: B) {
    let (alive, gate) = (Alive::default(), Gate::default());
    let (watched, opens) = (alive.clone(), gate.clone());
    let supervised = backend.group(move |group: B::Group| {
        job(async move {
            let first = group.spawn(job(async { Err(String::from("first")) }));
            let guard = watched.guard();
            let sibling = group.spawn(job(async move {
                let _alive = guard;
                gate.passed().await;
                Ok(5)
            }));
            assert!(first.await.is_err());
            group.spawn(job(async { Err(String::from("second")) })).await.unwrap_err();
            // No child was stopped: the sibling still waits, and the group accepts children.
            assert_eq!(watched.now(), 1);
            opens.open();
            Ok(sibling.await.unwrap())
        })
    });
    let supervised = backend.block_on(supervised.supervised()).unwrap();
    assert_eq!(supervised.value, 5);
    let errors: Vec<_> = supervised.failures.iter().map(|failure| &failure.error[..]).collect();
    assert_eq!(errors, ["first", "second"]);
    let indices: Vec<_> = supervised.failures.iter().map(|failure| failure.index).collect();
    assert_eq!(indices, [Some(0), Some(2)]);
    assert_eq!(alive.now(), 0);
}

/// GRP-9: In a supervised group, an error of the body stops the children.
pub fn a_supervised_bodys_error_stops_the_children<B: Backend>(backend: B) {
    let alive = Alive::default();
    let watched = alive.clone();
    let supervised = backend.group(move |group: B::Group| {
        job(async move {
            group.spawn(job(async { Err(String::from("child")) })).await.unwrap_err();
            let guard = watched.guard();
            group.spawn(job(async move {
                let _alive = guard;
                std::future::pending().await
            }));
            Err::<u64, _>(String::from("body"))
        })
    });
    let error = backend.block_on(supervised.supervised()).unwrap_err();
    assert_eq!(errors(&error), ["child", "body"]);
    assert_eq!(alive.now(), 0);
}

/// TMO-1: A group's deadline stops the body and the children, whether or not the body has returned.
pub fn a_groups_deadline_stops_the_body_and_the_children<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let alive = Alive::default();
    for body_returns in [true, false] {
        let (watched, spawned) = (alive.clone(), Log::default());
        let accepted = spawned.clone();
        let group = backend.group(move |group: B::Group| {
            job(async move {
                let guard = watched.guard();
                let child = group.try_spawn(job(async move {
                    let _alive = guard;
                    std::future::pending().await
                }));
                if child.is_ok() {
                    accepted.write(0_usize);
                }
                if !body_returns {
                    std::future::pending::<()>().await;
                }
                Ok(0u64)
            })
        });
        let returned = backend.block_on(group.timer(&watch.clock).deadline(seconds::<B>(1)));
        let Err(LoopError::TimedOut { timed_out, .. }) = returned else { panic!("{returned:?}") };
        // On a busy machine the deadline may pass before the body is polled.
        let children = spawned.read();
        assert!(!children.is_empty() || !B::EXACT);
        assert_eq!((timed_out, alive.now()), (children, 0));
    }
    on_time::<B>(watch.read(), seconds::<B>(2));
}

/// TMO-1: A group that completes before its deadline returns the value of its body.
pub fn a_group_that_completes_before_its_deadline_returns_its_value<B: Backend>(backend: B) {
    let group = backend.group(|group: B::Group| {
        job(async move { Ok(group.spawn(job(async { Ok(3) })).await.unwrap()) })
    });
    let group = group.timer(&backend.clock()).deadline(LONG).cancel_on(CancelToken::new());
    assert_eq!(backend.block_on(group), Ok(3));
}

/// CAN-2: A group whose token is already cancelled returns `Cancelled` and does not call its closure.
pub fn a_group_with_a_cancelled_token_never_calls_its_body<B: Backend>(backend: B) {
    let token = CancelToken::new();
    token.cancel();
    let called = Log::<u64>::default();
    let log = called.clone();
    let group = backend.group(move |_: B::Group| {
        log.write(1);
        job(async { Ok(1u64) })
    });
    assert_eq!(backend.block_on(group.cancel_on(&token)), Err(LoopError::Cancelled));
    assert!(called.read().is_empty());
}

/// CAN-3, CAN-4: A group cancelled by its token returns `Cancelled` after its children have stopped.
pub fn a_cancelled_group_has_stopped_and_returns_cancelled<B: Backend>(backend: B) {
    let token = CancelToken::new();
    let alive = Alive::default();
    let (stop, watched) = (token.clone(), alive.clone());
    let group = backend.group(move |group: B::Group| {
        job(async move {
            for _ in 0..5 {
                let guard = watched.guard();
                group.spawn(job(async move {
                    let _alive = guard;
                    std::future::pending().await
                }));
            }
            stop.cancel();
            Ok(1u64)
        })
    });
    assert_eq!(backend.block_on(group.cancel_on(&token)), Err(LoopError::Cancelled));
    assert_eq!(alive.now(), 0);
    backend.block_on(eventually(&backend.clock(), || alive.now() == 0));
}

/// TMO-1, law 2: As in a loop, a child that was woken before the deadline is polled once more and keeps its result.
pub fn a_group_keeps_the_results_that_were_ready_at_its_deadline<B: Backend>(backend: B) {
    for fails in [false, true] {
        let (clock, alive, gate) = (VirtualClock::default(), Alive::default(), Gate::default());
        let (opened, watched) = (gate.clone(), alive.clone());
        let group = backend.group(move |group: B::Group| {
            job(async move {
                let guard = watched.guard();
                group.spawn(job(async move {
                    let _alive = guard;
                    gate.passed().await;
                    if fails { Err(String::from("really failed")) } else { Ok(0) }
                }));
                Ok(7u64)
            })
        });
        backend.block_on(async {
            let mut group = Box::pin(group.timer(&clock).deadline(Duration::from_secs(1)));
            for _ in 0..10 {
                assert!(futures_lite::future::poll_once(group.as_mut()).await.is_none());
                yields(1).await;
            }
            opened.open();
            if B::SPAWNED {
                long_after(&backend, || alive.now() == 0).await;
            }
            // Past the deadline, before the group is polled again.
            clock.advance(Duration::from_secs(2));
            match group.await {
                Ok(value) => assert!(!fails && value == 7),
                Err(error) => assert_eq!(error.first().unwrap().error, "really failed"),
            }
        });
    }
}
