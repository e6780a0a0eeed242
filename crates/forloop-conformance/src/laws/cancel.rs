//! Cancellation by dropping, and what is dropped when.

use forloop_core::each;

use crate::{Alive, Backend, Gate, Tally, eventually, job, yields};

/// CAN-1
pub fn a_dropped_loop_stops_every_body_and_drops_its_source<B: Backend>(backend: B) {
    let (alive, source) = (Alive::default(), Alive::default());
    let clock = backend.clock();
    backend.block_on(async {
        let in_source = source.guard();
        let items = (0..).inspect(move |_: &u64| {
            let _source = &in_source;
        });
        let mut outputs = Box::pin(each(items).limit(7).unwrap().at(backend.place()).gather(|n| {
            let guard = alive.guard();
            job(async move {
                let _alive = guard;
                if n > 20 {
                    std::future::pending::<()>().await;
                }
                n
            })
        }));
        for _ in 0..50 {
            assert!(futures_lite::future::poll_once(outputs.as_mut()).await.is_none());
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

/// Law 11
pub fn a_loop_dropped_before_its_first_poll_calls_nothing<B: Backend>(backend: B) {
    let log = Tally::<u64>::default();
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

/// CAN-5
pub fn everything_is_dropped_exactly_once<B: Backend>(backend: B) {
    // A guard that is dropped twice panics; one that is not dropped stays alive.
    let (items, captured, values) = (Alive::default(), Alive::default(), Alive::default());
    let clock = backend.clock();
    for fails_at in [None, Some(5)] {
        let gate = Gate::default();
        let outcome = backend.block_on(
            each((0..10).map(|n: u64| (n, items.guard())))
                .limit(3)
                .unwrap()
                .at(backend.place())
                .try_gather(|(n, item)| {
                    let (captured, values, gate) = (captured.guard(), values.clone(), gate.clone());
                    job(async move {
                        let _dropped = (item, captured);
                        yields(n as usize % 3).await;
                        let _value = values.guard();
                        if fails_at == Some(n) {
                            Err(n.to_string())
                        } else {
                            drop(gate);
                            Ok(n)
                        }
                    })
                }),
        );
        assert_eq!(outcome.is_err(), fails_at.is_some());
        backend.block_on(eventually(&clock, || items.now() + captured.now() + values.now() == 0));
    }
}
