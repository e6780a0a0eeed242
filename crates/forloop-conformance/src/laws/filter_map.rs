//! Bodies that may skip their item.

use forloop_core::{Cause, each};

use super::{endless, errors};
use crate::{Alive, Backend, Gate, boxed, job, yields};

/// OPT-5: `filter_map` leaves skipped items out and keeps the input order, even if all or none are skipped.
pub fn skipped_items_are_left_out_and_the_others_keep_input_order<B: Backend>(backend: B) {
    let looping = |limit: usize| each(0..10).limit(limit).unwrap().at(backend.place());
    let keeps = |every: u64| {
        move |n: u64| {
            job(async move {
                yields(20 - 2 * n as usize).await;
                n.is_multiple_of(every).then_some(n)
            })
        }
    };
    for limit in [1, 3, 10] {
        backend.block_on(async {
            assert_eq!(looping(limit).filter_map(keeps(3)).await, [0, 3, 6, 9]);
            assert!(looping(limit).filter_map(keeps(1)).await.into_iter().eq(0..10));
            assert_eq!(looping(limit).filter_map(boxed(|_| job(async { None::<u64> }))).await, []);
            let tried = looping(limit).try_filter_map(boxed(|n| {
                let body = keeps(4)(n);
                job(async move { Ok::<_, String>(body.await) })
            }));
            assert_eq!(tried.await, Ok(vec![0, 4, 8]));
        });
    }
}

/// OPT-5: A failure stops `try_filter_map`, also after skipped items.
pub fn a_failure_among_skipped_items_stops_the_loop<B: Backend>(backend: B) {
    let alive = Alive::default();
    let looping = each(0..).limit(3).unwrap().at(backend.place());
    let kept = looping.try_filter_map(|n: u64| match n {
        0 => job(async { Ok(None) }),
        1 => job(async { Ok(Some(1)) }),
        4 => job(async { Err(String::from("four")) }),
        _ => endless(&alive),
    });
    assert_eq!(errors(&backend.block_on(kept).unwrap_err()), ["four"]);
    assert_eq!((alive.now(), alive.ever()), (0, 2));
}

/// OPT-5: An interrupted `filter_map` returns the outputs so far with their indices.
pub fn an_interrupted_filter_map_reports_the_kept_outputs_with_their_indices<B: Backend>(
    backend: B,
) {
    let (alive, stop) = (Alive::default(), Gate::default());
    let looping = each(0..).limit(1).unwrap().at(backend.place()).cancel_on(stop.passed());
    let kept = looping.filter_map(boxed(|n: u64| {
        if n < 4 {
            return job(async move { (n % 2 == 1).then_some(10 * n) });
        }
        stop.open();
        endless(&alive)
    }));
    let interrupted = backend.block_on(kept).unwrap_err();
    assert_eq!((interrupted.cause, interrupted.ready), (Cause::Cancelled, vec![(1, 10), (3, 30)]));
    assert_eq!(alive.now(), 0);
}
