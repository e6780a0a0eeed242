//! Very large inputs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use forloop_core::each;

use crate::{Alive, Backend, Group, boxed, job, needs_many_tasks};

/// BIG-1: A hundred thousand ready bodies return their outputs in input order.
pub fn a_hundred_thousand_outputs_are_returned_in_order<B: Backend>(backend: B) {
    let outputs = each(0..100_000)
        .limit(10)
        .unwrap()
        .at(backend.place())
        .gather(boxed(|n: u64| job(async move { n + 1 })));
    assert!(backend.block_on(outputs).into_iter().eq(1..100_001));
}

/// BIG-2: A group runs a hundred thousand children, about a hundred at a time.
pub fn a_group_runs_a_hundred_thousand_children<B: Backend>(backend: B) {
    let result = backend.group(|group| {
        job(async move {
            let mut sum = 0;
            for n in 0..100_000 {
                // One in a hundred is awaited, so that at most about a hundred exist at a time.
                let child = group.spawn(job(async move { Ok(n) }));
                if n % 100 == 0 {
                    sum += child.await.map_err(|cancelled| cancelled.to_string())?;
                }
            }
            Ok(sum)
        })
    });
    assert_eq!(backend.block_on(result), Ok((0..1000).map(|n| n * 100).sum()));
}

/// Law 6: Stopping a hundred thousand bodies in flight takes linear time; in quadratic time it would take minutes.
pub fn stopping_a_hundred_thousand_bodies_takes_linear_time<B: Backend>(backend: B) {
    const MANY: u64 = 100_000;
    needs_many_tasks(&backend, MANY as usize);
    let alive = Alive::default();
    let looping = || {
        each(0..MANY).unbounded().at(backend.place()).try_for_each(boxed(|n: u64| {
            let guard = alive.guard();
            job(async move {
                let _alive = guard;
                if n + 1 < MANY {
                    std::future::pending::<()>().await;
                }
                Err(String::from("the last"))
            })
        }))
    };
    let error = backend.block_on(looping()).unwrap_err();
    assert_eq!(error.first().unwrap().index, Some(MANY as usize - 1));
    assert_eq!(alive.now(), 0);

    let group = backend.group(|group| {
        job(async move {
            for _ in 0..MANY {
                group.spawn(job(std::future::pending()));
            }
            Err::<(), _>(String::from("body"))
        })
    });
    assert_eq!(backend.block_on(group).unwrap_err().first().unwrap().error, "body");
}

/// BIG-2: Of a million items, at most `limit` exist at once.
pub fn of_a_million_items_at_most_limit_exist_at_once<B: Backend>(backend: B) {
    let (alive, most) = (Alive::default(), Arc::new(AtomicUsize::new(0)));
    let items = (0..1_000_000).map(|_| {
        let guard = alive.guard();
        most.fetch_max(alive.now(), Ordering::Relaxed);
        guard
    });
    let looping = each(items).limit(64).unwrap().at(backend.place());
    backend.block_on(looping.for_each(boxed(|item| job(async move { drop(item) }))));
    assert_eq!((alive.ever(), alive.now()), (1_000_000, 0));
    assert!(most.load(Ordering::Relaxed) <= 64);
}
