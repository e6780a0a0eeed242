//! What a search finds, and what its reports contain.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use forloop_core::{BlockOn, Runtime, Spawn, SpawnLocal, Timer, each};
use forloop_sim::{Explore, FailureCause, Jitter, Sim, agree, check};
use forloop_smol::Smol;
use futures_util::future::{join_all, poll_fn};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Yields once.
async fn yields() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[test]
fn five_independent_tasks_have_120_schedules() {
    let orders = RefCell::new(HashSet::new());
    let explored = Explore::exhaustive(1000).run(|rt| {
        let order = Arc::new(Mutex::new(Vec::new()));
        for task in 0..5 {
            let order = order.clone();
            rt.spawn(async move { order.lock().unwrap().push(task) });
        }
        let orders = &orders;
        async move {
            rt.sleep(ms(1)).await;
            orders.borrow_mut().insert(order.lock().unwrap().clone());
        }
    });
    // The program is a sixth task, whose second step can run at any point among the five.
    let explored = explored.unwrap();
    assert_eq!(explored.to_string(), "exhaustive: 720 schedules");
    assert_eq!(orders.borrow().len(), 120);

    let explored = Explore::exhaustive(1000).run(|rt| async move {
        (0..5).for_each(|_| rt.spawn(async {}));
    });
    assert_eq!(explored.unwrap().to_string(), "exhaustive: 120 schedules");
}

#[test]
fn tasks_of_several_steps_have_a_schedule_for_each_interleaving() {
    // Two tasks of three steps each: 6 choose 3.
    let explored = Explore::exhaustive(1000).run(|rt| async move {
        for _ in 0..2 {
            rt.spawn(async {
                yields().await;
                yields().await;
            });
        }
    });
    assert_eq!(explored.unwrap().distinct(), 20);
}

#[test]
fn an_exhaustive_search_reports_that_it_reached_its_bound() {
    let explored = Explore::exhaustive(7).run(|rt| async move {
        (0..5).for_each(|_| rt.spawn(async {}));
    });
    let explored = explored.unwrap();
    assert!(!explored.is_complete);
    assert_eq!(explored.to_string(), "the first 7 schedules, and there are more");
}

#[test]
fn a_sample_reports_the_number_of_its_distinct_schedules() {
    let explored = check(100, |rt| async move {
        (0..3).for_each(|_| rt.spawn(async {}));
    });
    assert_eq!(explored.to_string(), "sampled: 100 seeds, 6 distinct schedules");
}

/// Two tasks read a counter, yield, and write it: one of the increments can be lost.
async fn lost_update(rt: Sim) {
    let counter = Arc::new(AtomicU64::new(0));
    each(0..2)
        .unbounded()
        .on(rt)
        .for_each(|_| {
            let counter = counter.clone();
            async move {
                let seen = counter.load(Ordering::SeqCst);
                yields().await;
                counter.store(seen + 1, Ordering::SeqCst);
            }
        })
        .await;
    assert_eq!(counter.load(Ordering::SeqCst), 2);
}

#[test]
fn a_race_is_found_and_replayed_from_its_report() {
    for explore in [Explore::random(1000), Explore::exhaustive(1000), Explore::pct(1000, 2)] {
        let failure = explore.run(lost_update).unwrap_err();
        assert!(matches!(failure.cause, FailureCause::Panicked { .. }), "{failure}");
        assert!(!failure.events.is_empty());
        let repeated = failure.run_spec();
        assert!(failure.to_string().contains(&format!("FORLOOP_SIM='{repeated}'")), "{failure}");
        let replayed = std::panic::catch_unwind(|| forloop_sim::replay(&repeated, lost_update));
        assert!(replayed.is_err(), "{repeated}");
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    let run = |sim: Sim| {
        let order = Rc::new(RefCell::new(Vec::new()));
        sim.block_on(join_all((0..8).map(|n| {
            let (sim, order) = (sim.clone(), order.clone());
            async move {
                for _ in 0..3 {
                    sim.sleep(ms(n % 3)).await;
                    order.borrow_mut().push(n);
                }
            }
        })));
        (sim.fingerprint(), order.take())
    };
    assert_eq!(run(Sim::random(1)), run(Sim::random(1)));
    // The fingerprint is the same on every machine.
    assert_eq!(run(Sim::random(1)).0, 13_395_251_565_464_571_522);
    assert_ne!(run(Sim::random(1)).0, run(Sim::random(2)).0);
    let first = Sim::random(3);
    let (fingerprint, order) = run(first.clone());
    assert_eq!(run(Sim::replay(first.choices())), (fingerprint, order));
}

#[test]
fn timers_of_one_instant_fire_in_every_order() {
    let orders = RefCell::new(HashSet::new());
    let explored = Explore::exhaustive(1000).run(|rt| {
        let orders = &orders;
        async move {
            let order = RefCell::new(Vec::new());
            let unordered: futures_util::stream::FuturesUnordered<_> = (0..3)
                .map(|n| {
                    let (rt, order) = (rt.clone(), &order);
                    async move {
                        rt.sleep(ms(5)).await;
                        order.borrow_mut().push(n);
                    }
                })
                .collect();
            futures_util::StreamExt::collect::<Vec<()>>(unordered).await;
            orders.borrow_mut().insert(order.take());
        }
    });
    explored.unwrap();
    assert_eq!(orders.borrow().len(), 6);
}

#[test]
fn a_deadlock_is_reported_with_the_tasks_that_wait() {
    let failure = Explore::fifo()
        .run(|rt| async move {
            rt.sleep(ms(1500)).await;
            let never = std::future::pending::<()>();
            forloop_core::spawn(&rt, never).await.unwrap();
        })
        .unwrap_err();
    let FailureCause::Deadlock(deadlock) = &failure.cause else { panic!("{failure}") };
    assert_eq!(deadlock.at, ms(1500));
    assert_eq!(deadlock.pending.len(), 2);
    assert!(failure.to_string().contains("nothing could run"), "{failure}");
}

#[test]
fn a_program_that_never_completes_is_reported() {
    let failure = Explore::fifo()
        .max_steps(100)
        .run(|_| async {
            for _ in 0_u64.. {
                yields().await;
            }
        })
        .unwrap_err();
    assert_eq!(failure.cause, FailureCause::StepLimit { steps: 100 });
}

#[test]
fn an_error_is_a_failure() {
    let failure = Explore::random(10).run(|_| async { Err("no") }).unwrap_err();
    assert_eq!(failure.cause, FailureCause::Failed { error: "\"no\"".to_owned() });
    assert_eq!(failure.run_spec(), "choices=");
}

#[test]
fn a_program_that_is_not_deterministic_is_reported() {
    let runs = Cell::new(0);
    let failure = Explore::random(10)
        .run(|rt| {
            runs.set(runs.get() + 1);
            let naps = runs.get();
            async move {
                for _ in 0..naps {
                    rt.sleep(ms(1)).await;
                }
            }
        })
        .unwrap_err();
    assert_eq!(failure.cause, FailureCause::NotDeterministic { before: None });
}

#[test]
fn an_output_that_depends_on_the_schedule_is_found() {
    let last = |rt: Sim| async move {
        let last = Arc::new(AtomicU64::new(0));
        let items = each(1..=3).unbounded().on(rt);
        items
            .for_each(|n| {
                let last = last.clone();
                async move { last.store(n, Ordering::SeqCst) }
            })
            .await;
        last.load(Ordering::SeqCst)
    };
    let failure = Explore::random(100).run_agreeing(last).unwrap_err();
    assert!(matches!(failure.cause, FailureCause::OutputsDiffer { .. }), "{failure}");
    assert_eq!(
        agree(100, |rt| async move { each(0..3).unbounded().on(rt).gather(async |n| n).await }),
        [0, 1, 2]
    );
}

#[test]
fn a_loop_that_is_dropped_leaves_no_task() {
    let explored = Explore::random(50).cancelling().run(|rt| async move {
        let nap = rt.clone();
        each(0..4)
            .limit(2)
            .unwrap()
            .on(rt)
            .for_each(move |n| {
                let rt = nap.clone();
                async move { rt.sleep(ms(n)).await }
            })
            .await;
    });
    assert!(0 < explored.unwrap().dropped_runs);
}

#[test]
fn a_task_that_outlives_its_dropped_loop_is_reported() {
    let failure = Explore::fifo()
        .cancelling()
        .run(|rt| async move {
            let (nap, rt) = (rt.sleep(ms(10)), rt);
            rt.spawn(nap);
            rt.sleep(ms(20)).await;
        })
        .unwrap_err();
    assert!(matches!(failure.cause, FailureCause::TasksLeft(_)), "{failure}");
    assert!(failure.run_spec().contains("drop=1"), "{failure}");
}

#[test]
fn local_tasks_need_not_be_send() {
    let sim = Sim::new();
    let result = Rc::new(Cell::new(0));
    let cell = result.clone();
    let nap = sim.sleep(ms(10));
    sim.spawn_local(async move {
        nap.await;
        cell.set(7);
    });
    sim.block_on(sim.sleep(ms(20)));
    assert_eq!(result.get(), 7);
}

#[test]
fn ten_virtual_hours_take_no_real_time() {
    let sim = Sim::new();
    let start = std::time::Instant::now();
    sim.block_on(sim.sleep(Duration::from_secs(36_000)));
    assert_eq!(sim.now(), Duration::from_secs(36_000));
    assert!(start.elapsed() < Duration::from_secs(3600));
}

#[test]
#[should_panic(expected = "deadlock after 0ns")]
fn a_sleep_of_the_largest_duration_never_completes() {
    let sim = Sim::new();
    sim.block_on(sim.sleep(Duration::MAX));
}

#[test]
fn bodies_in_a_deadlock_are_reported_with_their_index_and_their_loop() {
    for spawned in [false, true] {
        let failure = Explore::fifo()
            .run(|rt| async move {
                let (line, items) = (line!(), each(0..4).unbounded());
                let body = |n| async move {
                    if n % 2 == 1 {
                        std::future::pending::<()>().await;
                    }
                };
                match spawned {
                    true => items.on(rt).for_each(body).await,
                    false => items.for_each(body).await,
                }
                assert_eq!(line, 0, "the loop never completes");
            })
            .unwrap_err();
        let FailureCause::Deadlock(deadlock) = &failure.cause else { panic!("{failure}") };
        let indices: Vec<_> = deadlock.pending.iter().filter_map(|one| one.label.index).collect();
        assert_eq!(indices, [1, 3], "{failure}");
        assert!(failure.to_string().contains("body 3 of explore::"), "{failure}");
        assert!(failure.to_string().contains("tests/explore.rs:"), "{failure}");
        assert!(deadlock.lost_wakes.is_empty(), "{failure}");
    }
}

#[test]
fn bodies_of_a_nested_loop_are_reported_too() {
    let failure = Explore::random(1)
        .run(|_| {
            each(0..2)
                .unbounded()
                .for_each(|outer| each(0..outer).unbounded().for_each(|_| std::future::pending()))
        })
        .unwrap_err();
    let FailureCause::Deadlock(deadlock) = &failure.cause else { panic!("{failure}") };
    let indices: Vec<_> = deadlock.pending.iter().filter_map(|one| one.label.index).collect();
    assert_eq!(indices, [1, 0], "{failure}");
}

#[test]
fn a_lost_wake_is_distinguished_from_a_deadlock() {
    // Body 1 sets the flag without waking body 2, which waits for it.
    for spawned in [false, true] {
        let failure = Explore::random(10)
            .run(|rt| async move {
                let flag = Arc::new(AtomicU64::new(0));
                let items = each(0..3).unbounded();
                let body = |n| {
                    let (flag, rt) = (flag.clone(), rt.clone());
                    async move {
                        if n == 1 {
                            rt.sleep(ms(1)).await;
                            flag.store(1, Ordering::SeqCst);
                        }
                        if n == 2 {
                            poll_fn(|_| match flag.load(Ordering::SeqCst) {
                                0 => Poll::Pending,
                                _ => Poll::Ready(()),
                            })
                            .await;
                        }
                    }
                };
                match spawned {
                    true => items.on(rt.clone()).for_each(body).await,
                    false => items.for_each(body).await,
                }
            })
            .unwrap_err();
        let FailureCause::Deadlock(deadlock) = &failure.cause else { panic!("{failure}") };
        assert!(deadlock.lost_wakes.iter().any(|one| one.label.index == Some(2)), "{failure}");
        assert!(failure.to_string().contains("a wake was lost"), "{failure}");
        let repeated = failure.run_spec();
        assert!(repeated.starts_with("choices="));
    }
}

#[test]
fn bodies_woken_together_are_polled_in_every_order() {
    let orders = RefCell::new(HashSet::new());
    let explored = Explore::exhaustive(1000).run(|_| {
        let orders = &orders;
        async move {
            let order = RefCell::new(Vec::new());
            let body = |n| {
                let order = &order;
                async move {
                    yields().await;
                    order.borrow_mut().push(n);
                }
            };
            each(0..4).unbounded().for_each(body).await;
            orders.borrow_mut().insert(order.take());
        }
    });
    assert_eq!(explored.unwrap().to_string(), "exhaustive: 24 schedules");
    assert_eq!(orders.borrow().len(), 24);
}

#[test]
fn a_failure_found_by_the_bytes_of_a_fuzzer_is_repeated_without_the_bytes() {
    let failures = (0..=u8::MAX).filter_map(|byte| {
        Explore::bytes([byte, byte >> 2, byte >> 4, byte >> 6]).run(lost_update).err()
    });
    let failures: Vec<_> = failures.collect();
    assert!(!failures.is_empty() && failures.len() < 256, "{}", failures.len());
    for failure in failures {
        let repeated = failure.run_spec();
        assert!(std::panic::catch_unwind(|| forloop_sim::replay(&repeated, lost_update)).is_err());
    }
}

/// Runs a loop whose bodies sleep on `runtime`; returns its output and the time that it took.
fn naps(runtime: impl Runtime + BlockOn) -> (Vec<u64>, Duration) {
    let start = runtime.now();
    let items = each(0..8).limit(3).unwrap().on(runtime.clone());
    let naps = items.gather(|n| {
        let runtime = runtime.clone();
        async move {
            runtime.sleep(ms(n % 3)).await;
            n
        }
    });
    let all = runtime.block_on(naps);
    (all, runtime.now() - start)
}

#[test]
fn jitter_delays_any_runtime_and_changes_no_output() {
    let (all, regular) = naps(Sim::new());
    assert_eq!(all, [0, 1, 2, 3, 4, 5, 6, 7]);
    let late = |seed| naps(Jitter::new(Sim::new(), seed).latency(ms(50)));
    assert_eq!(late(1), late(1));
    assert_ne!(late(1), late(2));
    assert_eq!(late(1).0, all);
    assert!(regular < late(1).1);
    // The schedule of a real runtime is not controlled.
    assert_eq!(naps(Jitter::new(Smol, 1).latency(ms(2)).yields(9)).0, all);
}

#[test]
fn the_current_simulation_is_known_inside_it_and_not_outside() {
    assert!(Sim::current().is_none());
    let sim = Sim::random(5);
    let inner = sim.clone();
    sim.block_on(async move {
        let current = Sim::current().expect("this runs in a simulation");
        current.sleep(ms(7)).await;
        assert_eq!(inner.now(), ms(7));
    });
    assert!(Sim::current().is_none());
}

#[test]
fn tasks_and_children_are_reported_with_the_line_that_spawned_them() {
    let lines = Mutex::new(Vec::new());
    let failure = Explore::fifo().run(|rt| {
        let lines = &lines;
        async move {
            lines.lock().unwrap().extend([line!() + 1, line!() + 3, line!() + 5]);
            let _task = forloop_core::spawn(&rt, std::future::pending::<()>());
            let never = (0..2).map(|_| std::future::pending::<()>());
            let _list = forloop_core::task_list(&rt, never);
            let group = forloop_core::task_group(rt, |group| async move {
                group.spawn(std::future::pending::<Result<(), ()>>());
                Ok(())
            });
            group.await.unwrap();
        }
    });
    let failure = failure.unwrap_err();
    let FailureCause::Deadlock(deadlock) = &failure.cause else { panic!("{failure}") };
    let reported: Vec<u32> =
        deadlock.pending.iter().filter_map(|one| Some(one.label.at?.line())).collect();
    let lines = lines.into_inner().unwrap();
    assert_eq!(reported[0], lines[0], "{failure}");
    assert!(reported.contains(&lines[1]) && reported.contains(&lines[2]), "{lines:?} {failure}");
}

/// Reads a counter, yields, and writes it.
async fn lose_an_update(counter: Arc<AtomicU64>) {
    let seen = counter.load(Ordering::SeqCst);
    yields().await;
    counter.store(seen + 1, Ordering::SeqCst);
}

#[test]
fn another_task_may_run_between_any_two_polls_of_a_loop() {
    let inner = |counter: Arc<AtomicU64>| async move {
        each(0..1).unbounded().for_each(|_| lose_an_update(counter.clone())).await;
    };
    for workers in [false, true] {
        let failure = Explore::exhaustive(1000).run(|rt| async move {
            let counter = Arc::new(AtomicU64::new(0));
            let (body, items) = (counter.clone(), each(0..2).unbounded());
            match workers {
                true => items.on_workers(rt).for_each(move |_| lose_an_update(body.clone())).await,
                false => items.on(rt).for_each(|_| inner(body.clone())).await,
            }
            assert_eq!(counter.load(Ordering::SeqCst), 2);
        });
        assert!(
            matches!(failure, Err(failure) if matches!(failure.cause, FailureCause::Panicked { .. }))
        );
    }
}

#[test]
fn a_task_woken_while_another_settles_the_simulation_still_runs() {
    check(30, |rt| async move {
        let task = forloop_core::spawn(&rt, async {
            yields().await;
            1
        });
        let settling = rt.clone();
        rt.spawn(async move { settling.settle() });
        assert_eq!(task.await, Ok(1));
    });
}

#[test]
fn a_detached_task_that_never_completes_is_reported() {
    let failure = Explore::fifo().max_steps(1000).run(|rt| async move {
        rt.spawn(async {
            for _ in 0_u64.. {
                yields().await;
            }
        });
    });
    assert_eq!(failure.unwrap_err().cause, FailureCause::StepLimit { steps: 1000 });
}

#[test]
fn a_destructor_that_panics_when_tasks_are_dropped_stops_no_search() {
    struct Unfinished;
    impl Drop for Unfinished {
        fn drop(&mut self) {
            panic!("not finished");
        }
    }
    let explored = check(3, |rt| async move {
        for _ in 0..3 {
            let nap = rt.sleep(ms(10));
            rt.spawn(async move {
                let unfinished = Unfinished;
                nap.await;
                std::mem::forget(unfinished);
            });
        }
    });
    assert_eq!(explored.runs, 4);
}

#[test]
fn a_completed_task_is_not_an_option() {
    let explored = Explore::exhaustive(100).run(|rt| async move {
        for _ in 0..3 {
            rt.spawn(poll_fn(|cx| {
                cx.waker().wake_by_ref();
                Poll::Ready(())
            }));
        }
    });
    assert_eq!(explored.unwrap().distinct(), 6);
}

#[test]
fn the_events_of_a_deadlock_stop_at_the_deadlock() {
    let failure = Explore::fifo().run(|rt| async move {
        each(0..40).unbounded().on(rt).for_each(|_| std::future::pending()).await;
    });
    // Each is spawned and polled, and the loop is polled a few times.
    assert!(failure.unwrap_err().events.len() < 100 + 40);
}

#[test]
fn local_tasks_are_dropped_with_their_simulation() {
    let alive = Rc::new(());
    let sim = Sim::new();
    for _ in 0..3 {
        let alive = alive.clone();
        sim.spawn_local(async move {
            std::future::pending::<()>().await;
            drop(alive);
        });
    }
    sim.settle();
    assert_eq!(Rc::strong_count(&alive), 4);
    drop(sim);
    assert_eq!(Rc::strong_count(&alive), 1);
}
