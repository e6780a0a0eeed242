//! Task groups and scopes.

use std::time::Duration;

use forloop_core::{Cancelled, Closed, LoopError, Timer};

use super::{endless, errors};
use crate::{Alive, Backend, Gate, Group, Tally, eventually, job, yields};

/// GRP-1
pub fn a_group_returns_its_bodys_value_after_all_children<B: Backend>(backend: B) {
    let log = Tally::default();
    let value = backend.group({
        let log = log.clone();
        move |group| {
            job(async move {
                for n in 0..4 {
                    let log = log.clone();
                    group.spawn(job(async move {
                        yields(10 * n as usize).await;
                        log.write(n);
                        Ok(n)
                    }));
                    yields(1).await;
                }
                Ok("value")
            })
        }
    });
    assert_eq!(backend.block_on(value), Ok("value"));
    let mut log = log.read();
    log.sort_unstable();
    assert_eq!(log, [0, 1, 2, 3]);
}

fn descend<G: Group>(group: G, left: u64, log: Tally) -> crate::Job<Result<u64, String>> {
    job(async move {
        yields(2).await;
        log.write(left);
        if left > 0 {
            group.spawn(descend(group.clone(), left - 1, log));
        }
        Ok(left)
    })
}

/// GRP-2
pub fn a_child_may_spawn_into_its_group_after_the_body_has_returned<B: Backend>(backend: B) {
    let log = Tally::default();
    let result = backend.group({
        let log = log.clone();
        move |group| {
            group.spawn(descend(group.clone(), 9, log));
            job(async { Ok(()) })
        }
    });
    assert_eq!(backend.block_on(result), Ok(()));
    assert_eq!(log.read(), (0..10).rev().collect::<Vec<_>>());
}

/// GRP-3
pub fn a_childs_error_stops_the_siblings_and_the_body<B: Backend>(backend: B) {
    let (alive, after) = (Alive::default(), Tally::<u64>::default());
    let result = backend.group({
        let (alive, after) = (alive.clone(), after.clone());
        move |group| {
            job(async move {
                for _ in 0..3 {
                    group.spawn(endless(&alive));
                }
                group.spawn(job(async {
                    yields(3).await;
                    Err(String::from("no"))
                }));
                let _alive = alive.guard();
                std::future::pending::<()>().await;
                after.write(0);
                Ok(())
            })
        }
    });
    let error = backend.block_on(async {
        let error = result.await.unwrap_err();
        assert_eq!(alive.now(), 0, "stopped before it returned");
        error
    });
    assert_eq!(error.failures().len(), 1);
    assert_eq!(error.get(3).unwrap(), "no");
    assert_eq!(alive.ever(), 4);
    assert!(after.read().is_empty());
}

/// GRP-4
pub fn the_error_holds_every_failure_and_no_cancelled_child<B: Backend>(backend: B) {
    let gate = Gate::default();
    let result = backend.group(move |group| {
        job(async move {
            group.spawn(job(std::future::pending()));
            group.spawn(job(async move {
                gate.passed().await;
                Err(String::from("second"))
            }));
            group.spawn(job(async { Err(String::from("first")) }));
            std::future::pending::<Result<(), String>>().await
        })
    });
    let error = backend.block_on(result).unwrap_err();
    assert_eq!(error.first().unwrap().index, Some(2));
    assert_eq!(error.first().unwrap().error, "first");
    assert!(error.failures().iter().all(|failure| failure.index != Some(0)));
}

/// GRP-5
pub fn a_bodys_error_stops_the_children_before_it_is_returned<B: Backend>(backend: B) {
    for awaits in [0, 3] {
        let alive = Alive::default();
        let result = backend.group({
            let alive = alive.clone();
            move |group| {
                job(async move {
                    group.spawn(endless(&alive));
                    yields(awaits).await;
                    Err::<(), _>(String::from("body"))
                })
            }
        });
        backend.block_on(async {
            let error = result.await.unwrap_err();
            assert_eq!(alive.now(), 0, "stopped before it returned");
            assert_eq!(error.first().unwrap().index, None);
            assert_eq!(error.first().unwrap().error, "body");
        });
    }
}

/// GRP-6
pub fn a_closed_group_refuses_a_child_and_drops_it_unpolled<B: Backend>(backend: B) {
    let (kept, alive, polled) = (Tally::default(), Alive::default(), Tally::<u64>::default());
    let result = backend.group({
        let kept = kept.clone();
        move |group: B::Group| {
            kept.write(group.clone());
            job(async move { Ok(()) })
        }
    });
    assert_eq!(backend.block_on(result), Ok(()));
    let group = kept.read().remove(0);
    let child = || {
        let (guard, polled) = (alive.guard(), polled.clone());
        job(async move {
            let _alive = guard;
            polled.write(0);
            Ok(0)
        })
    };
    assert!(matches!(group.try_spawn(child()), Err(Closed)));
    assert_eq!(backend.block_on(group.spawn(child())), Err(Cancelled));
    assert_eq!((alive.ever(), alive.now()), (2, 0));
    assert!(polled.read().is_empty());
}

/// GRP-7
pub fn an_error_is_not_lost_when_nobody_awaits_the_child<B: Backend>(backend: B) {
    let result = backend.group(|group| {
        job(async move {
            drop(group.spawn(job(async {
                yields(5).await;
                Err(String::from("no"))
            })));
            Ok(())
        })
    });
    assert_eq!(backend.block_on(result).unwrap_err().get(0).unwrap(), "no");
}

/// GRP-8
pub fn a_cancelled_group_stops_its_body_and_its_children<B: Backend>(backend: B) {
    let (alive, after) = (Alive::default(), Tally::<u64>::default());
    let result = backend.group({
        let (alive, after) = (alive.clone(), after.clone());
        move |group| {
            job(async move {
                group.spawn(endless(&alive));
                yields(3).await;
                group.cancel();
                group.cancel();
                yields(1).await;
                after.write(0);
                Ok(())
            })
        }
    });
    backend.block_on(async {
        assert_eq!(result.await, Err(LoopError::Cancelled));
        assert_eq!(alive.now(), 0, "stopped before it returned");
    });
    assert!(after.read().is_empty());
}

/// GRP-8
pub fn a_group_cancelled_by_a_child_after_its_body_returns_the_value<B: Backend>(backend: B) {
    let result = backend.group(|group| {
        job(async move {
            group.spawn(job(std::future::pending()));
            let own = group.clone();
            group.spawn(job(async move {
                yields(5).await;
                own.cancel();
                Ok(0)
            }));
            Ok(7)
        })
    });
    assert_eq!(backend.block_on(result), Ok(7));
}

/// GRP-8
pub fn a_group_cancelled_before_the_first_child_takes_none<B: Backend>(backend: B) {
    let (alive, polled) = (Alive::default(), Tally::<u64>::default());
    let result = backend.group({
        let (alive, polled) = (alive.clone(), polled.clone());
        move |group| {
            job(async move {
                group.cancel();
                let guard = alive.guard();
                group.spawn(job(async move {
                    let _alive = guard;
                    polled.write(0);
                    Ok(0)
                }));
                Ok(())
            })
        }
    });
    // The body has no await at which it could be stopped.
    assert_eq!(backend.block_on(result), Ok(()));
    assert_eq!((alive.ever(), alive.now()), (1, 0));
    assert!(polled.read().is_empty());
}

/// LST-4
pub fn a_cancelled_child_is_no_failure<B: Backend>(backend: B) {
    let alive = Alive::default();
    let result = backend.group({
        let alive = alive.clone();
        move |group| {
            job(async move {
                let child = group.spawn(endless(&alive));
                let sibling = group.spawn(job(async {
                    yields(5).await;
                    Ok(2)
                }));
                yields(2).await;
                child.cancel();
                assert_eq!(child.await, Err(Cancelled));
                assert_eq!(alive.now(), 0);
                sibling.await.map_err(|cancelled| cancelled.to_string())
            })
        }
    });
    assert_eq!(backend.block_on(result), Ok(2));
}

/// GRP-1
pub fn a_childs_value_can_be_awaited<B: Backend>(backend: B) {
    let result = backend.group(|group| {
        job(async move {
            let children: Vec<_> = (0..10)
                .map(|n| {
                    group.spawn(job(async move {
                        yields((10 - n) as usize).await;
                        Ok(n)
                    }))
                })
                .collect();
            let mut values = Vec::new();
            for child in children {
                values.push(child.await.unwrap());
            }
            let gate = Gate::default();
            let opened = gate.clone();
            let mut last = group.spawn(job(async move {
                gate.passed().await;
                Ok(10)
            }));
            assert!(!last.is_finished());
            opened.open();
            values.push((&mut last).await.unwrap());
            assert!(last.is_finished());
            Ok(values)
        })
    });
    assert_eq!(backend.block_on(result), Ok((0..=10).collect()));
}

/// CAN-1
pub fn a_group_that_is_dropped_stops_everything<B: Backend>(backend: B) {
    let alive = Alive::default();
    let clock = backend.clock();
    let result = backend.group({
        let alive = alive.clone();
        move |group| {
            job(async move {
                for _ in 0..3 {
                    let (guard, own) = (alive.guard(), group.clone());
                    group.spawn(job(async move {
                        let _alive = guard;
                        let _own_group = own;
                        std::future::pending().await
                    }));
                }
                let _alive = alive.guard();
                std::future::pending::<Result<(), String>>().await
            })
        }
    });
    backend.block_on(async {
        let mut result = Box::pin(result);
        for _ in 0..5 {
            assert!(futures_lite::future::poll_once(result.as_mut()).await.is_none());
            yields(1).await;
        }
        assert_eq!(alive.now(), 4);
        drop(result);
        if !B::SPAWNED {
            assert_eq!(alive.now(), 0);
        }
        eventually(&clock, || alive.now() == 0).await;
    });
}

/// Law 11
pub fn a_group_that_is_never_polled_calls_nothing<B: Backend>(backend: B) {
    let called = Tally::<u64>::default();
    let result = backend.group({
        let called = called.clone();
        move |_| {
            called.write(0);
            job(async { Ok(()) })
        }
    });
    drop(result);
    assert!(called.read().is_empty());
}

/// Law 9: a body that only yields starves nobody.
pub fn a_busy_body_starves_no_child<B: Backend>(backend: B) {
    let result = backend.group(|group| {
        job(async move {
            let flag = Tally::default();
            let written = flag.clone();
            group.spawn(job(async move {
                yields(3).await;
                written.write(0_u64);
                Ok(0)
            }));
            while flag.read().is_empty() {
                yields(1).await;
            }
            group.spawn(job(async { Err(String::from("no")) }));
            loop {
                yields(1).await;
            }
            #[allow(unreachable_code)]
            Ok(())
        })
    });
    assert_eq!(backend.block_on(result).unwrap_err().get(1).unwrap(), "no");
}

/// GRP-8: children that spawn children for ever starve nobody.
pub fn endless_children_starve_no_body<B: Backend>(backend: B) {
    fn endless<G: Group>(group: G) -> crate::Job<Result<u64, String>> {
        job(async move {
            yields(1).await;
            group.spawn(endless(group.clone()));
            Ok(0)
        })
    }
    let result = backend.group(|group| {
        job(async move {
            group.spawn(endless(group.clone()));
            yields(20).await;
            group.cancel();
            Ok(())
        })
    });
    let ended = backend.block_on(result);
    assert!(matches!(ended, Ok(()) | Err(LoopError::Cancelled)));
}

/// GRP-3: not even if the await is on the child that failed.
pub fn the_body_does_not_go_on_past_its_await_on_a_failed_child<B: Backend>(backend: B) {
    for round in 0..50 {
        let after = Tally::<u64>::default();
        let result = backend.group({
            let after = after.clone();
            move |group| {
                job(async move {
                    let child = group.spawn(job(async move {
                        yields(round % 4).await;
                        Err(String::from("no"))
                    }));
                    let _cancelled = child.await;
                    after.write(0);
                    Ok(())
                })
            }
        });
        assert_eq!(backend.block_on(result).unwrap_err().get(0).unwrap(), "no");
        assert!(after.read().is_empty());
    }
}

/// Law 5: whoever waits for a child hears of its end, also if its destructor panics.
pub fn a_child_whose_destructor_panics_leaves_nobody_waiting<B: Backend>(backend: B) {
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }

    let (give, take) = std::sync::mpsc::channel();
    let waiter = std::thread::spawn(move || {
        let child: forloop_core::Child<u64> = take.recv().unwrap();
        futures_lite::future::block_on(child)
    });
    let result = backend.group(|group| {
        job(async move {
            let armed = Gate::default();
            let arm = armed.clone();
            let child = group.spawn(job(async move {
                let _bomb = Bomb;
                arm.open();
                std::future::pending().await
            }));
            give.send(child).unwrap();
            armed.passed().await;
            Err::<(), _>(String::from("body"))
        })
    });
    let result =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| backend.block_on(result)));
    assert_eq!(result.unwrap_err().downcast_ref(), Some(&"on purpose"));
    assert_eq!(waiter.join().unwrap(), Err(Cancelled));
}

/// GRP-4: nobody takes a sibling's cancellation for a failure of its own.
pub fn a_sibling_that_waits_for_another_does_not_go_on_when_both_are_stopped<B: Backend>(
    backend: B,
) {
    for _ in 0..100 {
        let result = backend.group(|group| {
            job(async move {
                let (gate, waiting) = (Gate::default(), Tally::<u64>::default());
                let waited_for: Vec<_> =
                    (0..5).map(|_| group.spawn(job(std::future::pending()))).collect();
                for child in waited_for {
                    let waiting = waiting.clone();
                    group.spawn(job(async move {
                        waiting.write(0);
                        child.await.map_err(|_| String::from("saw a sibling's cancellation"))
                    }));
                }
                let closed = gate.clone();
                group.spawn(job(async move {
                    closed.passed().await;
                    Err(String::from("real"))
                }));
                // Until all of them wait, and are not just about to.
                while waiting.read().len() < 5 {
                    yields(1).await;
                }
                yields(20).await;
                gate.open();
                Ok(())
            })
        });
        assert_eq!(errors(&backend.block_on(result).unwrap_err()), ["real"]);
    }
}

/// GRP-4: not even if it was looking just then, on another thread.
pub fn a_restless_sibling_sees_no_other_that_was_stopped_or_has_failed<B: Backend>(backend: B) {
    for _ in 0..50 {
        let result = backend.group(|group| {
            job(async move {
                let fails = group.spawn(job(async {
                    yields(5).await;
                    Err(String::from("real"))
                }));
                let stopped = group.spawn(job(std::future::pending()));
                for mut child in [fails, stopped] {
                    group.spawn(job(async move {
                        while futures_lite::future::poll_once(&mut child).await.is_none() {
                            yields(1).await;
                        }
                        Err(String::from("saw a sibling's cancellation"))
                    }));
                }
                Ok(())
            })
        });
        assert_eq!(errors(&backend.block_on(result).unwrap_err()), ["real"]);
    }
}

/// GRP-4: also those that the group had not seen when it stopped the others.
pub fn failures_that_a_group_has_not_seen_yet_are_in_its_error_too<B: Backend>(backend: B) {
    // A task has failed a moment after its last line, and that moment has no upper bound: so it is
    // enough if one round of many sees all failures.
    let mut most = 0;
    for round in 0..20 {
        let (alive, gate) = (Alive::default(), Gate::default());
        let result = backend.group({
            let (alive, gate) = (alive.clone(), gate.clone());
            move |group| {
                job(async move {
                    for n in 0..3 {
                        let (guard, gate) = (alive.guard(), gate.clone());
                        group.spawn(job(async move {
                            let _alive = guard;
                            gate.passed().await;
                            Err(n.to_string())
                        }));
                    }
                    std::future::pending::<Result<(), String>>().await
                })
            }
        });
        let clock = backend.clock();
        let error = backend.block_on(async {
            let mut result = Box::pin(result);
            assert!(futures_lite::future::poll_once(result.as_mut()).await.is_none());
            gate.open();
            if B::SPAWNED {
                // Without a look at the group.
                eventually(&clock, || alive.now() == 0).await;
                clock.sleep(Duration::from_millis(round)).await;
            }
            result.await.unwrap_err()
        });
        for failure in error.failures() {
            assert_eq!(failure.error, failure.index.unwrap().to_string());
        }
        most = most.max(error.failures().len());
    }
    // In the caller's task, the first failure is seen before the others can happen.
    assert_eq!(most, if B::SPAWNED { 3 } else { 1 });
}

/// GRP-6: also while the group is stopping.
pub fn a_group_that_is_stopping_refuses_a_child_and_drops_it_unpolled<B: Backend>(backend: B) {
    struct Late<G: Group> {
        group: G,
        alive: Alive,
        polled: Tally,
        refused: Tally<bool>,
    }

    impl<G: Group> Drop for Late<G> {
        fn drop(&mut self) {
            let (guard, polled) = (self.alive.guard(), self.polled.clone());
            let child = self.group.try_spawn(job(async move {
                let _alive = guard;
                polled.write(0);
                Ok(0)
            }));
            self.refused.write(child.is_err());
        }
    }

    let (alive, polled, refused) = (Alive::default(), Tally::default(), Tally::default());
    let result = backend.group({
        let (alive, polled, refused) = (alive.clone(), polled.clone(), refused.clone());
        move |group| {
            job(async move {
                let late = Late { group: group.clone(), alive, polled, refused };
                group.spawn(job(async move {
                    let _late = late;
                    std::future::pending().await
                }));
                group.spawn(job(async {
                    yields(3).await;
                    Err(String::from("no"))
                }));
                std::future::pending::<Result<(), String>>().await
            })
        }
    });
    assert_eq!(backend.block_on(result).unwrap_err().get(1).unwrap(), "no");
    assert_eq!(refused.read(), [true]);
    assert_eq!((alive.ever(), alive.now()), (1, 0));
    assert!(polled.read().is_empty());
}
