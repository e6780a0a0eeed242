//! A queue to which the bodies of its own loop add items.

use forloop_core::backon::ConstantBuilder;
use forloop_core::{CancelToken, Cause, Outcome, WorkItem, WorkQueue, each_stream};

use crate::{Alive, Backend, Log, boxed, job, seconds, yields};

/// BND-10: The loop ends when no item is left and no body runs that could add one.
pub fn a_queue_ends_when_no_item_is_left_and_no_body_runs<B: Backend>(backend: B) {
    for limit in [1, 3, 64] {
        let alive = Alive::default();
        let looping = each_stream(WorkQueue::new([1])).limit(limit).unwrap().at(backend.place());
        let walked = looping.gather(boxed(|node: WorkItem<u64>| {
            let guard = alive.guard();
            job(async move {
                yields(*node as usize % 3).await;
                for child in [*node * 2, *node * 2 + 1].into_iter().filter(|&child| child < 100) {
                    assert!(node.push(child));
                    yields(child as usize % 2).await;
                }
                drop(guard);
                *node
            })
        }));
        let mut walked = backend.block_on(walked);
        walked.sort_unstable();
        assert!(walked.into_iter().eq(1..100));
        assert_eq!((alive.now(), alive.ever()), (0, 99));
    }
}

/// BND-10: An item is finished when its body ends: with a value, an error, a time-out. With retries it is finished after
/// the last attempt, and each attempt may add items.
pub fn an_item_of_a_queue_is_finished_after_its_last_attempt<B: Backend>(backend: B) {
    let clock = backend.clock();
    let again = ConstantBuilder::default().with_delay(seconds::<B>(1)).with_max_times(2);
    for limit in [1, 3] {
        let calls = Log::default();
        let looping =
            each_stream(WorkQueue::new([0_u64])).limit(limit).unwrap().at(backend.place());
        let looping = looping.timer(&clock).timeout(seconds::<B>(5)).retry(again);
        let settled = backend.block_on(looping.settle(boxed(|item: WorkItem<u64>| {
            let attempt = calls.read().iter().filter(|&&n| n == *item).count();
            calls.write(*item);
            job(async move {
                yields(2).await;
                match (*item, attempt) {
                    (0, 0) | (1, _) => return Err(String::from("again")),
                    (0, _) => drop([1, 2, 3].map(|n| item.push(n))),
                    (2, _) => std::future::pending().await,
                    _ => {}
                }
                Ok(*item)
            })
        })));
        // They start in the order in which they were added.
        assert!(matches!(
            &settled[..],
            [Outcome::Ok(0), Outcome::Err(_), Outcome::TimedOut, Outcome::Ok(3)]
        ));
        assert_eq!((settled.attempts(0), settled.attempts(1)), (2, 3));
    }
}

/// BND-10: A loop that stops drops the items that wait, and later ones are rejected.
pub fn a_queue_whose_loop_has_stopped_rejects_items<B: Backend>(backend: B) {
    let token = CancelToken::new();
    let queue = WorkQueue::new(0..10);
    let handle = queue.handle();
    let looping = each_stream(queue).limit(2).unwrap().cancel_on(&token).at(backend.place());
    let stopped = backend.block_on(looping.for_each(boxed(|item: WorkItem<u64>| {
        let token = token.clone();
        job(async move {
            yields(1).await;
            if *item == 3 {
                token.cancel();
            }
            if *item >= 3 {
                std::future::pending::<()>().await;
            }
        })
    })));
    assert_eq!(stopped.unwrap_err().cause, Cause::Cancelled);
    assert!(!handle.push(10));
}

/// BND-10: Items that are added from outside arrive while the loop runs, until the queue is closed.
pub fn a_queue_takes_items_from_outside_until_it_is_closed<B: Backend>(backend: B) {
    let queue = WorkQueue::new([]).unique_by(|&n: &u64| n);
    let handle = queue.handle();
    let looping = each_stream(queue).limit(2).unwrap().at(backend.place());
    let doubled = looping.gather(boxed(|item: WorkItem<u64>| {
        job(async move {
            yields(1).await;
            *item * 2
        })
    }));
    let adds = async {
        for round in 0..2 {
            for n in 0..10 {
                // In the second round they are known.
                assert_eq!(handle.push(n), round == 0);
                yields(1).await;
            }
        }
        handle.close();
        assert!(!handle.push(1000));
    };
    let (doubled, ()) = backend.block_on(futures_lite::future::zip(doubled, adds));
    assert_eq!(doubled, [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
}
