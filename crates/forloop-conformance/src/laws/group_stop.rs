//! How groups and scopes stop: what becomes of children that have not started, and of those that cancel their group.

use std::panic::{AssertUnwindSafe, catch_unwind};

use forloop_core::LoopError;

use super::errors;
use crate::{Alive, Backend, Group, Log, job, yields};

/// How a group stops in the poll in which its body has spawned a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    BodyFails,
    BodyPanics,
    BodyCancels,
    SiblingFails,
    SiblingPanics,
    SiblingCancels,
}

/// GRP-8, law 11: A child that was not polled when its group is cancelled or fails is dropped and never polled.
pub fn a_child_that_was_not_polled_when_its_group_stops_is_never_polled<B: Backend>(backend: B) {
    let stops = [
        Stop::BodyFails,
        Stop::BodyPanics,
        Stop::BodyCancels,
        Stop::SiblingFails,
        Stop::SiblingPanics,
        Stop::SiblingCancels,
    ];
    for stop in stops {
        let (alive, log) = (Alive::default(), Log::default());
        let captured = (alive.clone(), log.clone());
        let result = backend.group(move |group| {
            let (alive, log) = captured;
            // A runtime with several threads may poll a child before the group stops. What a thread does after that is
            // known of the thread that has stopped the group.
            let note = move |event: &'static str| log.write((event, std::thread::current().id()));
            job(async move {
                let sibling = (group.clone(), note.clone());
                if matches!(stop, Stop::SiblingFails | Stop::SiblingPanics | Stop::SiblingCancels) {
                    group.spawn(job(async move {
                        let (group, note) = sibling;
                        note("stops");
                        match stop {
                            Stop::SiblingFails => return Err(String::from("sibling")),
                            Stop::SiblingPanics => panic!("on purpose"),
                            _ => group.cancel(),
                        }
                        std::future::pending().await
                    }));
                }
                for _ in 0..3 {
                    let (guard, note) = (alive.guard(), note.clone());
                    group.spawn(job(async move {
                        let _alive = guard;
                        note("polled");
                        std::future::pending().await
                    }));
                }
                note("stops");
                match stop {
                    Stop::BodyFails => Err(String::from("body")),
                    Stop::BodyPanics => panic!("on purpose"),
                    Stop::BodyCancels => {
                        group.cancel();
                        std::future::pending().await
                    }
                    _ => std::future::pending::<Result<(), String>>().await,
                }
            })
        });
        backend.block_on(async {
            let mut result = Box::pin(result);
            let poll = std::future::poll_fn(|cx| {
                match catch_unwind(AssertUnwindSafe(|| result.as_mut().poll(cx))) {
                    Ok(std::task::Poll::Pending) => std::task::Poll::Pending,
                    Ok(std::task::Poll::Ready(result)) => std::task::Poll::Ready(Some(result)),
                    Err(_panic) => std::task::Poll::Ready(None),
                }
            });
            let is_inline = !B::SPAWNED;
            let returned = match stop {
                // The children that wait to be started are dropped in the same poll.
                Stop::BodyFails | Stop::BodyPanics | Stop::BodyCancels if is_inline => {
                    futures_lite::future::poll_once(poll).await.expect("one poll is enough")
                }
                _ => poll.await,
            };
            assert_eq!(alive.now(), 0, "{stop:?}");
            match stop {
                Stop::BodyPanics | Stop::SiblingPanics => assert!(returned.is_none()),
                Stop::BodyCancels | Stop::SiblingCancels => {
                    assert_eq!(returned, Some(Err(LoopError::Cancelled)));
                }
                Stop::BodyFails => assert_eq!(errors(&returned.unwrap().unwrap_err()), ["body"]),
                Stop::SiblingFails => {
                    assert_eq!(errors(&returned.unwrap().unwrap_err()), ["sibling"]);
                }
            }
        });
        assert_eq!(alive.ever(), 3);
        let log = log.read();
        let stopped = log.iter().rposition(|(event, _)| *event == "stops").unwrap();
        let polled = log[stopped..]
            .iter()
            .filter(|(event, thread)| *event == "polled" && *thread == log[stopped].1);
        assert_eq!(polled.count(), 0, "{stop:?}: {log:?}");
    }
}

/// GRP-8: A child that cancels its own group stops at its next await, and so does one that was started.
pub fn a_child_that_cancels_its_group_stops_at_its_next_await<B: Backend>(backend: B) {
    for starts in [false, true] {
        let (alive, passed) = (Alive::default(), Log::<u64>::default());
        let captured = (alive.clone(), passed.clone());
        let result = backend.group(move |group| {
            let (alive, passed) = captured;
            job(async move {
                let (own, guard) = (group.clone(), alive.guard());
                let busy = async move {
                    let _alive = guard;
                    yields(3).await;
                    own.cancel();
                    for n in 0..100 {
                        yields(1).await;
                        passed.write(n);
                    }
                    Ok(0)
                };
                if starts {
                    let starts = group.start(|ready| {
                        job(async move {
                            ready.send(1);
                            busy.await
                        })
                    });
                    assert!(starts.await.is_ok());
                } else {
                    group.spawn(job(busy));
                }
                std::future::pending::<Result<(), String>>().await
            })
        });
        assert_eq!(backend.block_on(result), Err(LoopError::Cancelled));
        assert_eq!((alive.now(), alive.ever()), (0, 1));
        assert!(passed.read().is_empty(), "{:?}", passed.read());
    }
}

/// GRP-4: A body that awaits a child which cancels the group does not observe that the child has stopped.
pub fn the_body_does_not_observe_that_a_child_stops_with_the_group<B: Backend>(backend: B) {
    for round in 0..100 {
        let result = backend.group(move |group| {
            job(async move {
                let own = group.clone();
                let mut child = group.spawn(job(async move {
                    yields(round % 5).await;
                    own.cancel();
                    yields(1).await;
                    Ok(0)
                }));
                while futures_lite::future::poll_once(&mut child).await.is_none() {
                    yields(1).await;
                }
                Err::<(), _>(String::from("saw that the child was cancelled"))
            })
        });
        assert_eq!(backend.block_on(result), Err(LoopError::Cancelled));
    }
}

/// GRP-6: A group that is stopping refuses a child and drops it without a poll.
pub fn a_stopping_group_refuses_a_child_and_drops_it_unpolled<B: Backend>(backend: B) {
    struct Late<G: Group> {
        group: G,
        alive: Alive,
        polled: Log,
        refused: Log<bool>,
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

    let (alive, polled, refused) = (Alive::default(), Log::default(), Log::default());
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
