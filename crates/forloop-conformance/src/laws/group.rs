//! Task groups and scopes.

use forloop_core::{Cancelled, Closed, LoopError};

use super::{endless, errors};
use crate::{Alive, Backend, Gate, Group, Log, PanicOnDrop, eventually, job, yields};

/// GRP-1: A group returns the value of its body after all children have completed.
pub fn a_group_returns_its_bodys_value_after_all_children_have_completed<B: Backend>(backend: B) {
    let log = Log::default();
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

/// GRP-1: The length of a group is the number of its children that have not completed, without its body.
pub fn the_length_of_a_group_is_the_number_of_children_that_run<B: Backend>(backend: B) {
    let clock = backend.clock();
    let lengths = backend.group(move |group| {
        job(async move {
            let gates = [Gate::default(), Gate::default()];
            let mut lengths = vec![group.running()];
            for gate in [0, 1, 1] {
                let gate = gates[gate].clone();
                group.spawn(job(async move {
                    gate.passed().await;
                    Ok(0)
                }));
                lengths.push(group.running());
            }
            for (gate, left) in gates.iter().zip([2, 0]) {
                gate.open();
                let counted = group.clone();
                eventually(&clock, move || counted.running() == left).await;
            }
            Ok(lengths)
        })
    });
    assert_eq!(backend.block_on(lengths), Ok(vec![0, 1, 2, 3]));
}

fn descend<G: Group>(group: G, left: u64, log: Log) -> crate::Job<Result<u64, String>> {
    job(async move {
        yields(2).await;
        log.write(left);
        if left > 0 {
            group.spawn(descend(group.clone(), left - 1, log));
        }
        Ok(left)
    })
}

/// GRP-2: A child may spawn into its own group after the body has returned, and the group waits for it.
pub fn a_child_may_spawn_into_its_group_after_the_body_has_returned<B: Backend>(backend: B) {
    let log = Log::default();
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

/// GRP-3: A child's error stops its siblings, and the body at its current await.
pub fn a_childs_error_stops_the_siblings_and_the_body<B: Backend>(backend: B) {
    let (alive, after) = (Alive::default(), Log::<u64>::default());
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

/// GRP-4: The error contains the failures in completion order and no child that was only cancelled.
pub fn the_error_contains_every_failure_and_no_cancelled_child<B: Backend>(backend: B) {
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

/// GRP-5: An error of the body is returned after the children have stopped, also before its first await.
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

/// GRP-6: A group that has returned refuses a child and drops it without a poll.
pub fn a_closed_group_refuses_a_child_and_drops_it_unpolled<B: Backend>(backend: B) {
    let (kept, alive, polled) = (Log::default(), Alive::default(), Log::<u64>::default());
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

/// GRP-7: The group returns the error of a child whose handle was dropped.
pub fn the_error_of_a_child_that_is_not_awaited_is_returned<B: Backend>(backend: B) {
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

/// GRP-8: `cancel` stops the body and the children, and a second call changes nothing.
pub fn a_cancelled_group_stops_its_body_and_its_children<B: Backend>(backend: B) {
    let (alive, after) = (Alive::default(), Log::<u64>::default());
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

/// GRP-8: A group that a child cancels after the body has returned still returns the body's value.
pub fn a_group_cancelled_after_its_body_has_returned_returns_the_value<B: Backend>(backend: B) {
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

/// GRP-8: A group that was cancelled before its first child drops that child without a poll.
pub fn a_group_cancelled_before_its_first_child_refuses_it<B: Backend>(backend: B) {
    let (alive, polled) = (Alive::default(), Log::<u64>::default());
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

/// LST-4: A child that was cancelled by its handle does not fail the group or its siblings.
pub fn a_cancelled_child_is_not_a_failure<B: Backend>(backend: B) {
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

/// GRP-1: The handle of a child returns its value, and `is_finished` says whether there is one.
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

/// CAN-1: Dropping a group stops its body and its children, even if they hold handles to the group.
pub fn a_dropped_group_stops_its_body_and_its_children<B: Backend>(backend: B) {
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

/// Law 11: A group that is dropped before its first poll has not called its closure.
pub fn a_group_that_is_never_polled_calls_nothing<B: Backend>(backend: B) {
    let called = Log::<u64>::default();
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

/// Law 9: A body that always wakes itself does not starve the children.
pub fn a_busy_body_does_not_starve_its_children<B: Backend>(backend: B) {
    let result = backend.group(|group| {
        job(async move {
            let flag = Log::default();
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

/// GRP-8: Children that spawn children forever do not starve the body.
pub fn endless_children_do_not_starve_the_body<B: Backend>(backend: B) {
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
    let returned = backend.block_on(result);
    assert!(matches!(returned, Ok(()) | Err(LoopError::Cancelled)));
}

/// GRP-3: The body does not resume after its current await, not even if it awaits the child that failed.
pub fn the_body_does_not_resume_after_awaiting_a_failed_child<B: Backend>(backend: B) {
    for round in 0..50 {
        let after = Log::<u64>::default();
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

/// Law 5: The handle of a child whose destructor panics completes with `Cancelled`.
pub fn a_child_whose_destructor_panics_completes_its_handle<B: Backend>(backend: B) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let waiter = std::thread::spawn(move || {
        let child: forloop_core::types::Child<u64> = receiver.recv().unwrap();
        futures_lite::future::block_on(child)
    });
    let result = backend.group(|group| {
        job(async move {
            let armed = Gate::default();
            let arm = armed.clone();
            let child = group.spawn(job(async move {
                let _panics = PanicOnDrop;
                arm.open();
                std::future::pending().await
            }));
            sender.send(child).unwrap();
            armed.passed().await;
            Err::<(), _>(String::from("body"))
        })
    });
    let result =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| backend.block_on(result)));
    assert_eq!(result.unwrap_err().downcast_ref(), Some(&"on purpose"));
    assert_eq!(waiter.join().unwrap(), Err(Cancelled));
}

/// GRP-4: When both are stopped, a child that awaits a sibling does not observe its cancellation as an error.
pub fn a_child_that_awaits_a_sibling_does_not_observe_its_cancellation<B: Backend>(backend: B) {
    for _ in 0..100 {
        let result = backend.group(|group| {
            job(async move {
                let (gate, waiting) = (Gate::default(), Log::<u64>::default());
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
                // Until each of them has polled the handle, and is not only about to.
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

/// GRP-4: A child that polls its siblings' handles while the group stops does not observe their outcomes.
pub fn a_child_that_polls_a_sibling_does_not_observe_its_cancellation_or_failure<B: Backend>(
    backend: B,
) {
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
