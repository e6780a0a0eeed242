//! Cancellation by dropping a loop, and what is dropped when.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

use forloop_core::each;
use futures_lite::future::poll_once;

use super::fallible;
use crate::strategies::{Run, every_strategy};
use crate::{Alive, Backend, Gate, Group, Log, boxed, eventually, job, yields};

/// CAN-1: Dropping a loop drops its source and stops its bodies: in the caller's task before the drop returns,
/// tasks soon after.
pub fn a_dropped_loop_stops_every_body_and_drops_its_source<B: Backend>(backend: B) {
    let (alive, source) = (Alive::default(), Alive::default());
    let clock = backend.clock();
    backend.block_on(async {
        let in_source = source.guard();
        let items = (0..).inspect(move |_: &u64| {
            let _source = &in_source;
        });
        let mut outputs =
            Box::pin(each(items).limit(7).unwrap().at(backend.place()).gather(boxed(|n| {
                let guard = alive.guard();
                job(async move {
                    let _alive = guard;
                    if n > 20 {
                        std::future::pending::<()>().await;
                    }
                    n
                })
            })));
        for _ in 0..50 {
            assert!(poll_once(outputs.as_mut()).await.is_none());
            yields(1).await;
        }
        assert!(alive.now() > 0);
        drop(outputs);
        assert_eq!(source.now(), 0);
        if !B::SPAWNED {
            assert_eq!(alive.now(), 0);
        }
        eventually(&clock, || alive.now() == 0).await;
    });
}

/// Law 11: A loop that is dropped before its first poll has called neither its source nor its closure.
pub fn a_loop_that_is_never_polled_calls_nothing<B: Backend>(backend: B) {
    let log = Log::<u64>::default();
    let items = || (0..3).inspect(|&n| log.write(n));
    let body = |n| {
        log.write(n);
        job(async move { n })
    };
    drop(each(items()).unbounded().at(backend.place()).gather(body));
    drop(each(items()).unbounded().at(backend.place()).stream(body));
    drop(each(items()).unbounded().at(backend.place()).as_completed(body).for_each(async |_| {}));
    assert!(log.read().is_empty());
}

/// CAN-5: Items, captured values and outputs are dropped exactly once after a value, an error, a panic and a drop.
pub fn everything_is_dropped_exactly_once<B: Backend>(backend: B) {
    #[derive(Clone, Copy, PartialEq)]
    enum Exit {
        Value,
        Error,
        Panic,
        Dropped,
    }

    // A guard that is dropped twice panics; one that is not dropped stays alive.
    let (items, captured, values) = (Alive::default(), Alive::default(), Alive::default());
    let clock = backend.clock();
    for exit in [Exit::Value, Exit::Error, Exit::Panic, Exit::Dropped] {
        let looping = each((0..10).map(|n: u64| (n, items.guard())))
            .limit(3)
            .unwrap()
            .at(backend.place())
            .try_gather(boxed(|(n, item): (u64, _)| {
                let (captured, values) = (captured.guard(), values.clone());
                job(async move {
                    let _dropped = (item, captured);
                    yields(n as usize % 3).await;
                    let _value = values.guard();
                    match exit {
                        Exit::Error if n == 5 => Err(n.to_string()),
                        Exit::Panic if n == 5 => panic!("on purpose"),
                        Exit::Dropped if n > 3 => std::future::pending().await,
                        _ => Ok(n),
                    }
                })
            }));
        let run = AssertUnwindSafe(|| {
            backend.block_on(async {
                let mut looping = Box::pin(looping);
                if exit != Exit::Dropped {
                    return Some(looping.await.is_ok());
                }
                for _ in 0..20 {
                    assert!(poll_once(looping.as_mut()).await.is_none());
                    yields(1).await;
                }
                None
            })
        });
        match (exit, catch_unwind(run)) {
            (Exit::Value, Ok(Some(true))) | (Exit::Error, Ok(Some(false))) => {}
            (Exit::Panic, Err(_)) | (Exit::Dropped, Ok(None)) => {}
            (_, returned) => panic!("{returned:?}"),
        }
        backend.block_on(eventually(&clock, || items.now() + captured.now() + values.now() == 0));
    }
    // With three at once, the sixth starts when at least three of the bodies before it have values.
    assert!(items.ever() >= 10 + 6 + 6 + 3 && values.ever() >= 10 + 4 + 4);
}

/// CAN-1: This holds for every strategy.
pub fn every_strategy_that_is_dropped_stops_its_bodies_and_drops_its_source<B: Backend>(
    backend: B,
) {
    let (alive, source) = (Alive::default(), Alive::default());
    let looping = || {
        let in_source = source.guard();
        let items = (0..).inspect(move |_: &u64| {
            let _source = &in_source;
        });
        each(items).limit(3).unwrap().at(backend.place())
    };
    let body = |_| {
        let guard = alive.guard();
        job(async move {
            let _alive = guard;
            std::future::pending::<u64>().await
        })
    };
    let fallible = |n| fallible(body(n));
    let mut runs: Vec<_> = every_strategy!(spawned: looping(), body)
        .into_iter()
        .map(|Run { strategy, returned }| {
            let run: Pin<Box<dyn Future<Output = ()> + '_>> = Box::pin(async move {
                let returned = returned.await;
                panic!("{strategy:?} has returned {returned:?}")
            });
            run
        })
        .collect();
    let others: [Pin<Box<dyn Future<Output = ()> + '_>>; 4] = [
        Box::pin(async { drop(looping().catch_panics().settle(fallible).await) }),
        Box::pin(async { looping().as_completed(body).for_each(async |_| {}).await }),
        Box::pin(async {
            assert_eq!(looping().stream(body).try_for_each(async |n| Err(n)).await, Ok(()));
        }),
        Box::pin(async {
            looping()
                .stream(body)
                .consume(async |mut feed| while feed.next().await.is_some() {})
                .await;
        }),
    ];
    runs.extend(others);
    let clock = backend.clock();
    backend.block_on(async {
        for mut strategy in runs {
            for _ in 0..5 {
                assert!(poll_once(strategy.as_mut()).await.is_none());
                yields(1).await;
            }
            assert_eq!((alive.now(), source.now()), (3, 1));
            drop(strategy);
            assert_eq!(source.now(), 0);
            if !B::SPAWNED {
                assert_eq!(alive.now(), 0);
            }
            eventually(&clock, || alive.now() == 0).await;
        }
    });
}

/// Law 12: A loop or group may be forgotten while it runs: no memory safety depends on a destructor.
pub fn a_forgotten_loop_is_sound<B: Backend>(backend: B) {
    let (gate, called) = (Gate::default(), Log::<u64>::default());
    let body = |n: u64| {
        let (gate, called) = (gate.clone(), called.clone());
        job(async move {
            called.write(n);
            gate.passed().await;
            n
        })
    };
    let looping = || each(0..5).limit(3).unwrap().at(backend.place());
    backend.block_on(async {
        let mut gathering = Box::pin(looping().gather(body));
        let mut consuming = Box::pin(
            looping()
                .stream(body)
                .consume(async |mut receiver| while receiver.next().await.is_some() {}),
        );
        let mut group = Box::pin(backend.group({
            let gate = gate.clone();
            move |group| {
                job(async move {
                    let late = gate.clone();
                    group.spawn(job(async move {
                        late.passed().await;
                        Ok(0)
                    }));
                    gate.passed().await;
                    Ok(())
                })
            }
        }));
        for _ in 0..5 {
            assert!(poll_once(gathering.as_mut()).await.is_none());
            assert!(poll_once(consuming.as_mut()).await.is_none());
            assert!(poll_once(group.as_mut()).await.is_none());
            yields(1).await;
        }
        // Each of the two loops has started as many bodies as its limit allows.
        eventually(&backend.clock(), || called.read().len() == 6).await;
        std::mem::forget((gathering, consuming, group));
        // The wakers of the forgotten loops are called, and a loop that runs later is not affected.
        gate.open();
        yields(5).await;
        assert_eq!(called.read().len(), 6, "a forgotten loop is not polled");
        assert_eq!(looping().gather(body).await, [0, 1, 2, 3, 4]);
    });
}
