//! `start`: spawning a child and waiting until it is ready.

use std::panic::{AssertUnwindSafe, catch_unwind};

use forloop_core::types::ReadySignal;
use forloop_core::{LoopError, StartError};
use futures_lite::future::{poll_once, zip};

use super::{endless, errors};
use crate::{Alive, Backend, Gate, Group, Log, eventually, job, yields};

/// OPT-6: `start` returns when the child is ready; from then on it is a child like any other.
pub fn a_child_that_is_ready_is_a_child_like_any_other<B: Backend>(backend: B) {
    let (alive, resume) = (Alive::default(), Gate::default());
    let log = Log::default();
    let captured = (alive.clone(), resume.clone(), log.clone());
    let group = backend.group(move |group| {
        let (alive, resume, log) = captured;
        job(async move {
            let starts = group.start(|ready| {
                let (guard, resume, log) = (alive.guard(), resume.clone(), log.clone());
                job(async move {
                    let _alive = guard;
                    yields(3).await;
                    log.write("ready");
                    ready.send(8080);
                    resume.passed().await;
                    log.write("done");
                    Ok(7)
                })
            });
            let (child, port) = starts.await.unwrap();
            log.write("started");
            assert_eq!((port, alive.now(), child.is_finished()), (8080, 1, false));
            resume.open();
            Ok((child.await.unwrap(), alive.now()))
        })
    });
    assert_eq!(backend.block_on(group), Ok((7, 0)));
    assert_eq!(log.read(), ["ready", "started", "done"]);

    // A child may be ready and complete in the same poll.
    let group = backend.group(move |group| {
        job(async move {
            let starts = group.start(|ready| {
                job(async move {
                    ready.send(1);
                    Ok(2)
                })
            });
            let (child, value) = starts.await.unwrap();
            Ok((value, child.await))
        })
    });
    assert_eq!(backend.block_on(group), Ok((1, Ok(2))));
}

/// OPT-6: A failure before the ready signal is returned by `start` and does not fail the group.
pub fn a_failure_before_the_ready_signal_is_returned_by_start_alone<B: Backend>(backend: B) {
    let (alive, gate) = (Alive::default(), Gate::default());
    let captured = (alive.clone(), gate.clone());
    let group = backend.group(move |group| {
        let (alive, gate) = captured;
        job(async move {
            let sibling = group.spawn({
                let gate = gate.clone();
                job(async move {
                    gate.passed().await;
                    Ok(5)
                })
            });
            let starts = group.start(|ready| {
                let guard = alive.guard();
                job(async move {
                    let _moved = (guard, &ready);
                    yields(2).await;
                    Err(String::from("the port is taken"))
                })
            });
            let error = starts.await.unwrap_err();
            // The child has completed, and no sibling was stopped.
            assert_eq!(alive.now(), 0);
            assert_eq!(error, StartError::Failed(String::from("the port is taken")));
            gate.open();
            Ok(sibling.await.unwrap())
        })
    });
    assert_eq!(backend.block_on(group), Ok(5));
}

/// OPT-6: A failure after the ready signal fails the group.
pub fn a_failure_after_the_ready_signal_fails_the_group<B: Backend>(backend: B) {
    let group = backend.group(move |group| {
        job(async move {
            let starts = group.start(|ready| {
                job(async move {
                    ready.send(1);
                    yields(2).await;
                    Err(String::from("lost the connection"))
                })
            });
            let (_child, _) = starts.await.unwrap();
            std::future::pending::<()>().await;
            Ok(())
        })
    });
    assert_eq!(errors(&backend.block_on(group).unwrap_err()), ["lost the connection"]);
}

/// OPT-6, PAN-1: A panic before the ready signal propagates from `start`; if it is caught, the group continues.
pub fn a_panic_before_the_ready_signal_propagates_from_start<B: Backend>(backend: B) {
    let group = backend.group(move |group| {
        job(async move {
            let sibling = group.spawn(job(async move {
                yields(5).await;
                Ok(5)
            }));
            let mut starts = Box::pin(group.start(|ready| {
                job(async move {
                    let _moved = ready;
                    yields(2).await;
                    panic!("not ready")
                })
            }));
            let panicked = std::future::poll_fn(|cx| {
                match catch_unwind(AssertUnwindSafe(|| starts.as_mut().poll(cx))) {
                    Ok(std::task::Poll::Pending) => std::task::Poll::Pending,
                    Ok(std::task::Poll::Ready(_)) => panic!("the child sent no ready signal"),
                    Err(payload) => std::task::Poll::Ready(payload),
                }
            });
            assert_eq!(panicked.await.downcast_ref(), Some(&"not ready"));
            // The panic was caught, so the body and the group continue.
            Ok(sibling.await.unwrap())
        })
    });
    assert_eq!(backend.block_on(group), Ok(5));
}

/// OPT-6, law 5: If the child completes without a ready signal, `start` returns `NotReady`.
pub fn a_child_that_completes_without_a_ready_signal_is_an_error<B: Backend>(backend: B) {
    let group = backend.group(move |group| {
        job(async move {
            let starts = group.start(|ready| {
                job(async move {
                    let _moved = ready;
                    yields(2).await;
                    Ok(1)
                })
            });
            Ok(starts.await.map(|(_, value)| value))
        })
    });
    assert_eq!(backend.block_on(group), Ok(Err(StartError::NotReady)));
}

/// OPT-6, law 5: If the ready signal is dropped, the child is stopped and `start` returns `NotReady`.
pub fn a_child_whose_ready_signal_is_dropped_is_stopped<B: Backend>(backend: B) {
    let alive = Alive::default();
    let captured = alive.clone();
    let group = backend.group(move |group| {
        let alive = captured;
        job(async move {
            // The closure drops the ready signal before the child starts.
            let starts = group.start(|_| endless(&alive));
            assert_eq!(starts.await.map(|(_, value)| value), Err(StartError::NotReady));
            assert_eq!(alive.now(), 0);
            // Or the signal is dropped by other code, while the child waits.
            let (sender, receiver) = async_channel::bounded(1);
            let starts = group.start(|ready: ReadySignal<u64>| {
                sender.try_send(ready).unwrap();
                endless(&alive)
            });
            let mut starts = Box::pin(starts);
            assert!(poll_once(starts.as_mut()).await.is_none());
            drop(receiver.try_recv());
            assert_eq!(starts.await.map(|(_, value)| value), Err(StartError::NotReady));
            Ok(())
        })
    });
    assert_eq!(backend.block_on(group), Ok(()));
    assert_eq!((alive.now(), alive.ever()), (0, 2));
}

/// OPT-6, law 1: Dropping `start` stops its child and does not fail the group.
pub fn a_dropped_start_stops_its_child_and_does_not_fail_the_group<B: Backend>(backend: B) {
    let alive = Alive::default();
    let clock = backend.clock();
    let captured = alive.clone();
    let group = backend.group(move |group| {
        let alive = captured;
        job(async move {
            let mut starts = Box::pin(group.start(|ready| {
                let body = endless(&alive);
                job(async move {
                    let _moved = ready;
                    body.await
                })
            }));
            assert!(poll_once(starts.as_mut()).await.is_none());
            yields(2).await;
            assert_eq!(alive.now(), 1);
            drop(starts);
            eventually(&clock, || alive.now() == 0).await;
            // The same for a child that is ready, if `start` has not returned yet.
            let mut starts = Box::pin(group.start(|ready| {
                let body = endless(&alive);
                job(async move {
                    ready.send(1);
                    body.await
                })
            }));
            match poll_once(starts.as_mut()).await {
                Some(started) => started.unwrap().0.cancel(),
                None => yields(5).await,
            }
            drop(starts);
            Ok(3)
        })
    });
    assert_eq!((backend.block_on(group), alive.now()), (Ok(3), 0));
}

/// OPT-6, law 11: A `start` that is dropped before its first poll has not called its closure.
pub fn a_start_that_is_never_polled_calls_nothing<B: Backend>(backend: B) {
    let called = Log::<u64>::default();
    let captured = called.clone();
    let group = backend.group(move |group| {
        let called = captured;
        job(async move {
            drop(group.start(|_| {
                called.write(1);
                job(async { Ok(1) })
            }));
            Ok(())
        })
    });
    assert_eq!(backend.block_on(group), Ok(()));
    assert_eq!(called.read(), []);
}

/// OPT-6, GRP-6: In a closed group, `start` returns `Closed` on its first poll and does not poll the child.
pub fn a_closed_group_starts_no_child<B: Backend>(backend: B) {
    let polled = Log::<u64>::default();
    let group = backend.group(|group| job(async move { Ok(group) }));
    let group = backend.block_on(group).unwrap();
    let starts = group.start(|_| {
        let polled = polled.clone();
        job(async move {
            polled.write(1);
            Ok(1)
        })
    });
    let error = backend.block_on(poll_once(starts)).unwrap().unwrap_err();
    assert_eq!((error, polled.read()), (StartError::Closed, vec![]));
}

/// OPT-6, GRP-8: A cancelled group stops a child that is not ready, and `start` returns `Cancelled`.
pub fn a_cancelled_group_stops_a_child_that_is_not_ready<B: Backend>(backend: B) {
    let (alive, kept) = (Alive::default(), Gate::default());
    let (sender, receiver) = async_channel::bounded(1);
    let captured = kept.clone();
    let group = backend.group(move |group| {
        let kept = captured;
        job(async move {
            sender.send(group.clone()).await.unwrap();
            kept.passed().await;
            group.cancel();
            std::future::pending::<()>().await;
            Ok(())
        })
    });
    // The caller of `start` is not in the group.
    let starts = async {
        let group = receiver.recv().await.unwrap();
        let starts = group.start(|ready| {
            kept.open();
            let body = endless(&alive);
            job(async move {
                let _moved = ready;
                body.await
            })
        });
        starts.await.map(|(_, value)| value)
    };
    let (returned, child) = backend.block_on(zip(group, starts));
    assert_eq!((returned, child), (Err(LoopError::Cancelled), Err(StartError::Cancelled)));
    assert_eq!(alive.now(), 0);
}

/// OPT-6, GRP-2: A group whose body has returned waits for a child that is not ready yet.
pub fn a_group_waits_for_a_child_that_is_not_ready<B: Backend>(backend: B) {
    let (body_has_returned, log) = (Gate::default(), Log::default());
    let (sender, receiver) = async_channel::bounded(1);
    let captured = async_channel::bounded::<()>(1);
    let group = backend.group(move |group| {
        let (started, wait) = captured;
        job(async move {
            sender.send((group, started)).await.unwrap();
            // Until the child has started.
            let _closed = wait.recv().await;
            Ok(())
        })
    });
    let starts = async {
        let (group, started) = receiver.recv().await.unwrap();
        let starts = group.start(|ready| {
            let (gate, log) = (body_has_returned.clone(), log.clone());
            job(async move {
                drop(started);
                gate.passed().await;
                log.write("ready");
                ready.send(1);
                Ok(2)
            })
        });
        let opens = async {
            yields(20).await;
            body_has_returned.open();
        };
        let (started, ()) = zip(starts, opens).await;
        let (child, value) = started.unwrap();
        (child.await, value)
    };
    let (returned, child) = backend.block_on(zip(group, starts));
    assert_eq!((returned, child), (Ok(()), (Ok(2), 1)));
    assert_eq!(log.read(), ["ready"]);
}

/// OPT-6, GRP-4: When both are stopped, a child that starts a sibling does not observe its cancellation.
pub fn a_child_that_starts_a_sibling_does_not_observe_its_cancellation<B: Backend>(backend: B) {
    let (alive, started) = (Alive::default(), Gate::default());
    let captured = (alive.clone(), started.clone());
    let group = backend.group(move |group| {
        let (alive, started) = captured;
        job(async move {
            group.spawn({
                let (group, alive, started) = (group.clone(), alive.clone(), started.clone());
                job(async move {
                    let starts = group.start(|ready| {
                        let body = endless(&alive);
                        job(async move {
                            let _moved = ready;
                            started.open();
                            body.await
                        })
                    });
                    Err(format!("resumed with {:?}", starts.await.map(drop)))
                })
            });
            started.passed().await;
            Err::<(), _>(String::from("the body"))
        })
    });
    assert_eq!(errors(&backend.block_on(group).unwrap_err()), ["the body"]);
    assert_eq!(alive.now(), 0);
}

/// OPT-6: The ready signal may be sent from another thread, in any interleaving.
pub fn a_ready_signal_may_be_sent_from_another_thread<B: Backend>(backend: B) {
    for _ in 0..50 {
        let group = backend.group(move |group| {
            job(async move {
                let starts = group.start(|ready| {
                    job(async move {
                        let thread = std::thread::spawn(move || ready.send(1));
                        yields(1).await;
                        thread.join().expect("the thread does not panic");
                        Ok(2)
                    })
                });
                let (child, value) = starts.await.unwrap();
                Ok((value, child.await))
            })
        });
        assert_eq!(backend.block_on(group), Ok((1, Ok(2))));
    }
}
