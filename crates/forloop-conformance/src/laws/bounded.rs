//! Bounded loops.

use std::pin::Pin;
use std::task::{Context, Poll};

use forloop_core::{Const, ZeroLimit, each, each_stream};
use futures_lite::{Stream, StreamExt};

use crate::strategies::{Run, every_strategy};
use crate::{Alive, Backend, Gate, Log, Peak, boxed, job, yields};

/// BND-1: At most `limit` bodies are in flight, for limits from 1 to 100.
pub fn at_most_limit_bodies_are_in_flight<B: Backend>(backend: B) {
    for limit in [1, 2, 5, 10, 20, 100] {
        let peak = Peak::default();
        let n = limit as u64 + 10;
        let outputs = each(0..n).limit(limit).unwrap().at(backend.place()).gather(boxed(|n| {
            let peak = peak.clone();
            job(async move {
                peak.during(yields(limit + n as usize * 7 % 5)).await;
                n
            })
        }));
        assert_eq!(backend.block_on(outputs), (0..n).collect::<Vec<_>>());
        assert!(peak.most() <= limit, "{} in flight of {limit}", peak.most());
        if !B::SPAWNED {
            assert_eq!(peak.most(), limit);
        }
    }
}

/// BND-2: When a body completes, the next one starts at once, even if an earlier body is still running.
pub fn a_free_permit_starts_the_next_body_at_once<B: Backend>(backend: B) {
    // Body 0 completes after all others, so they all ran with the other permit.
    let (last, log) = (Gate::default(), Log::default());
    let outputs = each(0..5).limit(2).unwrap().at(backend.place()).gather(boxed(|n: u64| {
        let (last, log) = (last.clone(), log.clone());
        job(async move {
            match n {
                0 => last.passed().await,
                4 => last.open(),
                _ => yields(2).await,
            }
            log.write(n);
            n
        })
    }));
    assert_eq!(backend.block_on(outputs), [0, 1, 2, 3, 4]);
    assert_eq!(log.read()[..3], [1, 2, 3]);
}

/// BND-4: The source is pulled only for a free permit, so it may be infinite.
pub fn the_source_is_pulled_only_for_a_free_permit<B: Backend>(backend: B) {
    let (pulled, settled) = (Log::default(), Log::default());
    let items = (0..).inspect(|&n: &u64| {
        pulled.write(n);
        assert!(pulled.read().len() <= settled.read().len() + 3);
    });
    let mut results =
        each(items).limit(3).unwrap().at(backend.place()).stream_unordered(boxed(|n| {
            let settled = settled.clone();
            job(async move {
                yields(n as usize % 3).await;
                settled.write(n);
                n
            })
        }));
    backend.block_on(async {
        for _ in 0..50 {
            results.next().await.unwrap();
        }
    });
}

/// BND-4: A result that is not taken keeps its permit, also if its body was ready at its first poll.
pub fn a_result_that_is_not_taken_keeps_its_permit<B: Backend>(backend: B) {
    for limit in [1, 3, 100] {
        let (pulled, taken) = (Log::default(), Log::default());
        let looping = || {
            let (pulls, takes) = (pulled.clone(), taken.clone());
            let items = (0..200).inspect(move |&n: &u64| {
                pulls.write(n);
                assert!(pulls.read().len() <= takes.read().len() + limit, "limit {limit}");
            });
            each(items).limit(limit).unwrap().at(backend.place()).stream_unordered(boxed(
                |n: u64| {
                    job(async move {
                        yields((n % 3) as usize / 2).await;
                        n
                    })
                },
            ))
        };
        backend.block_on(async {
            let mut results = Box::pin(looping());
            while let Some(n) = results.next().await {
                taken.write(n);
            }
            assert_eq!((pulled.take().len(), taken.take().len()), (200, 200));
            looping()
                .for_each(|n| {
                    taken.write(n);
                    yields((n % 2) as usize)
                })
                .await;
            assert_eq!((pulled.take().len(), taken.take().len()), (200, 200));
        });
    }
}

/// BND-4, law 7: In the ordered stream, a result that waits for an earlier one keeps its permit.
pub fn a_result_that_the_ordered_stream_buffers_keeps_its_permit<B: Backend>(backend: B) {
    let (first, pulled) = (Gate::default(), Log::default());
    let items = (0..).inspect(|&n: &u64| pulled.write(n));
    let mut results =
        Box::pin(each(items).limit(3).unwrap().at(backend.place()).stream(boxed(|n| {
            let first = first.clone();
            job(async move {
                if n == 0 {
                    first.passed().await;
                }
                n
            })
        })));
    backend.block_on(async {
        for _ in 0..20 {
            assert!(futures_lite::future::poll_once(results.next()).await.is_none());
            yields(1).await;
        }
        assert_eq!(pulled.read(), [0, 1, 2]);
        first.open();
        for n in 0..10 {
            assert_eq!(results.next().await, Some(n));
            assert!(pulled.read().len() as u64 <= n + 1 + 3);
        }
    });
}

/// BND-5: At most `limit` futures of bodies exist at a time.
pub fn at_most_limit_bodies_exist<B: Backend>(backend: B) {
    let alive = Alive::default();
    let outputs = each(0..200).limit(4).unwrap().at(backend.place()).for_each(boxed(|n: u64| {
        let guard = alive.guard();
        assert!(alive.now() <= 4);
        job(async move {
            let _alive = guard;
            yields(n as usize % 3).await;
        })
    }));
    backend.block_on(outputs);
    assert_eq!((alive.ever(), alive.now()), (200, 0));
}

/// BND-6: `stream` yields in input order for all durations and limits, and `stream_unordered` in completion order.
pub fn the_ordered_stream_keeps_input_order_and_the_unordered_one_completion_order<B: Backend>(
    backend: B,
) {
    // Durations from a small generator, the same in every run.
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % 8
    };
    for _ in 0..1000 {
        let durations: Vec<_> = (0..12).map(|_| next()).collect();
        let limit = 1 + next();
        let ordered: Vec<u64> = backend.block_on(
            each(durations.clone().into_iter().enumerate())
                .limit(limit)
                .unwrap()
                .at(backend.place())
                .stream(boxed(|(index, duration)| {
                    job(async move {
                        yields(duration).await;
                        index as u64
                    })
                }))
                .collect(),
        );
        assert_eq!(ordered, (0..12).collect::<Vec<_>>());
    }
    let gates = [Gate::default(), Gate::default()];
    let mut unordered =
        each(0..2).unbounded().at(backend.place()).stream_unordered(boxed(|n: usize| {
            let gate = gates[n].clone();
            job(async move {
                gate.passed().await;
                n as u64
            })
        }));
    backend.block_on(async {
        gates[1].open();
        assert_eq!(unordered.next().await, Some(1));
        gates[0].open();
        assert_eq!(unordered.next().await, Some(0));
    });
}

/// BND-7: After an error the loop pulls no item and calls no body.
pub fn after_an_error_no_item_is_pulled_and_no_body_is_called<B: Backend>(backend: B) {
    for (items, fails, expected) in [(1..4, 1, vec![1]), (0..100, 1, vec![0, 1])] {
        let (called, pulled) = (Log::default(), Log::default());
        let items = items.inspect(|&n: &u64| pulled.write(n));
        let error =
            each(items).limit(1).unwrap().at(backend.place()).try_for_each(boxed(|n: u64| {
                called.write(n);
                job(async move { if n == fails { Err(n.to_string()) } else { Ok(()) } })
            }));
        assert_eq!(backend.block_on(error).unwrap_err().first().unwrap().error, "1");
        assert_eq!(called.read(), expected);
        assert_eq!(pulled.read(), expected);
    }
    // The same with a free permit: no body is called after the error.
    let (called, gate) = (Log::default(), Gate::default());
    let error = each(0..100).limit(3).unwrap().at(backend.place()).try_gather(boxed(|n: u64| {
        let gate = gate.clone();
        called.write(n);
        job(async move {
            if n < 2 {
                gate.passed().await;
            }
            Err::<u64, _>(n.to_string())
        })
    }));
    assert_eq!(backend.block_on(error).unwrap_err().first().unwrap().error, "2");
    assert_eq!(called.read(), [0, 1, 2]);
}

/// A stream that logs how many items were left at each poll.
struct Counting {
    left: u64,
    polled: Log,
    /// Whether the last poll returned `Pending`, as it does before each item.
    was_pending: bool,
}

impl Stream for Counting {
    type Item = u64;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u64>> {
        self.was_pending = !self.was_pending;
        if self.was_pending {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.polled.write(self.left);
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        Poll::Ready(Some(self.left))
    }
}

/// BND-8: A stream as the source is polled only for a free permit, and not after it has yielded `None`.
pub fn a_stream_is_polled_only_for_a_free_permit<B: Backend>(backend: B) {
    let (polled, gate, peak) = (Log::default(), Gate::default(), Peak::default());
    let source = Counting { left: 10, polled: polled.clone(), was_pending: false };
    let mut outputs =
        Box::pin(each_stream(source).limit(2).unwrap().at(backend.place()).gather(boxed(|n| {
            let (gate, peak) = (gate.clone(), peak.clone());
            job(async move {
                peak.during(gate.passed()).await;
                n
            })
        })));
    backend.block_on(async {
        for _ in 0..10 {
            assert!(futures_lite::future::poll_once(outputs.as_mut()).await.is_none());
            yields(1).await;
        }
        assert_eq!(polled.read(), [10, 9]);
        gate.open();
        assert_eq!(outputs.await, (0..10).rev().collect::<Vec<_>>());
    });
    assert!(peak.most() <= 2);
    assert_eq!(polled.read(), (0..=10).rev().collect::<Vec<_>>(), "not polled after `None`");
}

/// BND-3: A limit of zero is an error before the loop is polled, also for an empty or infinite source.
pub fn a_limit_of_zero_is_an_error_before_anything_runs<B: Backend>(_backend: B) {
    assert_eq!(each(0..3).limit(0).err(), Some(ZeroLimit));
    assert_eq!(each([(); 0]).limit(0).err(), Some(ZeroLimit));
    let endless = futures_lite::stream::repeat(1);
    assert_eq!(each_stream(endless).limit(0).err(), Some(ZeroLimit));
}

/// BND-3: A constant limit bounds the bodies, and is no `Result` that must be unwrapped.
pub fn a_constant_limit_bounds_the_bodies<B: Backend>(backend: B) {
    let peak = Peak::default();
    let looping = each(0..40).chunks(Const::<2>).limit(Const::<5>).at(backend.place());
    let looping = looping.limit_by(|chunk: &Vec<u64>| chunk[0] % 4, Const::<2>);
    let sums = looping.gather(boxed(|chunk: Vec<u64>| {
        let peak = peak.clone();
        job(async move {
            peak.during(yields(chunk[0] as usize % 5 + 1)).await;
            chunk.iter().sum::<u64>()
        })
    }));
    let expected: Vec<u64> = (0..20).map(|n| 4 * n + 1).collect();
    assert_eq!(backend.block_on(sums), expected);
    assert!(peak.most() <= 4, "{} in flight", peak.most());
}

/// Law 8
pub fn limit_one_is_the_sequential_loop_in_every_strategy<B: Backend>(backend: B) {
    let order: Vec<u64> = (0..6).collect();
    let (peak, completed) = (Peak::default(), Log::default());
    let one = || each(0..6_u64).limit(1).unwrap().at(backend.place());
    let failures: [fn(usize) -> bool; 3] = [|_| false, |index| index == 2, |index| index % 4 == 0];
    for fails in failures {
        let body = |n: u64| {
            let (peak, completed) = (peak.clone(), completed.clone());
            async move {
                peak.during(yields((6 - n) as usize)).await;
                completed.write(n);
                if fails(n as usize) { Err(n.to_string()) } else { Ok(n) }
            }
        };
        backend.block_on(async {
            for Run { strategy, returned } in every_strategy!(spawned: one(), body) {
                let returned = returned.await;
                let called = completed.take();
                assert_eq!(called, order[..called.len()], "{strategy:?}");
                strategy.check_in_order(&returned, called.len(), 6, |index| index as u64, fails);
            }
        });
    }
    backend.block_on(async {
        let body = |n: u64| {
            let peak = peak.clone();
            job(async move { peak.during(async { n }).await })
        };
        let seen = Log::default();
        one().stream_unordered(body).for_each(async |n| seen.write(n)).await;
        assert_eq!(seen.read(), order);
    });
    assert_eq!(peak.most(), 1);
}
