//! Children that are waited for until they are ready.

use std::panic::{AssertUnwindSafe, catch_unwind};

use forloop_core::{LoopError, ReadySignal, StartError};
use futures_lite::future::{poll_once, zip};

use super::{endless, errors};
use crate::{Alive, Backend, Gate, Group, Tally, eventually, job, yields};

/// OPT-6
pub fn a_child_that_said_it_is_ready_is_one_like_any_other<B: Backend>(backend: B) {
    let (alive, go_on) = (Alive::default(), Gate::default());
    let log = Tally::default();
    let theirs = (alive.clone(), go_on.clone(), log.clone());
    let group = backend.group(move |group| {
        let (alive, go_on, log) = theirs;
        job(async move {
            let starts = group.start(|ready| {
                let (guard, go_on, log) = (alive.guard(), go_on.clone(), log.clone());
                job(async move {
                    let _alive = guard;
                    yields(3).await;
                    log.write("ready");
                    ready.send(8080);
                    go_on.passed().await;
                    log.write("done");
                    Ok(7)
                })
            });
            let (child, port) = starts.await.unwrap();
            log.write("goes on");
            assert_eq!((port, alive.now(), child.is_finished()), (8080, 1, false));
            go_on.open();
            Ok((child.await.unwrap(), alive.now()))
        })
    });
    assert_eq!(backend.block_on(group), Ok((7, 0)));
    assert_eq!(log.read(), ["ready", "goes on", "done"]);

    // One that is ready as it ends has both.
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

/// OPT-6
pub fn a_failure_before_readiness_is_the_starters_and_no_groups<B: Backend>(backend: B) {
    let (alive, gate) = (Alive::default(), Gate::default());
    let theirs = (alive.clone(), gate.clone());
    let group = backend.group(move |group| {
        let (alive, gate) = theirs;
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
            // It has ended, and nobody else was stopped.
            assert_eq!(alive.now(), 0);
            assert_eq!(error, StartError::Failed(String::from("the port is taken")));
            gate.open();
            Ok(sibling.await.unwrap())
        })
    });
    assert_eq!(backend.block_on(group), Ok(5));
}

/// OPT-6
pub fn a_failure_behind_readiness_is_the_groups<B: Backend>(backend: B) {
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

/// OPT-6, PAN-1
pub fn a_panic_before_readiness_goes_on_in_the_starter<B: Backend>(backend: B) {
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
                    Ok(std::task::Poll::Ready(_)) => panic!("it has said nothing"),
                    Err(payload) => std::task::Poll::Ready(payload),
                }
            });
            assert_eq!(panicked.await.downcast_ref(), Some(&"not ready"));
            // Whoever has caught it goes on, and so does the group.
            Ok(sibling.await.unwrap())
        })
    });
    assert_eq!(backend.block_on(group), Ok(5));
}

/// OPT-6, law 5
pub fn a_child_without_a_word_is_an_error<B: Backend>(backend: B) {
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

/// OPT-6, law 5
pub fn a_child_that_will_never_be_ready_is_stopped<B: Backend>(backend: B) {
    let alive = Alive::default();
    let theirs = alive.clone();
    let group = backend.group(move |group| {
        let alive = theirs;
        job(async move {
            // It lets go of what it would say so with before it begins.
            let starts = group.start(|_| endless(&alive));
            assert_eq!(starts.await.map(|(_, value)| value), Err(StartError::NotReady));
            assert_eq!(alive.now(), 0);
            // Or somebody else does, while it waits.
            let (give, take) = async_channel::bounded(1);
            let starts = group.start(|ready: ReadySignal<u64>| {
                give.try_send(ready).unwrap();
                endless(&alive)
            });
            let mut starts = Box::pin(starts);
            assert!(poll_once(starts.as_mut()).await.is_none());
            drop(take.try_recv());
            assert_eq!(starts.await.map(|(_, value)| value), Err(StartError::NotReady));
            Ok(())
        })
    });
    assert_eq!(backend.block_on(group), Ok(()));
    assert_eq!((alive.now(), alive.ever()), (0, 2));
}

/// OPT-6, law 1
pub fn a_dropped_start_stops_its_child_and_fails_no_group<B: Backend>(backend: B) {
    let alive = Alive::default();
    let clock = backend.clock();
    let theirs = alive.clone();
    let group = backend.group(move |group| {
        let alive = theirs;
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
            // Also one that is ready, if nobody has heard it yet.
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

/// OPT-6, law 11
pub fn a_start_that_is_never_polled_calls_nothing<B: Backend>(backend: B) {
    let called = Tally::<u64>::default();
    let theirs = called.clone();
    let group = backend.group(move |group| {
        let called = theirs;
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

/// OPT-6, GRP-6
pub fn a_closed_group_starts_nothing<B: Backend>(backend: B) {
    let polled = Tally::<u64>::default();
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

/// OPT-6, GRP-8
pub fn a_group_that_is_cancelled_stops_a_child_that_is_not_ready<B: Backend>(backend: B) {
    let (alive, kept) = (Alive::default(), Gate::default());
    let (give, take) = async_channel::bounded(1);
    let theirs = kept.clone();
    let group = backend.group(move |group| {
        let kept = theirs;
        job(async move {
            give.send(group.clone()).await.unwrap();
            kept.passed().await;
            group.cancel();
            std::future::pending::<()>().await;
            Ok(())
        })
    });
    // Whoever starts it is not in the group, and hears that it was stopped.
    let starts = async {
        let group = take.recv().await.unwrap();
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
    let (ended, started) = backend.block_on(zip(group, starts));
    assert_eq!((ended, started), (Err(LoopError::Cancelled), Err(StartError::Cancelled)));
    assert_eq!(alive.now(), 0);
}

/// OPT-6, GRP-2
pub fn a_group_waits_for_a_child_that_is_not_ready<B: Backend>(backend: B) {
    let (body_is_over, log) = (Gate::default(), Tally::default());
    let (give, take) = async_channel::bounded(1);
    let theirs = async_channel::bounded::<()>(1);
    let group = backend.group(move |group| {
        let (begun, wait) = theirs;
        job(async move {
            give.send((group, begun)).await.unwrap();
            // Until the child has begun.
            let _closed = wait.recv().await;
            Ok(())
        })
    });
    let starts = async {
        let (group, begun) = take.recv().await.unwrap();
        let starts = group.start(|ready| {
            let (gate, log) = (body_is_over.clone(), log.clone());
            job(async move {
                drop(begun);
                gate.passed().await;
                log.write("ready");
                ready.send(1);
                Ok(2)
            })
        });
        let opens = async {
            yields(20).await;
            body_is_over.open();
        };
        let (started, ()) = zip(starts, opens).await;
        let (child, value) = started.unwrap();
        (child.await, value)
    };
    let (ended, started) = backend.block_on(zip(group, starts));
    assert_eq!((ended, started), (Ok(()), (Ok(2), 1)));
    assert_eq!(log.read(), ["ready"]);
}

/// OPT-6, GRP-4
pub fn a_sibling_that_starts_another_does_not_go_on_when_both_are_stopped<B: Backend>(backend: B) {
    let (alive, begun) = (Alive::default(), Gate::default());
    let theirs = (alive.clone(), begun.clone());
    let group = backend.group(move |group| {
        let (alive, begun) = theirs;
        job(async move {
            group.spawn({
                let (group, alive, begun) = (group.clone(), alive.clone(), begun.clone());
                job(async move {
                    let starts = group.start(|ready| {
                        let body = endless(&alive);
                        job(async move {
                            let _moved = ready;
                            begun.open();
                            body.await
                        })
                    });
                    Err(format!("went on with {:?}", starts.await.map(drop)))
                })
            });
            begun.passed().await;
            Err::<(), _>(String::from("the body"))
        })
    });
    assert_eq!(errors(&backend.block_on(group).unwrap_err()), ["the body"]);
    assert_eq!(alive.now(), 0);
}

/// OPT-6
pub fn a_word_from_another_thread_is_heard<B: Backend>(backend: B) {
    for _ in 0..50 {
        let group = backend.group(move |group| {
            job(async move {
                let starts = group.start(|ready| {
                    job(async move {
                        let says = std::thread::spawn(move || ready.send(1));
                        yields(1).await;
                        says.join().expect("it only says a word");
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
